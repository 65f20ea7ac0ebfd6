// SPDX-License-Identifier: Apache-2.0

//! The AWS profile files as the AWS SDK reads them (AWS SDKs and Tools Reference Guide, "Shared config and credentials
//! files"), and what is wrong with them if it ignores what they say.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use aws_config::profile::{Profile, ProfileFileLoadError, ProfileSet, load};
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::environment::non_empty;
use super::file::{self, FileError};
use super::section::{CREDENTIAL_SETTINGS, expected_section, explain, flaw, is_same, profile_name, sections};

/// The most profile names that a message lists.
const MAX_LISTED: usize = 10;

/// The most profiles that may take their credentials from each other.
const MAX_CHAIN: usize = 10;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A profile file cannot be read.
    #[error("cannot read the profiles in {0}")]
    File(FileError),
    /// The SDK does not understand a file.
    #[error("cannot read the profiles in {}: {flaw}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, and what is wrong with it.
        flaw: String,
    },
    /// There is no such profile, or the SDK would ignore a part of it.
    #[error("{problem}; {advice}")]
    Unusable {
        /// Which profile, and what is wrong with it.
        problem: String,
        /// What to do about it.
        advice: String,
    },
    /// The name of the profile is not UTF-8.
    #[error("AWS_PROFILE is not UTF-8")]
    Name,
}

/// The config file and the credentials file, read once.
pub struct Profiles {
    set: ProfileSet,
    files: EnvConfigFiles,
    texts: Vec<Text>,
}

struct Text {
    kind: Kind,
    path: PathBuf,
    text: String,
    /// What the SDK sees in this file alone.
    alone: ProfileSet,
}

