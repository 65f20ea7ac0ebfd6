//! Credentials for successive attempts: kept until shortly before they expire, or until the server refuses them.

#[cfg(feature = "chain")]
mod chain;
#[cfg(feature = "chain")]
mod http_client;
#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use futures_util::FutureExt;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::failure::report::causes;
#[cfg(feature = "chain")]
use crate::network::Network;
use crate::network::NetworkError;
use crate::progress::{GIVEN, Progress, shorten};

/// Credentials that expire within this time are fetched again before signing.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// Refusals make the connector ask the source again at most this often, because it may be a service that limits
/// requests.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// No source of the chain is set. EC2 instance metadata, which is asked last, gave the reason.
    #[cfg(feature = "chain")]
    #[error("no credentials found")]
    NoneFound { metadata: String },
    #[cfg(feature = "chain")]
    #[error("cannot read the profile file {}", .path.display())]
    ProfileFile { path: std::path::PathBuf, source: std::io::Error },
    #[error("the {0} gave credentials that cannot work: a key is empty")]
    Invalid(String),
    #[error("the {name} does not provide credentials")]
    Failed { name: String, source: CredentialsError },
}

impl SourceError {
    /// What failed on the way to a credential service, if that is the cause.
    pub(crate) fn on_the_way(&self) -> Option<&NetworkError> {
        causes(self).find_map(|cause| cause.downcast_ref())
    }
}

#[derive(Debug)]
pub(crate) enum Source {
    Given(SharedCredentialsProvider),
    /// The chain, or one profile alone. `region` is used for STS if the profile has no region.
    #[cfg(feature = "chain")]
    Chain {
        profile: Option<String>,
        region: String,
        network: Network,
    },
}

/// The name of a source, as in "credentials from the SOURCE", and what it gave.
type Sourced = (String, Credentials);

/// The credentials of one connector. Their source is asked again when they are about to expire or were refused.
#[derive(Debug)]
pub(crate) struct FreshCredentials {
    source: Source,
    state: Mutex<State>,
    refused: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<Credentials>,
    /// When a refusal last made the connector ask the source.
    asked_again: Option<Instant>,
}

impl FreshCredentials {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, state: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// The credentials to sign with at `now`, the time of the server's clock. They are fetched again if they expire
    /// within a minute, or if the server has refused them and the source was not asked for that reason in the last
    /// minute. `report` is called with new credentials.
    pub(crate) async fn fetch(
        &self,
        now: SystemTime,
        report: impl Fn(Progress<'_>),
    ) -> Result<Credentials, SourceError> {
        let mut state = self.state.lock().await;
        let refused = self.refused.load(Ordering::Relaxed);
        let rested = state.asked_again.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN_AFTER);
        if let Some(credentials) = &state.latest
            && is_fresh(credentials, now)
            && !(refused && rested)
        {
            return Ok(credentials.clone());
        }
        let answer = self.source.ask().await;
        if refused {
            state.asked_again = Some(Instant::now());
        }
        let (source, credentials) = answer?;
        self.refused.store(false, Ordering::Relaxed);
        tracing::info!(source, "credentials loaded");
        report(Progress::Credentials {
            source: (source != GIVEN).then_some(source.as_str()),
            access_key_id: &shorten(credentials.access_key_id()),
            expiry: credentials.expiry(),
        });
        Ok(state.latest.insert(credentials).clone())
    }

    /// Call this when the server has refused the latest credentials. The source may have newer ones by now.
    pub(crate) fn refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// The credentials that the last successful [`fetch`](Self::fetch) loaded. `None` before that, and while one is
    /// running.
    pub(crate) fn latest(&self) -> Option<Credentials> {
        self.state.try_lock().ok()?.latest.clone()
    }
}

impl Source {
    async fn ask(&self) -> Result<Sourced, SourceError> {
        match self {
            Self::Given(provider) => ask(GIVEN, provider.clone()).await,
            #[cfg(feature = "chain")]
            Self::Chain { profile, region, network } => {
                chain::load(profile.as_deref(), region, network).await
            }
        }
    }
}

async fn ask(name: &str, provider: impl ProvideCredentials) -> Result<Sourced, SourceError> {
    // aws-config panics at some answers of a metadata service, and at a container's URL without a scheme.
    let answer = AssertUnwindSafe(provider.provide_credentials()).catch_unwind().await;
    let panicked =
        |_| Err(CredentialsError::unhandled("it panicked: its settings or its answer make no sense"));
    let name = name.to_owned();
    match answer.unwrap_or_else(panicked) {
        Ok(keys) if keys.access_key_id().is_empty() || keys.secret_access_key().is_empty() => {
            Err(SourceError::Invalid(name))
        }
        Ok(keys) => Ok((name, keys)),
        Err(source) => Err(SourceError::Failed { name, source }),
    }
}

fn is_fresh(credentials: &Credentials, now: SystemTime) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > now + REFRESH_BEFORE_EXPIRY)
}
