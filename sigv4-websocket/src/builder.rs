//! What a connector needs to know, from the application and from the environment.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio_util::task::TaskTracker;

use crate::connector::{Connector, Observer, Shared};
use crate::credentials::{FreshCredentials, Source};
use crate::endpoint::Endpoint;
use crate::environment::variable;
use crate::failure::report::causes;
use crate::network::Network;
use crate::network::proxy::Proxies;
use crate::network::tls::Tls;
use crate::presign::Scope;
use crate::progress::Progress;
use crate::text::shown;
use crate::websocket::clock::ServerClock;

/// The limit for an attempt to open a byte stream, unless the application sets another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server may owe an answer, unless the application sets another limit. It is less than a minute, so that
/// it comes before a client's own judgement with the usual keep-alive.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(45);

/// Why a [`Connector`] cannot be built. No message shows a secret.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither the application, nor the endpoint's name, nor the environment says which region to sign for.
    #[error("which region is the endpoint in? Its name does not say: give the region, or set AWS_REGION")]
    NoRegion,
    /// The name of a region consists of small letters, digits and hyphens. In a region set there may be `*` and commas.
    #[error("{:?} is not the name of a region such as us-east-1", shown(.0))]
    Region(String),
    /// The application gave both credentials and a profile.
    #[error("there are both credentials and a profile: give only one of them")]
    CredentialsAndProfile,
    /// There are no credentials, and the feature `chain` is off.
    #[error("there are no credentials: give a provider, or turn on the feature `chain`")]
    NoCredentials,
    /// The file with root certificates cannot be used.
    #[error("{setting} cannot be used")]
    CaFile {
        /// `the CA file`, or the variable of the environment that names it.
        setting: &'static str,
        /// What is wrong with the file.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The proxy of the application or of the environment cannot be used. The message names the setting, and shows
    /// nothing of its value.
    #[error("{0}")]
    Proxy(String),
}

/// The message with its causes, as it is shown where `main` returns the error.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        causes(self).try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// Sets up a [`Connector`]. What is left out comes from the environment, as with other AWS tools.
pub struct ConnectorBuilder {
    endpoint: Endpoint,
    region: Option<String>,
    sigv4a: bool,
    region_set: Option<String>,
    credentials: Option<SharedCredentialsProvider>,
    profile: Option<String>,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
    observer: Observer,
    connect_timeout: Duration,
    response_timeout: Duration,
}

/// Shows the endpoint alone, since a proxy's URL may hold a password.
impl fmt::Debug for ConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Connector {
    /// Begins to set up a connector. The endpoint is all that must be given.
    pub fn builder(endpoint: Endpoint) -> ConnectorBuilder {
        ConnectorBuilder {
            endpoint,
            region: None,
            sigv4a: false,
            region_set: None,
            credentials: None,
            profile: None,
            ca_file: None,
            proxy: None,
            observer: Box::new(|_| {}),
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
        }
    }
}

