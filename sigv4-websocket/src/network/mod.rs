//! Opens connections, in the same way to the endpoint and to credential services: name resolution and TCP, or a proxy
//! that does both, then TLS.

pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod tcp;
#[cfg(test)]
mod tests;
pub(crate) mod tls;

use std::error::Error;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::try_join;
use tokio_rustls::client::TlsStream;

use self::proxy::{Proxies, Proxy, ProxyError};
use self::tcp::{Counted, TcpError, Traffic};
use self::tls::{Tls, TlsError};
use crate::endpoint::Endpoint;
use crate::progress::Phase;

/// Why there is no connection, by the phase that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    #[error(transparent)]
    Tcp(#[from] TcpError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl NetworkError {
    /// Whether another attempt may succeed: a host was not reachable, or the connection was reset.
    pub(crate) fn may_be_temporary(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Proxy(ProxyError::Unreachable { .. }) => true,
            Self::Proxy(ProxyError::Refused { status, .. }) => matches!(status.as_u16(), 502..=504),
            Self::Proxy(ProxyError::NoAnswer { source, .. }) => is_reset(source),
            Self::Tls(TlsError::Io(error)) => is_reset(error),
            Self::Proxy(_) | Self::Tls(_) => false,
        }
    }
}

/// Whether this error was caused by a reset, or by another failure of the network.
pub(crate) fn is_reset(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind as Kind;
    let by_network = |error: &io::Error| {
        matches!(
            error.kind(),
            Kind::ConnectionReset
                | Kind::ConnectionAborted
                | Kind::BrokenPipe
                | Kind::TimedOut
                | Kind::HostUnreachable
                | Kind::NetworkUnreachable
                | Kind::NetworkDown
        )
    };
    error.downcast_ref().is_some_and(by_network) || error.source().is_some_and(is_reset)
}

/// Which roots are trusted, and which connections go through a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub tls: Tls,
    pub proxies: Proxies,
}

impl Network {
    /// Opens a TLS connection, and counts its traffic. `enter` is called when a phase begins.
    pub(crate) async fn open(
        &self,
        to: &Endpoint,
        enter: impl Fn(Phase),
    ) -> Result<(TlsStream<Counted<TcpStream>>, Arc<Traffic>), NetworkError> {
        let tcp = async {
            let proxy = self.proxies.to(to).map_err(ProxyError::Setting)?;
            open_tcp(to, proxy, &enter).await
        };
        // The roots are read while the connection is being made.
        let (tcp, connector) = try_join!(tcp, async { Ok(self.tls.connector().await?) })?;
        enter(Phase::Tls);
        let (tcp, traffic) = tcp::counted(tcp);
        Ok((tls::handshake(connector, to.server_name(), tcp).await?, traffic))
    }

    /// Opens a bare connection, for credential services on plain HTTP. Such services are usually on this machine or
    /// link-local, so no proxy is used, whatever the host is.
    #[cfg(feature = "chain")]
    pub(crate) async fn open_plain(&self, service: &Endpoint) -> Result<TcpStream, NetworkError> {
        open_tcp(service, None, &|_| {}).await
    }
}

async fn open_tcp(
    to: &Endpoint,
    proxy: Option<Proxy>,
    enter: &impl Fn(Phase),
) -> Result<TcpStream, NetworkError> {
    if let Some(proxy) = proxy {
        enter(Phase::Proxy);
        return Ok(proxy.connect(to).await?);
    }
    enter(Phase::Resolve);
    let addresses = tcp::resolve(to).await?;
    enter(Phase::Tcp);
    Ok(tcp::connect(addresses).await?)
}
