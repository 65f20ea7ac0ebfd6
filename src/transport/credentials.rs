// SPDX-License-Identifier: Apache-2.0

//! Credentials for one attempt after the other: kept until shortly before they expire or until they are refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use tokio::sync::Mutex;

use super::chain::{Chain, Link};
use super::profile::NoSuchProfile;

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
    origin: Origin,
    latest: Mutex<Option<Found>>,
    refused: AtomicBool,
}

#[derive(Debug)]
enum Origin {
    Provider(Link),
    Chain(Chain),
}

impl CredentialSource {
    /// One provider, such as fixed credentials or that of an `SdkConfig`, called `name` in messages.
    pub fn provider(name: &str, provider: impl ProvideCredentials + 'static) -> Self {
        Self::new(Origin::Provider(Link::new(name, provider)))
    }

    /// The chain: environment, profile, web identity, container, EC2 instance metadata. With `profile` it
    /// is that profile alone. `region` is for STS where the profile names none.
    pub fn chain(profile: Option<String>, region: String) -> Self {
        Self::new(Origin::Chain(Chain { profile, region }))
    }

    fn new(origin: Origin) -> Self {
        Self { origin, latest: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// The credentials to sign with now, at least a minute before they expire. `loaded` is told of new ones.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when no source has any, or one that is configured fails.
    pub async fn fetch(&self, loaded: impl FnOnce(&Found)) -> Result<Credentials, SourceError> {
        let mut latest = self.latest.lock().await;
        match &*latest {
            Some(found) if is_fresh(&found.credentials) && !self.refused.load(Ordering::Relaxed) => {
                Ok(found.credentials.clone())
            }
            _ => {
                let found = match &self.origin {
                    Origin::Provider(link) => link.load().await?,
                    Origin::Chain(chain) => chain.load().await?,
                };
                self.refused.store(false, Ordering::Relaxed);
                tracing::info!(source = found.source, "credentials loaded");
                loaded(&found);
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

    /// The profile that the chain was told to take.
    pub fn profile(&self) -> Option<&str> {
        match &self.origin {
            Origin::Chain(chain) => chain.profile.as_deref(),
            Origin::Provider(_) => None,
        }
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + REFRESH_BEFORE_EXPIRY)
}
