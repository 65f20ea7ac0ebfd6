// SPDX-License-Identifier: Apache-2.0

//! Credentials for successive attempts: kept until shortly before they expire, or until the server refuses them.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::chain::Chain;
use super::network::Network;
use super::progress::Progress;
use super::source::{Found, NamedProvider, SourceError};
use super::text::conceal;

/// Credentials that expire within this time are fetched again before signing.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// Once a refusal has made the connector ask the source again, further refusals do not make it ask for this long. The
/// time is doubled each time, until the server accepts credentials.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Where credentials come from. It is asked again when the last ones are about to expire or were refused.
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
    /// The end of the pause in which a refusal does not make the connector ask the source, and its length.
    pause: Option<(Instant, Duration)>,
}

#[derive(Debug)]
enum Origin {
    Provider(NamedProvider),
    Chain(Chain),
}

impl CredentialSource {
    /// One provider, for example fixed credentials or the provider of an `SdkConfig`. Messages call it `name`.
    pub fn provider(name: &str, provider: impl ProvideCredentials + 'static) -> Self {
        Self::new(Origin::Provider(NamedProvider::new(name, provider)))
    }

    /// The chain: environment, profile, web identity, container, EC2 instance metadata. If there is a `profile`, only
    /// that profile is used. `region` is used for STS if the profile has no region. Services are reached through
    /// `network`.
    pub fn chain(profile: Option<&str>, region: &str, network: &Network) -> Self {
        let (profile, region) = (profile.map(str::to_owned), region.to_owned());
        Self::new(Origin::Chain(Chain::new(profile, region, network.clone())))
    }

    fn new(origin: Origin) -> Self {
        Self { origin, latest: Mutex::default(), trust: StdMutex::default() }
    }

    /// The credentials to sign with now. They are fetched again if they expire within a minute. `tell` is called with new
    /// credentials, and with what is doubtful about them.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if no source is set up, or if a source that is set up fails.
    pub async fn fetch(&self, tell: impl Fn(Progress<'_>)) -> Result<Credentials, SourceError> {
        let mut latest = self.latest.lock().await;
        let refused = self.trust(|trust| trust.needs_new());
        match &*latest {
            Some(found) if is_fresh(&found.credentials) && !refused => Ok(concealed(&found.credentials)),
            _ => {
                let found = match &self.origin {
                    Origin::Provider(provider) => provider.load().await?,
                    Origin::Chain(chain) => chain.load(&tell).await?,
                };
                self.trust(|trust| trust.fetched(refused));
                tracing::info!(source = found.source, "credentials loaded");
                tell(Progress::Credentials(&found));
                if found.credentials.expiry().is_some_and(|expiry| expiry <= SystemTime::now()) {
                    tell(Progress::Expired(&found));
                }
                Ok(concealed(&latest.insert(found).credentials))
            }
        }
    }

    /// Call this when the server has refused the latest credentials. The source may have newer ones by now, so the next
    /// [`fetch`](Self::fetch) asks it again. While the refusals go on, the source is asked again after one minute, then
    /// after two, then after four, then every five, because it may be a service that limits requests. After a source
    /// itself has failed, there is no pause.
    pub fn distrust(&self) {
        self.trust(|trust| trust.refused = true);
    }

    /// Call this when the server has accepted the latest credentials.
    pub fn approve(&self) {
        self.trust(|trust| *trust = Trust::default());
    }

    fn trust<T>(&self, act: impl FnOnce(&mut Trust) -> T) -> T {
        act(&mut self.trust.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The credentials that the last successful [`fetch`](Self::fetch) loaded. `None` before that, and while one is
    /// running.
    pub fn latest(&self) -> Option<Found> {
        self.latest.try_lock().ok()?.clone()
    }
}

impl Trust {
    /// Whether the source must be asked again because of a refusal.
    fn needs_new(&self) -> bool {
        self.refused && self.pause.is_none_or(|(until, _)| until <= Instant::now())
    }

    /// New credentials were fetched. If a refusal was the reason, a pause begins.
    fn fetched(&mut self, after_refusal: bool) {
        self.refused = false;
        if after_refusal {
            let pause = self.pause.map_or(FIRST_PAUSE, |(_, pause)| LONGEST_PAUSE.min(pause * 2));
            self.pause = Some((Instant::now() + pause, pause));
        }
    }
}

/// The same credentials, which are concealed from now on.
fn concealed(credentials: &Credentials) -> Credentials {
    conceal(credentials.secret_access_key());
    credentials.session_token().into_iter().for_each(conceal);
    credentials.clone()
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + REFRESH_BEFORE_EXPIRY)
}