impl Profiles {
    /// Reads the files that `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name, or those in `~/.aws`, which may be
    /// missing.
    ///
    /// # Errors
    ///
    /// [`ProfileError::File`] or [`ProfileError::Parse`].
    pub async fn read() -> Result<Self, ProfileError> {
        let mut texts = Vec::new();
        for (kind, variable, default) in [
            (Kind::Config, "AWS_CONFIG_FILE", "~/.aws/config"),
            (Kind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        ] {
            let named = non_empty(variable);
            let path = expand_home(named.as_deref().unwrap_or(default.as_ref()));
            let text = match file::read(&path).map_err(ProfileError::File)? {
                Some(text) => text,
                None if named.is_none() => String::new(),
                None => {
                    let reason = format!("there is no such file, but {variable} names it");
                    return Err(ProfileError::File(FileError { path, reason }));
                }
            };
            let flawed = |flaw| ProfileError::Parse { path: path.clone(), flaw };
            if let Some(flaw) = flaw(&text) {
                return Err(flawed(flaw));
            }
            let alone = parse(&files([(kind, &text)])).await.map_err(|error| flawed(explain(&error)))?;
            texts.push(Text { kind, path, text, alone });
        }
        let files = files(texts.iter().map(|text| (text.kind, &text.text)));
        let set = parse(&files).await;
        let set =
            set.map_err(|error| ProfileError::Parse { path: texts[0].path.clone(), flaw: explain(&error) })?;
        Ok(Self { set, files, texts })
    }

    /// The texts of the files, for the SDK, so that it does not read them again.
    pub fn files(&self) -> EnvConfigFiles {
        self.files.clone()
    }

    /// The profile of this name, then the profiles that it takes its credentials from, in order. `None` if there is no
    /// such profile, or if it sets up no credentials.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Unusable`] if a profile further on is missing, if the chain is too long, if settings of a
    /// profile are empty or contradict each other, or if the user probably meant a section that the SDK ignores.
    pub fn configured(&self, name: &str) -> Result<Option<Vec<&Profile>>, ProfileError> {
        let first = self.set.get_profile(name).filter(|profile| has_credentials(profile));
        let Some(first) = first else {
            let problem = format!("the AWS SDK sees no credentials in the profile {name:?}");
            return match self.ignored_section(name) {
                Some(advice) => Err(ProfileError::Unusable { problem, advice }),
                None => Ok(None),
            };
        };
        let mut chain = vec![first];
        while let Some(last) = chain.last()
            && let (Some(_), Some(source)) = (last.get("role_arn"), last.get("source_profile"))
            && chain.iter().all(|profile| profile.name() != source)
        {
            let asked_by = format!("source_profile in the profile {:?}", last.name());
            self.require(source, &asked_by)?;
            chain.extend(self.set.get_profile(source));
            if chain.len() > MAX_CHAIN {
                let problem =
                    format!("source_profile links more than {MAX_CHAIN} profiles, beginning with {name:?}");
                return Err(ProfileError::Unusable { problem, advice: "shorten the chain".to_owned() });
            }
        }
        chain.iter().try_for_each(|profile| self.check(profile))?;
        Ok(Some(chain))
    }

    /// Makes sure that the SDK reads from a profile what other tools read.
    fn check(&self, profile: &Profile) -> Result<(), ProfileError> {
        let name = profile.name();
        let unusable = |problem: String, advice: &str| {
            Err(ProfileError::Unusable {
                problem: format!("{problem} in the profile {name:?}"),
                advice: advice.to_owned(),
            })
        };
        let has = |setting| profile.get(setting).is_some();
        let empty = |setting: &&str| profile.get(setting).is_some_and(|value| value.trim().is_empty());
        if let Some(setting) = CREDENTIAL_SETTINGS.into_iter().find(empty) {
            return unusable(format!("{setting} is empty"), "give it a value, or remove the line");
        }
        if has("credential_source") && (!has("role_arn") || has("web_identity_token_file")) {
            return unusable(
                "the AWS SDK would use credential_source without assuming a role".to_owned(),
                "remove the line",
            );
        }
        let others = ["credential_process", "login_session"].into_iter().find(|setting| has(setting));
        if let Some(other) = others.filter(|_| has("aws_access_key_id")) {
            return unusable(format!("there are both {other} and aws_access_key_id"), "keep one of them");
        }
        for Text { path, alone, .. } in &self.texts {
            let key = |setting| alone.get_profile(name).is_some_and(|profile| profile.get(setting).is_some());
            if key("aws_access_key_id") != key("aws_secret_access_key") {
                let problem = format!("{} has only half of the key pair", path.display());
                return unusable(
                    problem,
                    "put aws_access_key_id and aws_secret_access_key into the same file",
                );
            }
        }
        Ok(())
    }

    /// Makes sure that there is such a profile. `asked_by` is the flag, the variable or the profile that asks for it.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Unusable`].
    pub fn require(&self, name: &str, asked_by: &str) -> Result<(), ProfileError> {
        if self.set.get_profile(name).is_some() {
            return Ok(());
        }
        let paths: Vec<_> = self.texts.iter().map(|text| text.path.display().to_string()).collect();
        let places = paths.join(" or ");
        let problem = format!("there is no profile {name:?}, which {asked_by} asks for, in {places}");
        let mut known: Vec<&str> = self.set.profiles().collect();
        known.sort_unstable();
        let more = known.len().saturating_sub(MAX_LISTED);
        known.truncate(MAX_LISTED);
        let advice = self.ignored_section(name).unwrap_or_else(|| match (known.is_empty(), more) {
            (true, _) => "there are no profiles in them".to_owned(),
            (false, 0) => format!("they hold: {}", known.join(", ")),
            (false, more) => format!("they hold: {}, and {more} more", known.join(", ")),
        });
        Err(ProfileError::Unusable { problem, advice })
    }

    /// A setting of this profile.
    pub fn setting(&self, name: &str, setting: &str) -> Option<&str> {
        self.set.get_profile(name)?.get(setting)
    }

    /// Where a section is that other tools would read as this profile and the SDK ignores, and what to do about it.
    fn ignored_section(&self, name: &str) -> Option<String> {
        self.texts.iter().find_map(|Text { kind, path, text, .. }| {
            let right = expected_section(*kind, name, text);
            let seen = |section: &str| right.as_ref().is_ok_and(|right| is_same(section, right));
            let (number, section) =
                sections(text).find(|(_, section)| profile_name(section) == name && !seen(section))?;
            let advice = match right {
                Ok(right) => format!("write [{right}]"),
                Err(reason) => reason.to_owned(),
            };
            Some(format!("line {number} of {} has [{section}]: {advice}", path.display()))
        })
    }
}

/// Whether a profile sets up credentials.
fn has_credentials(profile: &Profile) -> bool {
    CREDENTIAL_SETTINGS.into_iter().any(|setting| profile.get(setting).is_some())
}

/// The path with its leading `~` replaced, as the SDK does it: by `HOME` on every system, or by the home that the system
/// knows if `HOME` is not set.
pub fn expand_home(path: &OsStr) -> PathBuf {
    let path = Path::new(path);
    let home =
        || env::var_os("HOME").map(PathBuf::from).or_else(env::home_dir).filter(|home| home.is_absolute());
    match path.strip_prefix("~") {
        Ok(below) => home().map(|home| home.join(below)).unwrap_or_else(|| path.to_owned()),
        Err(_) => path.to_owned(),
    }
}

fn files<'a>(texts: impl IntoIterator<Item = (Kind, &'a String)>) -> EnvConfigFiles {
    let builder = EnvConfigFiles::builder();
    texts.into_iter().fold(builder, |builder, (kind, text)| builder.with_contents(kind, text)).build()
}

async fn parse(files: &EnvConfigFiles) -> Result<ProfileSet, ProfileFileLoadError> {
    load(&Fs::real(), &Env::real(), files, None).await
}
