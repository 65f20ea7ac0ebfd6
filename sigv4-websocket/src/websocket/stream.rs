// SPDX-License-Identifier: Apache-2.0

//! The byte stream over WebSocket: MQTT packets read from binary frames and written to them, and a clean close.
//!
//! tokio-util's `StreamReader` and `SinkWriter` would be enough for the bytes. But rumqttc drops a stream without shutting
//! it down, so this type needs a `Drop` of its own, which closes the WebSocket.

use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::Handle;
use tokio::task::coop;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_util::task::TaskTracker;

use super::{HangUp, StreamError};
use crate::mqtt::first_packet::{self, FirstPacketError};
use crate::network::http::Transport;

/// The most that is written at once, in bytes.
const MAX_WRITE: usize = 64 * 1024;

/// The most that may wait to be sent, in bytes. Answers to pings wait as well, and a server may send pings without end.
pub(crate) const MAX_UNSENT: usize = 4 * MAX_WRITE;

/// How long the peer may take to answer a Close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// An open WebSocket over TLS.
pub(crate) type Socket = WebSocketStream<Box<dyn Transport>>;

/// MQTT bytes over a WebSocket, however the packets are spread over frames (MQTT 5 section 6).
///
/// Before the first bytes of the server are passed on, they are known to be a successful CONNACK. Every error is an
/// [`io::Error`] of which `Failure::from` makes a [`Failure`](crate::Failure).
///
/// Dropping it begins the close in the background: Close 1000, a second for the peer's Close, TLS close_notify, FIN.
/// [`Connector::closed`](crate::Connector::closed) waits for the end of that.
#[derive(Debug)]
pub struct ByteStream {
    socket: Option<Socket>,
    /// The bytes of the first packet so far. `None` after a successful CONNACK.
    first_packet: Option<Vec<u8>>,
    unread: Bytes,
    closing: TaskTracker,
    runtime: Handle,
}

impl ByteStream {
    /// Wraps an open WebSocket; its close will run on `closing`. Must be called within a Tokio runtime.
    pub(crate) fn new(socket: Socket, closing: TaskTracker) -> Self {
        let (first_packet, unread) = (Some(Vec::new()), Bytes::new());
        Self { socket: Some(socket), first_packet, unread, closing, runtime: Handle::current() }
    }

    fn socket(&mut self) -> io::Result<&mut Socket> {
        self.socket.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Passes bytes on. The first packet is held back until it is known to be a successful CONNACK.
    fn receive(&mut self, bytes: Bytes) -> Result<(), FirstPacketError> {
        let Some(first) = &mut self.first_packet else {
            self.unread = bytes;
            return Ok(());
        };
        first.extend_from_slice(&bytes);
        if let ControlFlow::Break(verdict) = first_packet::check(first) {
            verdict?;
            self.unread = self.first_packet.take().unwrap_or_default().into();
        }
        Ok(())
    }

    fn error(&self, hang_up: HangUp) -> io::Error {
        let broken = matches!(hang_up, HangUp::Broken(_) | HangUp::Text);
        let error = match self.first_packet {
            Some(_) if broken => StreamError::NotMqtt(hang_up),
            Some(_) => StreamError::BeforeConnack(hang_up),
            None => StreamError::Lost(hang_up),
        };
        let kind = if broken { io::ErrorKind::InvalidData } else { io::ErrorKind::ConnectionAborted };
        io::Error::new(kind, error)
    }

    /// Calls `act` with the socket, and translates its error.
    fn with_socket<T>(
        &mut self,
        act: impl FnOnce(&mut Socket) -> Poll<Result<T, tungstenite::Error>>,
    ) -> Poll<io::Result<T>> {
        act(self.socket()?).map_err(|error| self.error(error.into()))
    }
}

impl Drop for ByteStream {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.closing.spawn_on(close(socket), &self.runtime);
        }
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            // A flood of small frames must not keep other tasks from running.
            let hang_up = match ready!(coop::cooperative(self.socket()?.next()).poll_unpin(context)) {
                Some(Ok(Message::Binary(bytes))) => {
                    self.receive(bytes).map_err(|error| {
                        io::Error::new(io::ErrorKind::InvalidData, StreamError::FirstPacket(error))
                    })?;
                    continue;
                }
                Some(Ok(Message::Text(_))) => HangUp::Text,
                Some(Ok(Message::Close(frame))) => HangUp::Closed(frame),
                // tungstenite answers a ping by itself.
                Some(Ok(_ping_or_pong)) => continue,
                Some(Err(error)) => error.into(),
                None => HangUp::Closed(None),
            };
            return Poll::Ready(Err(self.error(hang_up)));
        }
        let length = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let piece = &bytes[..bytes.len().min(MAX_WRITE)];
        self.with_socket(|socket| {
            // What waits to be sent goes first, so that there is room.
            ready!(socket.poll_flush_unpin(context))?;
            Poll::Ready(socket.start_send_unpin(Message::Binary(Bytes::copy_from_slice(piece))))
        })
        .map_ok(|()| piece.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with_socket(|socket| socket.poll_flush_unpin(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with_socket(|socket| socket.poll_close_unpin(context))
    }
}

/// Sends Close 1000, waits for the peer's Close or for the end of the stream, and then sends close_notify and FIN.
async fn close(mut socket: Socket) {
    let goodbye = async {
        let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        if socket.send(Message::Close(Some(normal))).await.is_err() {
            // The peer closed first: what is left to send is the answer to its Close.
            return socket.flush().await;
        }
        // A client need not wait for the server to end TCP as well (RFC 6455 section 7.1.1).
        while let Some(message) = coop::cooperative(socket.next()).await {
            if message?.is_close() {
                break;
            }
        }
        Ok(())
    };
    match timeout(CLOSE_TIME, goodbye).await {
        Ok(Ok(())) => tracing::debug!("the WebSocket is closed on both sides"),
        Ok(Err(error)) => tracing::debug!(%error, "the WebSocket ended without a close"),
        Err(_) => tracing::debug!("the server did not answer the Close"),
    }
    // A server that reads nothing must not delay this either.
    let shut = timeout(CLOSE_TIME / 10, socket.get_mut().shutdown()).await;
    tracing::debug!("TLS and TCP are {}", if matches!(shut, Ok(Ok(()))) { "closed" } else { "cut" });
}
