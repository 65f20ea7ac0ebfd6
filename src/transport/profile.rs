// SPDX-License-Identifier: Apache-2.0

//! The AWS profile files as the AWS SDK sees them (AWS SDKs and Tools Reference Guide, "Shared config and credentials
//! files"), and what is wrong with them where it sees nothing.

use std::env;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use aws_config::profile::{Profile, ProfileFileLoadError, ProfileSet, load};
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::file::{self, FileError};
use super::section::{explain, is_same, meaning, right_section, sections};

/// What sets up credentials in a profile. A profile that holds none of these, but a region, say, has none.
const CREDENTIAL_SETTINGS: [&str; 14] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "credential_process",
    "login_session",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
];

/// Profile names that are listed in a message, at the most.
const MAX_LISTED: usize = 10;

/// A profile that was asked for cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file that is there cannot be read.
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
    /// There is no such profile, or the SDK does not see its credentials.
    #[error("{problem}; {advice}")]
    Missing {
        /// Which profile, who asks for it, and where it should be.
        problem: String,
        /// The line that was probably meant to begin it, or else the profiles that are there.
        advice: String,
    },
    /// The name of the profile is not UTF-8.
    #[error("AWS_PROFILE is not UTF-8")]
    Name,
}

/// Both files, read once.
pub struct Profiles {
    set: ProfileSet,
    files: EnvConfigFiles,
    texts: Vec<(Kind, PathBuf, String)>,
}

impl Profiles {
    /// Reads the files that `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name, or those in `~/.aws`. A file
    /// that is not there counts as empty.
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
            let path = below_home(&env::var_os(variable).unwrap_or(default.into()));
            let text = file::read(&path).map_err(ProfileError::File)?.unwrap_or_default();
            texts.push((kind, path, text));
        }
        // Each by itself first, to know which file a flaw is in.
        for text in &texts {
            if let Err(error) = parse(&files([text])).await {
                return Err(ProfileError::Parse { path: text.1.clone(), flaw: explain(&error, &text.2) });
            }
        }
        let files = files(&texts);
        let set = parse(&files).await;
        let set =
            set.map_err(|error| ProfileError::Parse { path: texts[0].1.clone(), flaw: error.to_string() })?;
        Ok(Self { set, files, texts })
    }

    /// The texts of the files, for the SDK, so that it does not read them again.
    pub fn files(&self) -> EnvConfigFiles {
        self.files.clone()
    }

    /// The profile of this name, and those that it takes its credentials from, one after the other. None if there is
    /// no such profile, or if it sets up no credentials.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`] if one of the others is not there, or if a section that the SDK does not see was
    /// probably meant.
    pub fn configured(&self, name: &str) -> Result<Option<Vec<&Profile>>, ProfileError> {
        let first = self.set.get_profile(name).filter(|profile| has_credentials(profile));
        let Some(first) = first else {
            let problem = format!("the AWS SDK sees no credentials in the profile {name:?}");
            return match self.unseen(name) {
                Some(advice) => Err(ProfileError::Missing { problem, advice }),
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
        }
        Ok(Some(chain))
    }

    /// Makes sure that there is such a profile. `asked_by` is the flag, the variable or the profile that names it.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`].
    pub fn require(&self, name: &str, asked_by: &str) -> Result<(), ProfileError> {
        if self.set.get_profile(name).is_some() {
            return Ok(());
        }
        let paths: Vec<_> = self.texts.iter().map(|(_, path, _)| path.display().to_string()).collect();
        let places = paths.join(" or ");
        let problem = format!("there is no profile {name:?}, which {asked_by} asks for, in {places}");
        let mut known: Vec<&str> = self.set.profiles().collect();
        known.sort_unstable();
        let more = known.len().saturating_sub(MAX_LISTED);
        known.truncate(MAX_LISTED);
        let advice = self.unseen(name).unwrap_or_else(|| match (known.is_empty(), more) {
            (true, _) => "they hold none".to_owned(),
            (false, 0) => format!("they hold: {}", known.join(", ")),
            (false, more) => format!("they hold: {}, and {more} more", known.join(", ")),
        });
        Err(ProfileError::Missing { problem, advice })
    }

    /// A setting of this profile.
    pub fn setting(&self, name: &str, setting: &str) -> Option<&str> {
        self.set.get_profile(name)?.get(setting)
    }

    /// The section that other tools would take for this profile, but the SDK passes over, with its file and line.
    fn unseen(&self, name: &str) -> Option<String> {
        self.texts.iter().find_map(|(kind, path, text)| {
            let right = right_section(*kind, name, text);
            let seen = |section: &str| right.as_ref().is_ok_and(|right| is_same(section, right));
            let (number, section) =
                sections(text).find(|(_, section)| meaning(section) == name && !seen(section))?;
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

/// A path with `~` in it, as the SDK reads it: it asks `HOME` first on every system.
pub fn below_home(path: &OsStr) -> PathBuf {
    let path = Path::new(path);
    let mut components = path.components();
    match components.next() {
        Some(Component::Normal(first)) if first == "~" => {
            let windows = cfg!(windows).then(|| env::var_os("USERPROFILE")).flatten();
            let home = env::var_os("HOME").or(windows).unwrap_or("~".into());
            Path::new(&home).join(components.as_path())
        }
        _ => path.to_owned(),
    }
}

fn files<'a>(texts: impl IntoIterator<Item = &'a (Kind, PathBuf, String)>) -> EnvConfigFiles {
    let builder = EnvConfigFiles::builder();
    texts.into_iter().fold(builder, |builder, (kind, _, text)| builder.with_contents(*kind, text)).build()
}

async fn parse(files: &EnvConfigFiles) -> Result<ProfileSet, ProfileFileLoadError> {
    load(&Fs::real(), &Env::real(), files, None).await
}