impl ConnectorBuilder {
    /// The region to sign for. Without it, or if it is empty: the region in the endpoint's name, else `AWS_REGION`,
    /// else `AWS_DEFAULT_REGION`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into()).filter(|region| !region.is_empty());
        self
    }

    /// Signs with SigV4a, for the region unless [`region_set`](Self::region_set) names others. AWS documents only SigV4
    /// for IoT Core, which is used without this.
    pub fn sigv4a(mut self) -> Self {
        self.sigv4a = true;
        self
    }

    /// Signs with SigV4a for these regions, names separated by commas with `*` for any characters. The region must
    /// still be known, for credential services and hints.
    pub fn region_set(mut self, regions: impl Into<String>) -> Self {
        self.region_set = Some(regions.into());
        self
    }

    /// Credentials, or the provider to ask for them during TCP and TLS; if those fail first, its future is dropped.
    /// Without it: the AWS credential chain. This must be called if the feature `chain` is off.
    pub fn credentials(mut self, provider: impl ProvideCredentials + 'static) -> Self {
        self.credentials = Some(SharedCredentialsProvider::new(provider));
        self
    }

    /// Asks only this profile of the AWS profile files for credentials. An empty name counts as none.
    #[cfg(feature = "chain")]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// Trusts only the root certificates in this PEM file, for the endpoint and for credential services. Without it:
    /// those in the file that `AWS_CA_BUNDLE` names, else the system's.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Connects through this HTTP proxy, `http://[user:password@]host:port`, to the endpoint and to credential services
    /// with TLS, always. Without it: through the one that `HTTPS_PROXY` or `ALL_PROXY` names, except for loopback and
    /// for what `NO_PROXY` lists.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Calls `observer` with everything that happens during an attempt.
    pub fn observer(mut self, observer: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// How long an attempt to open a byte stream may take, 30 seconds unless set.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an open connection may be silent although the server owes an answer, or take nothing of what is sent,
    /// before it counts as dead: 45 seconds unless set. An answer is owed to CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ
    /// and PUBLISH with QoS 1 or 2. On Linux, TCP gives up after 40 seconds in which the server's host acknowledges or
    /// takes nothing, whatever is set here.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.response_timeout = limit;
        self
    }

    /// Builds the connector. This reads the CA file and the environment, and contacts nothing.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if something is missing, contradictory or unusable.
    pub fn build(self) -> Result<Connector, BuildError> {
        let region = self.signing_region()?;
        let scope = match self.region_set {
            None if self.sigv4a => Scope::RegionSet(region.clone()),
            None => Scope::Region(region.clone()),
            Some(regions) => Scope::RegionSet(of_regions(regions, "*,")?),
        };
        let ca_file = self.ca_file.map(|path| ("the CA file", path));
        let ca_file = ca_file.or_else(|| variable("AWS_CA_BUNDLE").map(|(name, path)| (name, path.into())));
        let trusts_system = ca_file.is_none();
        let tls = match ca_file {
            Some((setting, path)) => Tls::with_ca_file(&path)
                .map_err(|error| BuildError::CaFile { setting, source: error.into() })?,
            None => Tls::with_system_roots(),
        };
        let proxies = match &self.proxy {
            Some(url) => Proxies::new("the proxy", url, ""),
            None => Proxies::from_env(),
        };
        proxies.to(&self.endpoint).map_err(|bad| BuildError::Proxy(bad.to_string()))?;
        let network = Network { tls, proxies };
        let source = match (self.credentials, self.profile) {
            (Some(_), Some(_)) => return Err(BuildError::CredentialsAndProfile),
            (Some(provider), None) => Source::Given(provider),
            #[cfg(feature = "chain")]
            (None, profile) => Source::Chain { profile, region: region.clone(), network: network.clone() },
            #[cfg(not(feature = "chain"))]
            (None, _) => return Err(BuildError::NoCredentials),
        };
        Ok(Connector(Arc::new(Shared {
            endpoint: self.endpoint,
            region,
            scope,
            network,
            trusts_system,
            credentials: FreshCredentials::new(source),
            observer: self.observer,
            connect_timeout: self.connect_timeout,
            response_timeout: self.response_timeout,
            clock: ServerClock::default(),
            closing: TaskTracker::new(),
        })))
    }

    fn signing_region(&self) -> Result<String, BuildError> {
        let known = self.region.as_deref().or(self.endpoint.region()).map(str::to_owned);
        let set =
            || ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(variable).map(|(_, region)| region);
        of_regions(known.or_else(set).ok_or(BuildError::NoRegion)?, "")
    }
}

/// The text, if it can name regions, with these characters between and in their names.
fn of_regions(text: String, more: &str) -> Result<String, BuildError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || more.contains(c);
    let valid = !text.is_empty() && text.chars().all(allowed);
    if valid { Ok(text) } else { Err(BuildError::Region(text)) }
}
