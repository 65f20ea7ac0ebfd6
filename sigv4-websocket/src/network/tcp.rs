//! TCP: from the endpoint's name to one open connection, with the address that answers first.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;
use tokio_util::io::{InspectReader, InspectWriter};

use crate::endpoint::Endpoint;

/// How long an address may stay silent before the next one is tried in parallel (RFC 8305 section 8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long a connection may be idle before TCP probes the peer, and how long it waits between two probes.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// How long the peer's host may leave bytes or probes unacknowledged. While bytes are unacknowledged there are no
/// probes, so an MQTT ping that comes just before the probes would have failed begins the time anew: twice this limit
/// must be less than 90 seconds, and once less than the usual keep-alive of a minute.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(40);

/// The most that the system takes before it has sent it, in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAX_NOT_SENT: u32 = 16 * 1024;

/// Why there is no connection to any address of the endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TcpError {
    #[error("cannot resolve the name {host:?}")]
    Resolve { host: String, source: io::Error },
    /// Every address refused or was unreachable. The list holds each address with the reason.
    #[error("no TCP connection: {}", list(.0))]
    Connect(Vec<(SocketAddr, io::Error)>),
}

/// All addresses of an endpoint, IPv6 and IPv4 in turn (RFC 8305 section 4).
pub(crate) async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, TcpError> {
    let found = lookup_host((endpoint.host(), endpoint.port())).await;
    let found = found.map_err(|source| TcpError::Resolve { host: endpoint.host().to_owned(), source })?;
    let found: Vec<_> = found.collect();
    tracing::debug!("{} has the addresses {found:?}", endpoint.host());
    let (v6, v4): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv6);
    let mut ranked: Vec<_> = v6.into_iter().enumerate().chain(v4.into_iter().enumerate()).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    Ok(ranked.into_iter().map(|(_, address)| address).collect())
}

/// Connects to the first of `addresses` that accepts. The next address is tried as soon as an attempt fails, or in
/// parallel after 250 ms of silence (RFC 8305 section 5). `TCP_NODELAY` is set, since the server waits for every packet
/// that the client sends.
pub(crate) async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, TcpError> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        match waiting.next() {
            Some(address) => attempts.push(async move { (address, open(address).await) }),
            None if attempts.is_empty() => return Err(TcpError::Connect(failures)),
            None => {}
        }
        tokio::select! {
            Some((address, attempt)) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => failures.push((address, error)),
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    tracing::debug!("trying {address}");
    let stream = TcpStream::connect(address).await?;
    // Where the server has reset the connection already, macOS fails here. The next step reports the reset.
    let _ = set_options(&stream);
    tracing::debug!("connected to {address}");
    Ok(stream)
}

/// A host that has vanished is noticed by probes of TCP where the connection is idle, and elsewhere by the limit for
/// what is unacknowledged (RFC 5482). Only Linux has that limit, which there holds for the probes as well.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_INTERVAL))?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_LIMIT))?;
        // Otherwise the system takes megabytes at once, and nobody could see whether they leave.
        socket.set_tcp_notsent_lowat(MAX_NOT_SENT)?;
    }
    Ok(())
}

/// The numbers of bytes that have left a connection and that have arrived, below TLS: above it, a part of a message
/// cannot be seen.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub sent: AtomicU64,
    pub received: AtomicU64,
}

type Inspect = Box<dyn FnMut(&[u8]) + Send + Sync>;

/// A connection whose traffic is counted.
pub(crate) type Counted<S> = InspectWriter<InspectReader<S, Inspect>, Inspect>;

/// Counts the traffic of `stream` from now on.
pub(crate) fn counted<S: AsyncRead + AsyncWrite>(stream: S) -> (Counted<S>, Arc<Traffic>) {
    let traffic = Arc::<Traffic>::default();
    let (reads, writes) = (traffic.clone(), traffic.clone());
    let read: Inspect = Box::new(move |bytes| add(&reads.received, bytes));
    let written: Inspect = Box::new(move |bytes| add(&writes.sent, bytes));
    (InspectWriter::new(InspectReader::new(stream, read), written), traffic)
}

fn add(count: &AtomicU64, bytes: &[u8]) {
    count.fetch_add(bytes.len() as u64, Relaxed);
}

fn list(failures: &[(SocketAddr, io::Error)]) -> String {
    let each: Vec<_> = failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    each.join(", ")
}
