// SPDX-License-Identifier: Apache-2.0

//! The AWS credential chain (AWS SDKs and Tools Reference Guide, "Standardized credential providers"), made of
//! aws-config's providers.
//!
//! There is one rule: only a source that is not set up at all is skipped. A source that is set up and fails ends the
//! chain. aws-config's own chain also skips a profile that it does not find or understand, half a key pair and the like,
//! and then signs with the next source that it finds. On EC2 that is the instance's role, which is not the identity that
//! was requested.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;

use super::environment::non_empty;
use super::file::{self, FileError};
use super::http_client::http_client;
use super::network::Network;
use super::profile::{ProfileError, Profiles, expand_home};
use super::progress::Progress;
use super::source::{Found, NamedProvider, Needs, SignIn, SourceError};
use super::text::conceal;

/// The chain, or one profile alone.
#[derive(Debug)]
pub struct Chain {
    profile: Option<String>,
    region: String,
    network: Network,
    /// Whether ignored variables were reported, which is done at the first load only.
    reported: AtomicBool,
}

/// The variables that say where a container gets its credentials.
const CONTAINER_URLS: [&str; 2] =
    ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];

/// A source that is set up, or why it counts as not set up.
type Setup = Result<NamedProvider, String>;

impl Chain {
    /// The whole chain, or only `profile` if there is one. `region` is used for STS if the profile has no region.
    pub fn new(profile: Option<String>, region: String, network: Network) -> Self {
        Self { profile, region, network, reported: AtomicBool::new(false) }
    }

    /// Credentials from the first source that is set up. Providers are made anew for each load, because some remember
    /// their first failure for ever.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if no source is set up, or if the first source that is set up fails.
    pub async fn load(&self, tell: impl Fn(Progress<'_>)) -> Result<Found, SourceError> {
        if !self.reported.swap(true, Ordering::Relaxed) {
            self.ignored().into_iter().for_each(|setting| tell(Progress::Ignored(setting)));
        }
        let config = ProviderConfig::default().with_http_client(http_client(self.network.clone()));
        let config = config.with_region(Some(Region::new(self.region.clone())));
        let mut reasons = Vec::new();
        let mut skip = |name: &str, reason| reasons.push((name.to_owned(), reason));
        if self.profile.is_none() {
            match environment()? {
                Ok(link) => return link.load().await,
                Err(reason) => skip("environment", reason),
            }
        }
        match self.profile(&config, &tell).await? {
            Ok(link) => return link.load().await,
            Err(reason) => skip("profile", reason),
        }
        if self.profile.is_none() {
            match web_identity(&config)? {
                Ok(link) => return link.load().await,
                Err(reason) => skip("web identity token", reason),
            }
            match container(&config)? {
                Ok(link) => return link.load().await,
                Err(reason) => skip("container", reason),
            }
            let metadata = ImdsCredentialsProvider::builder().configure(&config).build();
            match NamedProvider::new("EC2 instance metadata", metadata).load().await {
                // Only the service itself can tell whether this is an EC2 instance.
                Err(SourceError::Failed {
                    source: reason @ CredentialsError::CredentialsNotLoaded(_),
                    ..
                }) => {
                    skip("EC2 instance metadata", root_cause(&reason));
                }
                result => return result,
            }
        }
        Err(SourceError::NoneFound(reasons))
    }

    /// Variables that the AWS CLI reads and the AWS SDKs do not.
    fn ignored(&self) -> Option<&'static str> {
        let differs = |name| non_empty(name).is_some_and(|name| name != "default");
        if self.profile.is_none() && non_empty("AWS_PROFILE").is_none() && differs("AWS_DEFAULT_PROFILE") {
            Some("AWS_DEFAULT_PROFILE is ignored; name the profile with AWS_PROFILE")
        } else if non_empty("AWS_SECURITY_TOKEN").is_some() && non_empty("AWS_SESSION_TOKEN").is_none() {
            Some("AWS_SECURITY_TOKEN is ignored; put the session token into AWS_SESSION_TOKEN")
        } else {
            None
        }
    }

