// SPDX-License-Identifier: Apache-2.0

//! TCP: from the endpoint's name to one open connection, with the address that answers first.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;

use crate::endpoint::Endpoint;

/// How long an address may stay silent before the next one is tried in parallel (RFC 8305 section 8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Why there is no connection to any address of the endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TcpError {
    /// The name has no address, or the resolver did not answer.
    #[error("cannot resolve the name {host:?}")]
    Resolve {
        /// The name as it was looked up.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Every address refused or was unreachable. The list holds each address with the reason.
    #[error("no TCP connection: {}", list(.0))]
    Connect(Vec<(SocketAddr, io::Error)>),
}

/// All addresses of an endpoint, IPv6 and IPv4 in turn (RFC 8305 section 4).
///
/// # Errors
///
/// [`TcpError::Resolve`] if there is no address.
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
///
/// # Errors
///
/// [`TcpError::Connect`] when all have failed.
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
    let _ = stream.set_nodelay(true);
    tracing::debug!("connected to {address}");
    Ok(stream)
}

fn list(failures: &[(SocketAddr, io::Error)]) -> String {
    let each: Vec<_> = failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    each.join(", ")
}
