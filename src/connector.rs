//! One connection attempt, from the endpoint's name to an open byte stream: name resolution, TCP and TLS
//! beside the credentials, then the signature, then the upgrade.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::SigningError;
use tokio::net::TcpStream;
use tokio::try_join;
use tokio_rustls::client::TlsStream;
use tokio_util::task::TaskTracker;

use crate::credentials::{CredentialSource, SourceError};
use crate::endpoint::Endpoint;
use crate::presign::{Scope, presign};
use crate::proxy::{Proxies, ProxyError};
use crate::stream::ByteStream;
use crate::tcp::{self, TcpError};
use crate::timeline::{Phase, Timeline};
use crate::tls::{Tls, TlsError};
use crate::upgrade::{Answer, UpgradeError, upgrade};

/// IoT Core lets the clocks differ by five minutes; one less leaves room for the way there. Seconds.
pub const CLOCK_TOLERANCE: u64 = 4 * 60;

/// No byte stream, and in which phase it failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No source has credentials.
    #[error(transparent)]
    Credentials(#[from] SourceError),
    /// The upgrade request could not be signed.
    #[error(transparent)]
    Presign(#[from] SigningError),
    /// Name resolution or TCP.
    #[error(transparent)]
    Tcp(#[from] TcpError),
    /// The HTTP proxy on the way.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The upgrade request was not answered with a WebSocket.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
}

/// Opens byte streams to one endpoint, as often as asked: each upgrade request is signed anew, with
/// credentials that are still good, so reconnecting works however old the last connection is.
#[derive(Debug)]
pub struct Connector {
    endpoint: Endpoint,
    scope: Scope,
    credentials: CredentialSource,
    tls: Tls,
    proxies: Proxies,
    timeline: Timeline,
    closing: TaskTracker,
    /// How far the server's clock is ahead of the local one, once that has come to light. Seconds.
    clock_offset: AtomicI64,
    /// Whether the clock was corrected since the last success. Once is enough, or the server's is wrong.
    clock_corrected: AtomicBool,
}

impl Connector {
    /// A connector for `endpoint`, signing for `scope`; directly, or through the proxy that the environment
    /// names.
    pub fn new(endpoint: Endpoint, scope: Scope, credentials: CredentialSource, tls: Tls) -> Self {
        Self {
            endpoint,
            scope,
            credentials,
            tls,
            proxies: Proxies::from_env(),
            timeline: Timeline::default(),
            closing: TaskTracker::new(),
            clock_offset: AtomicI64::new(0),
            clock_corrected: AtomicBool::new(false),
        }
    }

    /// The same with other proxies.
    pub fn through(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Makes one attempt. If the server refuses the signature and its `date` shows that the local clock is
    /// more than four minutes off, a second one is signed with the server's time.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], which names the phase.
    pub async fn connect(&self) -> Result<ByteStream<TlsStream<TcpStream>>, ConnectError> {
        let result = self.attempt().await;
        match &result {
            Err(ConnectError::Upgrade(UpgradeError::Refused(answer))) if answer.status == 403 => {
                self.credentials.distrust();
                if self.correct_clock(answer) { self.attempt().await } else { result }
            }
            _ => result,
        }
    }

    /// Waits until every stream that was dropped has closed its connection: little more than a second, if
    /// the server does not answer.
    pub async fn closed(&self) {
        self.closing.close();
        self.closing.wait().await;
    }

    /// The phases of the latest attempt.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Where the credentials come from.
    pub fn credentials(&self) -> &CredentialSource {
        &self.credentials
    }

    /// By how many seconds the server's clock is ahead of the local one, if that had to be corrected.
    pub fn clock_offset(&self) -> Option<i64> {
        Some(self.clock_offset.load(Ordering::Relaxed)).filter(|seconds| *seconds != 0)
    }

    async fn attempt(&self) -> Result<ByteStream<TlsStream<TcpStream>>, ConnectError> {
        self.timeline.restart();
        let credentials = async { Ok(self.credentials.fetch().await?) };
        let (tls, credentials) = try_join!(self.open_tls(), credentials)?;
        // Not beside TLS: microseconds are not worth a signature as old as a slow handshake.
        let url = presign(&self.endpoint.authority(), &self.scope, &credentials, self.now())?;
        self.timeline.enter(Phase::WebSocket);
        let socket = upgrade(tls, &url).await?;
        self.clock_corrected.store(false, Ordering::Relaxed);
        self.timeline.enter(Phase::Mqtt);
        Ok(ByteStream::new(socket, self.closing.clone()))
    }

    async fn open_tls(&self) -> Result<TlsStream<TcpStream>, ConnectError> {
        let tcp = async {
            if let Some(proxy) = self.proxies.for_endpoint(&self.endpoint) {
                self.timeline.enter(Phase::Proxy);
                return Ok(proxy.connect().await?);
            }
            self.timeline.enter(Phase::Resolve);
            let addresses = tcp::resolve(self.endpoint.host(), self.endpoint.port()).await?;
            self.timeline.enter(Phase::Tcp);
            Ok(tcp::connect(addresses).await?)
        };
        let roots = async { Ok::<_, ConnectError>(self.tls.prepare().await?) };
        let (tcp, _) = try_join!(tcp, roots)?;
        self.timeline.enter(Phase::Tls);
        let tls = self.tls.handshake(self.endpoint.server_name(), tcp).await?;
        self.timeline.enter(Phase::Credentials);
        Ok(tls)
    }

    /// The server's time as far as it is known.
    fn now(&self) -> SystemTime {
        let offset = self.clock_offset.load(Ordering::Relaxed);
        let distance = Duration::from_secs(offset.unsigned_abs());
        match offset {
            ..0 => SystemTime::now() - distance,
            0.. => SystemTime::now() + distance,
        }
    }

    /// Takes over the server's time if it is far from the one signed with; says whether it did.
    fn correct_clock(&self, answer: &Answer) -> bool {
        match answer.clock_skew(self.now()) {
            Some(seconds) if seconds.unsigned_abs() > CLOCK_TOLERANCE => {
                tracing::warn!(seconds, "the clock is not the server's");
                let offset = answer.clock_skew(SystemTime::now()).unwrap_or_default();
                self.clock_offset.store(offset, Ordering::Relaxed);
                !self.clock_corrected.swap(true, Ordering::Relaxed)
            }
            _ => false,
        }
    }
}
