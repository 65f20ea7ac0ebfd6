// SPDX-License-Identifier: Apache-2.0

//! HTTP/1.1 with hyper: one request on one connection. When the server switches to another protocol, the connection
//! is taken back.

use std::convert::Infallible;

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use super::stream::Transport;

/// The longest head of an answer that is read. Bytes.
const MAX_HEAD: usize = 16 * 1024;

/// A connection that hyper reads the answer from.
pub struct Connection<S>(JoinHandle<hyper::Result<http1::Parts<TokioIo<S>>>>);

/// Sends `request` over `stream` and waits for the head of the answer, whose body is read later.
///
/// # Errors
///
/// hyper's: the answer is not HTTP, its head is longer than any sensible one, or the connection ended before it.
pub async fn send<S: Transport, B>(
    stream: S,
    request: Request<B>,
) -> hyper::Result<(Response<Incoming>, Connection<S>)>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await?;
    // It ends by itself as soon as nobody wants the answer any more.
    let connection = tokio::spawn(connection.without_shutdown());
    Ok((sender.send_request(request).await?, Connection(connection)))
}

impl<S> Connection<S> {
    /// The stream, and what the server has already sent behind the head, after a 101 or the success of a CONNECT.
    ///
    /// # Errors
    ///
    /// hyper's, where the connection has failed meanwhile.
    pub async fn take_back(self) -> hyper::Result<(S, Bytes)> {
        match self.0.await {
            Ok(parts) => parts.map(|parts| (parts.io.into_inner(), parts.read_buf)),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}
