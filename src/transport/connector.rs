// SPDX-License-Identifier: Apache-2.0

//! One connection attempt, from the endpoint's name to an open byte stream: name resolution, TCP and TLS while the
//! credentials are fetched, then the signature, then the upgrade.

use std::time::SystemTime;

use aws_sigv4::http_request::SigningError;
use tokio::net::TcpStream;
use tokio::try_join;
use tokio_rustls::client::TlsStream;
use tokio_util::task::TaskTracker;

use super::clock::ServerClock;
use super::credentials::{CredentialSource, SourceError};
use super::endpoint::Endpoint;
use super::network::{Network, NetworkError};
use super::presign::{Scope, presign};
use super::progress::{Phase, Progress};
use super::stream::ByteStream;
use super::upgrade::{Answer, UpgradeError, upgrade};

/// Why there is no byte stream, by the phase that failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] SourceError),
    /// The upgrade request could not be signed.
    #[error(transparent)]
    Presign(#[from] SigningError),
    /// Name resolution, TCP, the HTTP proxy on the way, or TLS.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The upgrade request was not answered with a WebSocket.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
}

/// Opens byte streams to one endpoint, as often as asked: each upgrade request is signed anew, with
/// credentials that are still good, so reconnecting works however old the last connection is.
pub struct Connector {
    endpoint: Endpoint,
    scope: Scope,
    credentials: CredentialSource,
    network: Network,
    observer: Box<dyn Fn(Progress<'_>) + Send + Sync>,
    clock: ServerClock,
    closing: TaskTracker,
}

impl Connector {
    /// A connector for `endpoint` over `network`, signing for `scope`.
    pub fn new(endpoint: Endpoint, scope: Scope, credentials: CredentialSource, network: Network) -> Self {
        Self {
            endpoint,
            scope,
            credentials,
            network,
            observer: Box::new(|_| {}),
            clock: ServerClock::default(),
            closing: TaskTracker::new(),
        }
    }

    /// The same connector, which calls `observer` with everything that happens.
    pub fn observed_by(self, observer: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        Self { observer: Box::new(observer), ..self }
    }

    /// Makes one attempt. If the server refuses the signature and its `date` shows that the local clock is more than
    /// four minutes off, makes a second attempt, signed with the server's time.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], which names the phase.
    pub async fn connect(&self) -> Result<ByteStream<TlsStream<TcpStream>>, ConnectError> {
        let mut signed = SystemTime::now();
        let mut result = self.attempt(&mut signed).await;
        if let Some(seconds) = refusal(&result).and_then(|answer| self.clock.correct(answer, signed)) {
            (self.observer)(Progress::Clock(seconds));
            result = self.attempt(&mut signed).await;
        }
        if refusal(&result).is_some() {
            self.credentials.refused();
        }
        result
    }

    /// Waits until every stream that was dropped has closed its connection. This takes little more than a second if the
    /// server does not answer.
    pub async fn closed(&self) {
        self.closing.close();
        self.closing.wait().await;
    }

    /// Where the connections go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where the credentials come from.
    pub fn credentials(&self) -> &CredentialSource {
        &self.credentials
    }

    /// The way to the endpoint.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// One attempt. Stores in `signed` the time that the signature carries.
    async fn attempt(
        &self,
        signed: &mut SystemTime,
    ) -> Result<ByteStream<TlsStream<TcpStream>>, ConnectError> {
        let credentials = async { Ok(self.credentials.fetch(&self.observer).await?) };
        let stream = async {
            let stream = self.network.open_endpoint(&self.endpoint, |phase| self.enter(phase)).await?;
            self.enter(Phase::Credentials);
            Ok::<_, ConnectError>(stream)
        };
        let (stream, credentials) = try_join!(stream, credentials)?;
        // After TLS, not at the same time, so that the signature is as fresh as possible.
        self.enter(Phase::Presign);
        *signed = self.clock.now();
        let url = presign(&self.endpoint.authority(), &self.scope, &credentials, *signed)?;
        self.enter(Phase::WebSocket);
        let socket = upgrade(stream, &url).await?;
        self.enter(Phase::Mqtt);
        Ok(ByteStream::new(socket, self.closing.clone()))
    }

    fn enter(&self, phase: Phase) {
        tracing::debug!("phase: {phase}");
        (self.observer)(Progress::Phase(phase));
    }
}

/// The answer, if IoT Core refused the signature or the credentials. A proxy or a load balancer in front of it cannot
/// judge them, so its answer does not count.
fn refusal<T>(result: &Result<T, ConnectError>) -> Option<&Answer> {
    match result {
        Err(ConnectError::Upgrade(UpgradeError::Refused(answer))) => {
            (answer.status == 403 && !answer.is_from_intermediary()).then_some(answer)
        }
        _ => None,
    }
}
