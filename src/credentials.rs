//! Credentials: given by flag, or from the AWS chain (AWS SDKs and Tools Reference Guide, "Standardized
//! credential providers"), kept until shortly before they expire.

use std::env;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::FutureExt;
use tokio::sync::Mutex;

use crate::profile::{self, NoSuchProfile};

/// Credentials that expire sooner are fetched anew before signing.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// No credentials.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// None of the sources has any; each stands here with its reason.
    #[error("no credentials found")]
    NoneFound(Vec<(String, CredentialsError)>),
    /// Half a key pair would otherwise be passed over, and other credentials be used than was meant.
    #[error("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")]
    HalfKeyPair,
    /// The profile that was asked for does not exist.
    #[error(transparent)]
    NoSuchProfile(#[from] NoSuchProfile),
    /// A source that is configured does not work. The chain ends there, as it does in all AWS tools.
    #[error("the {name} does not provide credentials")]
    Failed {
        /// The source.
        name: String,
        /// What it said.
        source: CredentialsError,
    },
}

/// Credentials, and the source they are from.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source, as in "credentials from the NAME".
    pub source: String,
    /// What it gave.
    pub credentials: Credentials,
}

/// Where credentials come from, asked anew whenever the last ones are about to expire or were refused.
#[derive(Debug)]
pub struct CredentialSource {
    first: Option<Link>,
    /// For the rest of the chain; none where there is only the first link.
    region: Option<String>,
    profile: Option<String>,
    latest: Mutex<Option<Found>>,
    refused: AtomicBool,
}

/// A link of the chain, by name.
type Link = (String, SharedCredentialsProvider);

impl CredentialSource {
    /// One provider, such as fixed credentials or that of an `SdkConfig`, called `name` in messages.
    pub fn provider(name: &str, provider: impl ProvideCredentials + 'static) -> Self {
        Self::new(Some(link(name, provider)), None, None)
    }

    /// The chain: environment, profile, web identity, container, EC2 instance metadata. With `profile` it
    /// is that profile alone. `region` is for STS where the profile names none.
    pub fn chain(profile: Option<String>, region: String) -> Self {
        let environment = link("environment", EnvironmentVariableCredentialsProvider::new());
        Self::new(Some(environment).filter(|_| profile.is_none()), profile, Some(region))
    }

    fn new(first: Option<Link>, profile: Option<String>, region: Option<String>) -> Self {
        Self { first, region, profile, latest: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// The credentials to sign with now, at least a minute before they expire.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when no source has any, or one that is configured fails.
    pub async fn fetch(&self) -> Result<Credentials, SourceError> {
        let mut latest = self.latest.lock().await;
        match &*latest {
            Some(found) if is_fresh(&found.credentials) && !self.refused.load(Ordering::Relaxed) => {
                Ok(found.credentials.clone())
            }
            _ => {
                let found = self.load().await?;
                self.refused.store(false, Ordering::Relaxed);
                tracing::info!(source = found.source, "credentials loaded");
                Ok(latest.insert(found).credentials.clone())
            }
        }
    }

    /// Has the next [`fetch`](Self::fetch) ask again: the server refused the latest, which may have been
    /// replaced since.
    pub fn distrust(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// What the last [`fetch`](Self::fetch) gave; none before the first or while one is running.
    pub fn latest(&self) -> Option<Found> {
        self.latest.try_lock().ok()?.clone()
    }

    async fn load(&self) -> Result<Found, SourceError> {
        let mut reasons = Vec::new();
        if let Some(first) = &self.first
            && let Some(found) = ask(first, &mut reasons).await?
        {
            return Ok(found);
        }
        // Only now, since it reads files that environment credentials have no need of; and every time, since
        // aws-config reads a profile only once and tells only once what is wrong with it.
        let rest = match &self.region {
            Some(region) => rest_of_chain(self.profile.as_deref(), region).await?,
            None => Vec::new(),
        };
        for link in &rest {
            if let Some(found) = ask(link, &mut reasons).await? {
                return Ok(found);
            }
        }
        Err(SourceError::NoneFound(reasons))
    }
}

/// None, and the reason noted, if this source is not set up.
async fn ask(
    (name, provider): &Link,
    reasons: &mut Vec<(String, CredentialsError)>,
) -> Result<Option<Found>, SourceError> {
    // aws-config panics at some answers of a metadata service, and at a container's URL without a scheme.
    let answer = AssertUnwindSafe(provider.provide_credentials()).catch_unwind().await;
    let senseless = |_| Err(CredentialsError::unhandled("its settings or its answer make no sense"));
    match answer.unwrap_or_else(senseless) {
        Ok(credentials) => Ok(Some(Found { source: name.clone(), credentials })),
        Err(reason @ CredentialsError::CredentialsNotLoaded(_)) => {
            reasons.push((name.clone(), reason));
            Ok(None)
        }
        Err(source) => Err(SourceError::Failed { name: name.clone(), source }),
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + REFRESH_BEFORE_EXPIRY)
}

/// The sources after the environment, in the order in which the AWS SDKs ask them.
async fn rest_of_chain(name: Option<&str>, region: &str) -> Result<Vec<Link>, SourceError> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if name.is_none() && set("AWS_ACCESS_KEY_ID") && !set("AWS_SECRET_ACCESS_KEY") {
        return Err(SourceError::HalfKeyPair);
    }
    profile::check(name.map(str::to_owned).or_else(|| env::var("AWS_PROFILE").ok()))?;
    let config = ProviderConfig::default().with_http_client(https_client());
    let mut region_of_profile = ProfileFileRegionProvider::builder().configure(&config);
    let mut from_profile = ProfileFileCredentialsProvider::builder();
    if let Some(name) = name {
        region_of_profile = region_of_profile.profile_name(name);
        from_profile = from_profile.profile_name(name);
    }
    let region = region_of_profile.build().region().await.unwrap_or(Region::new(region.to_owned()));
    let config = config.with_region(Some(region));
    let from_profile = from_profile.configure(&config).build();
    // Metadata services are on the machine or next to it: plain HTTP, no proxy, no roots to load.
    let local = config.clone().with_http_client(aws_smithy_http_client::Builder::new().build_http());
    let container = env::var("AWS_CONTAINER_CREDENTIALS_FULL_URI").unwrap_or_default();
    let container = if container.starts_with("https:") { &config } else { &local };
    Ok(match name {
        Some(name) => vec![link(&format!("profile {name}"), from_profile)],
        None => vec![
            link("profile", from_profile),
            link(
                "web identity token",
                WebIdentityTokenCredentialsProvider::builder().configure(&config).build(),
            ),
            link("container", EcsCredentialsProvider::builder().configure(container).build()),
            link("EC2 instance metadata", ImdsCredentialsProvider::builder().configure(&local).build()),
        ],
    })
}

fn link(name: &str, provider: impl ProvideCredentials + 'static) -> Link {
    (name.to_owned(), SharedCredentialsProvider::new(provider))
}

/// TLS on ring, through `HTTPS_PROXY` where that is set. `HTTP_PROXY` is left alone, since the link-local
/// addresses of metadata services must not go that way.
fn https_client() -> SharedHttpClient {
    let variable = |names: [&str; 2]| names.into_iter().find_map(|name| env::var(name).ok());
    let proxy = variable(["HTTPS_PROXY", "https_proxy"]).and_then(|url| ProxyConfig::https(url).ok());
    let proxy = proxy.unwrap_or_else(ProxyConfig::disabled);
    let proxy = proxy.no_proxy(variable(["NO_PROXY", "no_proxy"]).unwrap_or_default());
    aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}