    async fn profile(
        &self,
        config: &ProviderConfig,
        tell: impl Fn(Progress<'_>),
    ) -> Result<Setup, SourceError> {
        let named = self.profile.as_ref().map(|name| ("--profile", name.into())).or_else(|| {
            let name = env::var_os("AWS_PROFILE")?;
            Some(("AWS_PROFILE", name))
        });
        let profiles = Profiles::read().await?;
        let name = match named {
            Some((asked_by, name)) => {
                let name = name.into_string().map_err(|_| ProfileError::Name)?;
                profiles.require(&name, asked_by)?;
                name
            }
            None => "default".to_owned(),
        };
        let Some(chain) = profiles.configured(&name)? else {
            return Ok(Err(format!("the profile {name:?} sets up no credentials")));
        };
        let secrets = ["aws_secret_access_key", "aws_session_token"];
        chain.iter().flat_map(|profile| secrets.map(|name| profile.get(name))).flatten().for_each(conceal);
        let setting = |setting| chain.iter().find_map(|profile| profile.get(setting));
        if let Some(path) = setting("web_identity_token_file") {
            naming("web_identity_token_file", file::check(Path::new(path)))?;
        }
        if setting("aws_security_token").is_some() && setting("aws_session_token").is_none() {
            tell(Progress::Ignored(
                "aws_security_token in the profile is ignored; put the session token into aws_session_token",
            ));
        }
        if setting("credential_source") == Some("EcsContainer") {
            check_container()?;
        }
        let mut needs = Needs { mfa: setting("mfa_serial").map(str::to_owned), sign_in: None };
        if setting("sso_session").or(setting("sso_start_url")).is_some() {
            naming("sso_session", file::check_cache(&expand_home("~/.aws/sso/cache".as_ref())))?;
            needs.sign_in = Some(SignIn::Sso(name.clone()));
        }
        if setting("login_session").is_some() {
            let default = || expand_home("~/.aws/login/cache".as_ref());
            let folder = env::var_os("AWS_LOGIN_CACHE_DIRECTORY").map_or_else(default, PathBuf::from);
            naming("login_session", file::check_cache(&folder))?;
            needs.sign_in = Some(SignIn::Login(name.clone()));
        }
        let region = profiles.setting(&name, "region").unwrap_or(&self.region);
        let config = config.clone().with_region(Some(Region::new(region.to_owned())));
        let provider = ProfileFileCredentialsProvider::builder().profile_files(profiles.files());
        let provider = provider.profile_name(&name).configure(&config).build();
        let source = self.profile.as_ref().map_or("profile".to_owned(), |name| format!("profile {name}"));
        Ok(Ok(NamedProvider::new(&source, provider).needing(needs)))
    }
}

fn environment() -> Result<Setup, SourceError> {
    const NAMES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    if NAMES.into_iter().all(|name| non_empty(name).is_none()) {
        return Ok(Err("AWS_ACCESS_KEY_ID is not set".to_owned()));
    }
    // The SDK leaves out a session token that is blank or not UTF-8. Then only the server's refusal would show that it
    // is missing.
    for (name, required) in NAMES.map(|name| (name, true)).into_iter().chain([("AWS_SESSION_TOKEN", false)]) {
        let flaw = match non_empty(name).map(OsString::into_string) {
            None if required => "is not set, but the other half of the key pair is",
            Some(Ok(value)) if value.trim().is_empty() => "is blank",
            Some(Err(_)) => "is not UTF-8",
            _ => continue,
        };
        return Err(SourceError::Variable { name, flaw });
    }
    Ok(Ok(NamedProvider::new("environment", EnvironmentVariableCredentialsProvider::new())))
}

fn web_identity(config: &ProviderConfig) -> Result<Setup, SourceError> {
    const NAMES: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"];
    match NAMES.map(non_empty) {
        [None, None] => return Ok(Err(format!("{} is not set", NAMES[0]))),
        [Some(path), Some(_)] => naming(NAMES[0], file::check(Path::new(&path)))?,
        [path, _] => {
            let (name, flaw) = match path {
                None => (NAMES[0], "is not set, but AWS_ROLE_ARN is"),
                Some(_) => (NAMES[1], "is not set, but AWS_WEB_IDENTITY_TOKEN_FILE is"),
            };
            return Err(SourceError::Variable { name, flaw });
        }
    }
    let provider = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
    Ok(Ok(NamedProvider::new("web identity token", provider)))
}

fn container(config: &ProviderConfig) -> Result<Setup, SourceError> {
    if CONTAINER_URLS.into_iter().all(|name| non_empty(name).is_none()) {
        return Ok(Err(format!("{} is not set", CONTAINER_URLS[0])));
    }
    check_container()?;
    Ok(Ok(NamedProvider::new("container", EcsCredentialsProvider::builder().configure(config).build())))
}

fn check_container() -> Result<(), SourceError> {
    const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let [full, relative] = CONTAINER_URLS;
    // aws-config panics if the URL of a container has no scheme.
    let has_scheme = |url: &OsString| url.to_str().is_some_and(|url| url.contains("://"));
    if non_empty(full).is_some_and(|url| !has_scheme(&url)) && non_empty(relative).is_none() {
        return Err(SourceError::Variable { name: full, flaw: "does not begin with http:// or https://" });
    }
    match env::var_os(TOKEN_FILE) {
        Some(path) => naming(TOKEN_FILE, file::check(Path::new(&path))),
        None => Ok(()),
    }
}

/// Adds to the error of a file the variable or the setting that names it.
fn naming(named_by: &'static str, result: Result<(), FileError>) -> Result<(), SourceError> {
    result.map_err(|source| SourceError::File { named_by, source })
}

/// The message of the root cause.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), root_cause)
}
