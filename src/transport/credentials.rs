// SPDX-License-Identifier: Apache-2.0

//! Credentials for successive attempts: kept until shortly before they expire, or until the server refuses them.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::chain;
use super::network::Network;
use super::progress::Progress;

/// Credentials that expire within this time are fetched again before signing.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// Refusals make the connector ask the source again at most this often, because it may be a service that limits requests.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The longest access key, secret key or session token, in bytes. Real ones are much shorter.
const MAX_KEY: usize = 16 * 1024;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No source is set up.
    #[error("no credentials found")]
    NoneFound {
        /// Why EC2 instance metadata, which was asked last, gave none.
        metadata: String,
    },
    /// A profile file is there, but cannot be read.
    #[error("cannot read the profile file {}", .path.display())]
    ProfileFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A source returned credentials that cannot be valid.
    #[error("the {name} gave credentials that cannot work: a key is empty or too long")]
    Invalid {
        /// The source.
        name: String,
    },
    /// A source that is set up does not work.
    #[error("the {name} does not provide credentials")]
    Failed {
        /// The source.
        name: String,
        /// The error of the source.
        source: CredentialsError,
    },
}

/// Credentials, and the source they are from.
#[derive(Clone, Debug)]
pub struct SourcedCredentials {
    /// The source, as in "credentials from the SOURCE".
    pub source: String,
    /// The credentials.
    pub credentials: Credentials,
}

impl SourcedCredentials {
    /// What a source answered.
    ///
    /// # Errors
    ///
    /// [`SourceError::Failed`] or [`SourceError::Invalid`].
    pub fn new(source: &str, answer: Result<Credentials, CredentialsError>) -> Result<Self, SourceError> {
        let name = source.to_owned();
        match answer {
            Ok(credentials) if is_possible(&credentials) => Ok(Self { source: name, credentials }),
            Ok(_) => Err(SourceError::Invalid { name }),
            Err(source) => Err(SourceError::Failed { name, source }),
        }
    }
}

/// Where credentials come from. It is asked again when the last ones are about to expire or were refused.
#[derive(Debug)]
pub struct CredentialSource {
    origin: Origin,
    state: Mutex<State>,
    refused: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<SourcedCredentials>,
    /// When a refusal last made the connector ask the source.
    asked_again: Option<Instant>,
}

#[derive(Debug)]
enum Origin {
    Provider(String, SharedCredentialsProvider),
    Chain { profile: Option<String>, region: String, network: Network },
}

impl CredentialSource {
    /// One provider, for example fixed credentials or the provider of an `SdkConfig`. Messages call it `name`.
    pub fn provider(name: &str, provider: impl ProvideCredentials + 'static) -> Self {
        Self::new(Origin::Provider(name.to_owned(), SharedCredentialsProvider::new(provider)))
    }

    /// The chain: environment, profile, web identity, container, EC2 instance metadata. If there is a `profile`, only
    /// that profile is used. `region` is used for STS if the profile has no region. Services are reached through
    /// `network`.
    pub fn chain(profile: Option<&str>, region: &str, network: &Network) -> Self {
        let (profile, region) = (profile.map(str::to_owned), region.to_owned());
        Self::new(Origin::Chain { profile, region, network: network.clone() })
    }

    fn new(origin: Origin) -> Self {
        Self { origin, state: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// The credentials to sign with now. They are fetched again if they expire within a minute, or if the server has
    /// refused them and the source was not asked for that reason in the last minute. `tell` is called with new
    /// credentials.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if no source is set up, or if the one that is set up fails.
    pub async fn fetch(&self, tell: impl Fn(Progress<'_>)) -> Result<Credentials, SourceError> {
        let mut state = self.state.lock().await;
        let refused = self.refused.load(Ordering::Relaxed);
        let rested = state.asked_again.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN_AFTER);
        if let Some(SourcedCredentials { credentials, .. }) = &state.latest
            && is_fresh(credentials)
            && !(refused && rested)
        {
            return Ok(credentials.clone());
        }
        let found = match &self.origin {
            Origin::Provider(name, provider) => {
                SourcedCredentials::new(name, provider.provide_credentials().await)?
            }
            Origin::Chain { profile, region, network } => {
                chain::load(profile.as_deref(), region, network).await?
            }
        };
        self.refused.store(false, Ordering::Relaxed);
        if refused {
            state.asked_again = Some(Instant::now());
        }
        tracing::info!(source = found.source, "credentials loaded");
        tell(Progress::Credentials(&found));
        Ok(state.latest.insert(found).credentials.clone())
    }

    /// Call this when the server has refused the latest credentials. The source may have newer ones by now.
    pub fn refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// The credentials that the last successful [`fetch`](Self::fetch) loaded. `None` before that, and while one is
    /// running.
    pub fn latest(&self) -> Option<Credentials> {
        Some(self.state.try_lock().ok()?.latest.as_ref()?.credentials.clone())
    }
}

/// Whether a server can know these credentials. A service may return anything, and a long URL is refused everywhere.
fn is_possible(credentials: &Credentials) -> bool {
    let keys = [credentials.access_key_id(), credentials.secret_access_key()];
    let all = keys.into_iter().chain(credentials.session_token());
    keys.into_iter().all(|key| !key.is_empty()) && all.into_iter().all(|key| key.len() <= MAX_KEY)
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + REFRESH_BEFORE_EXPIRY)
}
