// SPDX-License-Identifier: Apache-2.0

//! Credentials for one attempt after the other: kept until shortly before they expire or until they are refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use tokio::sync::Mutex;

use super::chain::Chain;
use super::network::Network;
use super::progress::Progress;
use super::source::{Found, Link, SourceError};

/// Credentials that expire sooner are fetched anew before signing.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(60);

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
    /// is that profile alone. `region` is for STS where the profile names none; services are reached through
    /// `network`.
    pub fn chain(profile: Option<&str>, region: &str, network: &Network) -> Self {
        let (profile, region) = (profile.map(str::to_owned), region.to_owned());
        Self::new(Origin::Chain(Chain::new(profile, region, network.clone())))
    }

    fn new(origin: Origin) -> Self {
        Self { origin, latest: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// The credentials to sign with now, at least a minute before they expire. `tell` hears of new ones, and of what is
    /// doubtful about them.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when no source is set up, or one that is fails.
    pub async fn fetch(&self, tell: impl Fn(Progress<'_>)) -> Result<Credentials, SourceError> {
        let mut latest = self.latest.lock().await;
        match &*latest {
            Some(found) if is_fresh(&found.credentials) && !self.refused.load(Ordering::Relaxed) => {
                Ok(found.credentials.clone())
            }
            _ => {
                let found = match &self.origin {
                    Origin::Provider(link) => link.load().await?,
                    Origin::Chain(chain) => chain.load(&tell).await?,
                };
                self.refused.store(false, Ordering::Relaxed);
                tracing::info!(source = found.source, "credentials loaded");
                tell(Progress::Credentials(&found));
                if found.credentials.expiry().is_some_and(|expiry| expiry <= SystemTime::now()) {
                    tell(Progress::Expired(&found));
                }
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
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + REFRESH_BEFORE_EXPIRY)
}
