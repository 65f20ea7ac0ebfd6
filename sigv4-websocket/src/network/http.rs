//! HTTP/1.1 with hyper: one request on one connection. When the server switches to another protocol, the caller takes
//! the connection back from hyper.

use std::convert::Infallible;

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// The most that is read of the head of an answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// A connection that hyper reads the answer from.
pub(crate) struct Connection<S>(JoinHandle<hyper::Result<http1::Parts<TokioIo<S>>>>);

/// Sends `request` over `stream` and waits for the head of the answer, whose body is read later.
pub(crate) async fn send<S, B>(
    stream: S,
    request: Request<B>,
) -> hyper::Result<(Response<Incoming>, Connection<S>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await?;
    // This task ends by itself as soon as the answer is no longer needed.
    let connection = tokio::spawn(connection.without_shutdown());
    Ok((sender.send_request(request).await?, Connection(connection)))
}

impl<S> Connection<S> {
    /// After a 101 or a successful CONNECT: the stream, and what the server has already sent after the head.
    pub(crate) async fn take_back(self) -> hyper::Result<(S, Bytes)> {
        match self.0.await {
            Ok(parts) => parts.map(|parts| (parts.io.into_inner(), parts.read_buf)),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}
