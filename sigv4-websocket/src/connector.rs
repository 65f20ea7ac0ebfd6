//! One connection attempt, from the endpoint's name to an open byte stream: name resolution, TCP and TLS while the
//! credentials are fetched, then the signature, then the upgrade.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::timeout;
use tokio::try_join;
use tokio_util::task::TaskTracker;

use crate::credentials::FreshCredentials;
use crate::endpoint::Endpoint;
use crate::failure::hints::Facts;
use crate::failure::report::report;
use crate::failure::{Cause, Failure};
use crate::network::Network;
use crate::presign::{Scope, presign};
use crate::progress::{Phase, Progress};
use crate::websocket::clock::ServerClock;
use crate::websocket::stream::ByteStream;
use crate::websocket::upgrade::{Answer, UpgradeError, upgrade};

/// How much longer rumqttc waits than the connector, so that the connector's own error, with its phase, comes first.
#[cfg(feature = "rumqttc")]
const TIME_FOR_CONNACK: Duration = Duration::from_secs(10);

/// The longest packet that is accepted, in bytes. IoT Core sends payloads of up to 128 KiB ("AWS IoT Core message
/// broker and protocol limits and quotas"), and topic and properties come on top.
#[cfg(feature = "rumqttc")]
const MAX_PACKET: u32 = 256 * 1024;

pub(crate) type Observer = Box<dyn Fn(Progress<'_>) + Send + Sync>;

/// Opens byte streams to one endpoint, as often as asked: each upgrade request is signed anew, with
/// credentials that are still good, so reconnecting works however old the last connection is.
///
/// Clones are cheap and share everything.
#[derive(Clone)]
pub struct Connector(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub endpoint: Endpoint,
    pub region: String,
    pub scope: Scope,
    pub network: Network,
    pub trusts_system: bool,
    pub credentials: FreshCredentials,
    pub observer: Observer,
    pub connect_timeout: Duration,
    pub response_timeout: Duration,
    pub clock: ServerClock,
    pub closing: TaskTracker,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { endpoint, scope, .. } = &*self.0;
        f.debug_struct("Connector").field("endpoint", endpoint).field("scope", scope).finish_non_exhaustive()
    }
}

impl Connector {
    /// Makes rumqttc connect through this connector: sets the socket connector, a connect timeout that is ten seconds
    /// longer than the connector's own, and a maximum packet size of 256 KiB. Set others after this.
    #[cfg(feature = "rumqttc")]
    pub fn attach(&self, options: &mut rumqttc::MqttOptions) {
        let connector = self.clone();
        options
            .set_connect_timeout(self.0.connect_timeout.saturating_add(TIME_FOR_CONNACK))
            .set_max_packet_size(Some(MAX_PACKET))
            .set_socket_connector(move |_host, _network_options| {
                let connector = connector.clone();
                async move { connector.open().await.map_err(std::io::Error::other) }
            });
    }

    /// Makes one attempt to open a byte stream, for any MQTT 5 client. If the server refuses the signature and its
    /// `date` shows that the local clock is more than four minutes off, asks once more, signed with the server's time.
    /// The connect timeout is for both. Must be called within a Tokio runtime with time and I/O.
    ///
    /// # Errors
    ///
    /// [`Failure`], with the phase that failed or that took too long.
    pub async fn open(&self) -> Result<ByteStream, Failure> {
        let phase = Mutex::new(Phase::Resolve);
        let limit = self.0.connect_timeout;
        match timeout(limit, self.0.open(&phase)).await {
            Ok(opened) => Ok(opened?),
            Err(_) => {
                let phase = *phase.lock().unwrap_or_else(PoisonError::into_inner);
                Err(Failure::deadline(phase, limit))
            }
        }
    }

    /// Waits until every stream that was dropped has closed its connection, little more than a second at most. Drop the
    /// MQTT client first, such as rumqttc's `EventLoop`, since it holds a stream.
    pub async fn closed(&self) {
        self.0.closing.close();
        self.0.closing.wait().await;
    }

    /// Explains a failure to a person, in lines that end with a line break: the error, its causes, what the server
    /// said, and what to do about it. `client_id` is the MQTT client ID, for the policy that must allow it.
    ///
    /// What the server said is at most 300 characters of each text, without control characters and without anything of
    /// a presigned URL.
    pub fn explain(&self, failure: &Failure, client_id: &str) -> String {
        let Shared { endpoint, region, trusts_system, .. } = &*self.0;
        let (credentials, trusts_system) = (self.0.credentials.latest(), *trusts_system);
        report(failure, &Facts { endpoint, region, client_id, credentials, trusts_system })
    }

    /// Where the connections go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.0.region
    }
}

impl Shared {
    async fn open(&self, phase: &Mutex<Phase>) -> Result<ByteStream, Cause> {
        let mut signed = SystemTime::now();
        let mut result = self.attempt(phase, &mut signed).await;
        if let Some(seconds) = refusal(&result).and_then(|answer| self.clock.correct(answer, signed)) {
            (self.observer)(Progress::Clock(seconds));
            result = self.attempt(phase, &mut signed).await;
        }
        if refusal(&result).is_some() {
            self.credentials.refused();
        }
        result
    }

    /// One attempt. Stores in `signed` the time that the signature carries.
    async fn attempt(&self, phase: &Mutex<Phase>, signed: &mut SystemTime) -> Result<ByteStream, Cause> {
        let enter = |next| self.enter(phase, next);
        let credentials = async { Ok(self.credentials.fetch(self.clock.now(), &self.observer).await?) };
        let stream = async {
            let stream = self.network.open(&self.endpoint, enter).await?;
            enter(Phase::Credentials);
            Ok::<_, Cause>(stream)
        };
        let ((stream, traffic), credentials) = try_join!(stream, credentials)?;
        // After TLS, not at the same time, so that the signature is as fresh as possible.
        enter(Phase::Presign);
        *signed = self.clock.now();
        let url = presign(&self.endpoint.authority(), &self.scope, &credentials, *signed)?;
        enter(Phase::WebSocket);
        let socket = upgrade(Box::new(stream), &url).await?;
        enter(Phase::Mqtt);
        Ok(ByteStream::new(socket, traffic, self.response_timeout, self.closing.clone()))
    }

    fn enter(&self, phase: &Mutex<Phase>, next: Phase) {
        tracing::debug!("phase: {next}");
        *phase.lock().unwrap_or_else(PoisonError::into_inner) = next;
        (self.observer)(Progress::Phase(next));
    }
}

/// The answer, if IoT Core refused the signature or the credentials. A proxy or a load balancer in front of it cannot
/// judge them, so its answer does not count.
fn refusal(result: &Result<ByteStream, Cause>) -> Option<&Answer> {
    let Err(Cause::Upgrade(UpgradeError::Refused(answer))) = result else { return None };
    (answer.status == 403 && !answer.is_from_intermediary()).then_some(answer)
}
