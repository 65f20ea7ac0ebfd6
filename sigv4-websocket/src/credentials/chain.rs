//! The AWS credential chain (AWS SDKs and Tools Reference Guide, "Standardized credential providers"), made of
//! aws-config's providers.
//!
//! There is one rule: only the first source that is set is asked, and its error is the error of the chain. Only the
//! profile `default` is passed over, and only where it is not there or sets up no credentials. aws-config's own chain
//! also passes over a profile that was named and is missing, half a key pair and the like, and then signs as somebody
//! else: on EC2 with the instance's role.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;

use super::http_client::http_client;
use super::{SourceError, Sourced, ask};
use crate::environment::variable;
use crate::network::Network;

/// The variables of the profile files, and where each file is without its variable, below the user's home.
const PROFILE_FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

/// Credentials from the first source that is set, or from `profile` alone if there is one. `region` is used for STS if
/// the profile has no region. Providers are made anew for each load, because some remember their first failure for
/// ever.
pub(crate) async fn load(
    profile: Option<&str>,
    region: &str,
    network: &Network,
) -> Result<Sourced, SourceError> {
    let config = ProviderConfig::default().with_http_client(http_client(network.clone()));
    let config = config.with_region(Some(Region::new(region.to_owned())));
    if profile.is_none() && (is_set("AWS_ACCESS_KEY_ID") || is_set("AWS_SECRET_ACCESS_KEY")) {
        return ask("environment", EnvironmentVariableCredentialsProvider::new()).await;
    }
    let variable = variable("AWS_PROFILE");
    let named = profile.or(variable.as_ref().map(|(_, name)| name.as_str()));
    match ask_profile(named.unwrap_or("default"), config.clone()).await {
        Err(error) if named.is_none() && is_nothing_there(&error) => {}
        result => return result,
    }
    if is_set("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let provider = WebIdentityTokenCredentialsProvider::builder().configure(&config).build();
        return ask("web identity token", provider).await;
    }
    if is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        return ask("container", EcsCredentialsProvider::builder().configure(&config).build()).await;
    }
    let metadata = ImdsCredentialsProvider::builder().configure(&config).build();
    match ask("EC2 instance metadata", metadata).await {
        // Only the service itself can tell whether this is an EC2 instance.
        Err(SourceError::Failed { source: reason @ CredentialsError::CredentialsNotLoaded(_), .. }) => {
            Err(SourceError::NoneFound { metadata: root_cause(&reason) })
        }
        result => result,
    }
}

async fn ask_profile(name: &str, config: ProviderConfig) -> Result<Sourced, SourceError> {
    check_profile_files()?;
    // aws-config asks STS in the region of its configuration, and not in that of the profile.
    let region = ProfileFileRegionProvider::builder().profile_name(name).configure(&config).build();
    let config = match region.region().await {
        Some(region) => config.with_region(Some(region)),
        None => config,
    };
    let provider = ProfileFileCredentialsProvider::builder().profile_name(name).configure(&config).build();
    ask(&format!("profile {name}"), provider).await
}

/// Whether a profile is not there or sets up no credentials. aws-config says so without a cause, and everything else
/// with one.
fn is_nothing_there(error: &SourceError) -> bool {
    let SourceError::Failed { source, .. } = error else { return false };
    matches!(source, CredentialsError::CredentialsNotLoaded(_)) && source.source().is_none()
}

/// aws-config passes over a profile file that it cannot read, and so over the profile that was named.
fn check_profile_files() -> Result<(), SourceError> {
    for (variable, default) in PROFILE_FILES {
        let path = PathBuf::from(env::var_os(variable).unwrap_or_else(|| default.into()));
        let path = match path.strip_prefix("~") {
            Ok(below) => env::home_dir().unwrap_or_default().join(below),
            Err(_) => path,
        };
        if path.exists()
            && let Err(source) = fs::read_to_string(&path)
        {
            return Err(SourceError::ProfileFile { path, source });
        }
    }
    Ok(())
}

/// Whether this variable is there and not empty.
fn is_set(name: &'static str) -> bool {
    variable(name).is_some()
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), root_cause)
}
