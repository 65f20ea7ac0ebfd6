// SPDX-License-Identifier: Apache-2.0

//! Credentials for one attempt after the other: kept until shortly before they expire or until they are refused.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::chain::Chain;
use super::network::Network;
use super::progress::Progress;
use super::source::{Found, Link, SourceError};

/// Credentials that expire sooner are fetched anew before signing.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// How long a source rests after it was asked because of a refusal; doubled each time until the server takes one.
const FIRST_REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// Where credentials come from, asked anew whenever the last ones are about to expire or were refused.
#[derive(Debug)]
pub struct CredentialSource {
    origin: Origin,
    latest: Mutex<Option<Found>>,
    trust: StdMutex<Trust>,
}

/// What the server thinks of the latest credentials.
#[derive(Debug, Default)]
struct Trust {
    refused: bool,
    /// Until when the source is not asked because of a refusal, and how long that was.
    rest: Option<(Instant, Duration)>,
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
        Self { origin, latest: Mutex::default(), trust: StdMutex::default() }
    }

    /// The credentials to sign with now, at least a minute before they expire. `tell` hears of new ones, and of what is
    /// doubtful about them.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when no source is set up, or one that is fails.
    pub async fn fetch(&self, tell: impl Fn(Progress<'_>)) -> Result<Credentials, SourceError> {
        let mut latest = self.latest.lock().await;
        let lost = self.trust(|trust| trust.is_lost());
        match &*latest {
            Some(found) if is_fresh(&found.credentials) && !lost => Ok(found.credentials.clone()),
            _ => {
                let found = match &self.origin {
                    Origin::Provider(link) => link.load().await?,
                    Origin::Chain(chain) => chain.load(&tell).await?,
                };
                self.trust(|trust| trust.renew(lost));
                tracing::info!(source = found.source, "credentials loaded");
                tell(Progress::Credentials(&found));
                if found.credentials.expiry().is_some_and(|expiry| expiry <= SystemTime::now()) {
                    tell(Progress::Expired(&found));
                }
                Ok(latest.insert(found).credentials.clone())
            }
        }
    }

    /// The server refused the latest credentials, which may have been replaced since: the next [`fetch`](Self::fetch)
    /// asks again. While the refusals go on, it does so a minute later, then two, four, and then every five, since a
    /// source may be a service that counts the questions. One that fails does not rest.
    pub fn distrust(&self) {
        self.trust(|trust| trust.refused = true);
    }

    /// The server took the latest credentials.
    pub fn approve(&self) {
        self.trust(|trust| *trust = Trust::default());
    }

    fn trust<T>(&self, act: impl FnOnce(&mut Trust) -> T) -> T {
        act(&mut self.trust.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the last [`fetch`](Self::fetch) gave; none before the first or while one is running.
    pub fn latest(&self) -> Option<Found> {
        self.latest.try_lock().ok()?.clone()
    }
}

impl Trust {
    /// Whether the source is to be asked because of a refusal.
    fn is_lost(&self) -> bool {
        self.refused && self.rest.is_none_or(|(until, _)| until <= Instant::now())
    }

    /// The source was asked, and rests now if that was because the credentials were `lost`.
    fn renew(&mut self, lost: bool) {
        self.refused = false;
        if lost {
            let rest = self.rest.map_or(FIRST_REST, |(_, rest)| LONGEST_REST.min(rest * 2));
            self.rest = Some((Instant::now() + rest, rest));
        }
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + REFRESH_BEFORE_EXPIRY)
}
