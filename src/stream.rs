//! The byte stream over WebSocket: MQTT packets out of and into binary frames, and a clean close.
//!
//! tokio-util's `StreamReader` and `SinkWriter` would do for the bytes, but rumqttc drops a stream without
//! shutting it down, so this one needs a `Drop` of its own to say goodbye.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_util::task::TaskTracker;

/// The first byte of a DISCONNECT (MQTT 5 section 3.14.1).
const DISCONNECT: u8 = 0xE0;

/// How long the peer may take to answer a Close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// How the server ended a WebSocket, as the inner error of an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub enum HangUp {
    /// With a Close frame (RFC 6455 section 7.4).
    #[error("the server closed the WebSocket{}", .0.as_ref().map(|frame| format!(": {frame}")).unwrap_or_default())]
    Closed(Option<CloseFrame>),
    /// Without one: end of stream or reset.
    #[error("the server ended the connection")]
    Ended(#[source] tungstenite::Error),
    /// A frame that RFC 6455 does not allow.
    #[error("the server broke the WebSocket protocol")]
    Broken(#[source] tungstenite::Error),
    /// A text frame (MQTT 5 section 6).
    #[error("the server sent a text frame, where MQTT allows only binary ones")]
    Text,
}

/// MQTT bytes over a WebSocket, however the packets are spread over frames (MQTT 5 section 6).
///
/// Dropping it begins the close in the background: Close 1000, a second for the peer's Close, TLS
/// close_notify, FIN. [`TaskTracker::wait`] on the tracker it was made with waits for that.
#[derive(Debug)]
pub struct ByteStream<S: Transport> {
    socket: Option<WebSocketStream<S>>,
    unread: Bytes,
    closing: TaskTracker,
    runtime: Handle,
}

/// What can lie beneath a WebSocket.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for S {}

impl<S: Transport> ByteStream<S> {
    /// Wraps an open WebSocket; its close will run on `closing`. Must be called within a Tokio runtime.
    pub fn new(socket: WebSocketStream<S>, closing: TaskTracker) -> Self {
        Self { socket: Some(socket), unread: Bytes::new(), closing, runtime: Handle::current() }
    }

    fn socket(&mut self) -> io::Result<&mut WebSocketStream<S>> {
        self.socket.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<S: Transport> Drop for ByteStream<S> {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.closing.spawn_on(close(socket), &self.runtime);
        }
    }
}

impl<S: Transport> AsyncRead for ByteStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            let message = ready!(Pin::new(self.socket()?).poll_next(context));
            self.unread = match message {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(frame))) => {
                    return Poll::Ready(Err(HangUp::Closed(frame).into()));
                }
                Some(Ok(Message::Text(_))) => return Poll::Ready(Err(HangUp::Text.into())),
                Some(Ok(_ping_or_pong)) => continue,
                Some(Err(error)) => return Poll::Ready(Err(HangUp::from(error).into())),
                None => return Poll::Ready(Ok(())),
            };
        }
        let length = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for ByteStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.socket()?;
        ready!(socket.poll_ready_unpin(context)).map_err(HangUp::from)?;
        socket.start_send_unpin(Message::Binary(Bytes::copy_from_slice(bytes))).map_err(HangUp::from)?;
        if let [DISCONNECT, length, rest @ ..] = bytes
            && rest.len() == usize::from(*length)
        {
            // rumqttc writes whole packets, so these bytes begin one. Nothing may follow DISCONNECT: Close can
            // leave in the same segment.
            socket.start_send_unpin(close_normally()).map_err(HangUp::from)?;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.socket()?.poll_flush_unpin(context)).map_err(HangUp::from)?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.socket()?.poll_close_unpin(context)).map_err(HangUp::from)?;
        Poll::Ready(Ok(()))
    }
}

/// Close 1000, the peer's Close or the end of the stream, close_notify, FIN.
async fn close<S: Transport>(mut socket: WebSocketStream<S>) {
    let goodbye = async {
        // Fails where a Close is on its way already, after DISCONNECT or as the answer to the peer's.
        socket.send(close_normally()).await.ok();
        socket.flush().await?;
        // A client need not wait for the server to end TCP as well (RFC 6455 section 7.1.1).
        while let Some(message) = socket.next().await {
            if message?.is_close() {
                break;
            }
        }
        Ok::<_, tungstenite::Error>(())
    };
    match timeout(CLOSE_TIME, goodbye).await {
        Ok(Ok(())) => tracing::debug!("the WebSocket is closed"),
        Ok(Err(error)) => tracing::debug!(%error, "the WebSocket ended without a close"),
        Err(_) => tracing::debug!("the server did not answer the Close"),
    }
    // A server that reads nothing must not hold this up either.
    let _ = timeout(CLOSE_TIME / 10, socket.get_mut().shutdown()).await;
}

fn close_normally() -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))
}

impl From<tungstenite::Error> for HangUp {
    fn from(error: tungstenite::Error) -> Self {
        use tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
        match error {
            // What rustls cannot decrypt, for one.
            tungstenite::Error::Io(ref io) if io.kind() == io::ErrorKind::InvalidData => Self::Broken(error),
            tungstenite::Error::Io(_)
            | tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed
            | tungstenite::Error::Protocol(ResetWithoutClosingHandshake) => Self::Ended(error),
            _ => Self::Broken(error),
        }
    }
}

impl From<HangUp> for io::Error {
    fn from(hang_up: HangUp) -> Self {
        let kind = match hang_up {
            HangUp::Closed(_) | HangUp::Ended(_) => io::ErrorKind::ConnectionAborted,
            HangUp::Broken(_) | HangUp::Text => io::ErrorKind::InvalidData,
        };
        Self::new(kind, hang_up)
    }
}
