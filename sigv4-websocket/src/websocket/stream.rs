//! The byte stream over WebSocket: MQTT packets read from binary frames and written to them, and a clean close.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::task::coop;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_util::task::TaskTracker;

use super::close::close;
use super::watch::Watch;
use super::{HangUp, StreamError};
use crate::mqtt::first_packet;
use crate::mqtt::outgoing::OutgoingPackets;
use crate::network::tcp::Traffic;

/// The most that is written at once, in bytes.
const MAX_WRITE: usize = 64 * 1024;

/// The most that may wait to be sent, in bytes. Answers to pings wait as well, and a server may send pings without end.
pub(crate) const MAX_UNSENT: usize = 4 * MAX_WRITE;

pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Transport for S {}

pub(crate) type Socket = WebSocketStream<Box<dyn Transport>>;

/// MQTT bytes over a WebSocket, however the packets are spread over frames (MQTT 5 section 6).
///
/// If the server refuses CONNECT, reading fails. Every error is an [`io::Error`] of which `Failure::from` makes a
/// [`Failure`](crate::Failure).
///
/// Drop it without a shutdown. That begins the close in the background: Close 1000, a second for the peer's Close, TLS
/// close_notify, FIN. [`Connector::closed`](crate::Connector::closed) waits for the end of that.
pub struct ByteStream {
    socket: Option<Socket>,
    /// The bytes of the first packet so far. `None` after a successful CONNACK.
    first_packet: Option<Vec<u8>>,
    unread: Bytes,
    outgoing: OutgoingPackets,
    /// A packet that demands an answer was written, but not yet flushed.
    asks: bool,
    answer: Watch,
    progress: Watch,
    traffic: Arc<Traffic>,
    /// What had left when a write last made progress.
    sent: u64,
    /// What had arrived at the last look.
    received: u64,
    closing: TaskTracker,
    runtime: Handle,
}

impl ByteStream {
    /// Wraps an open WebSocket, within a Tokio runtime. Its close will run on `closing`; `limit` is the response
    /// timeout.
    pub(crate) fn new(socket: Socket, traffic: Arc<Traffic>, limit: Duration, closing: TaskTracker) -> Self {
        Self {
            socket: Some(socket),
            first_packet: Some(Vec::new()),
            unread: Bytes::new(),
            outgoing: OutgoingPackets::default(),
            asks: false,
            answer: Watch::new(limit),
            progress: Watch::new(limit),
            traffic,
            sent: 0,
            received: 0,
            closing,
            runtime: Handle::current(),
        }
    }

    fn socket(&mut self) -> io::Result<&mut Socket> {
        self.socket.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Passes bytes on. The first packet is held back until it is known to be a successful CONNACK.
    fn receive(&mut self, bytes: Bytes) -> io::Result<()> {
        let Some(first) = &mut self.first_packet else {
            self.unread = bytes;
            return Ok(());
        };
        first.extend_from_slice(&bytes);
        if let ControlFlow::Break(verdict) = first_packet::check(first) {
            let refused = |error| io::Error::new(io::ErrorKind::InvalidData, StreamError::FirstPacket(error));
            verdict.map_err(refused)?;
            self.unread = self.first_packet.take().unwrap_or_default().into();
        }
        Ok(())
    }

    pub(super) fn error(&self, hang_up: HangUp) -> io::Error {
        let broken = matches!(hang_up, HangUp::Broken(_) | HangUp::Text);
        let error = match self.first_packet {
            Some(_) if broken => StreamError::NotMqtt(hang_up),
            Some(_) if !matches!(hang_up, HangUp::Vanished(_)) => StreamError::BeforeConnack(hang_up),
            None if broken => StreamError::Garbled(hang_up),
            _ => StreamError::Lost(hang_up),
        };
        let kind = if broken { io::ErrorKind::InvalidData } else { io::ErrorKind::ConnectionAborted };
        io::Error::new(kind, error)
    }

    /// Calls `act`, which writes, with the socket, and translates its error. If nothing leaves for too long, that is an
    /// error as well.
    fn writing(
        &mut self,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut Socket, &mut Context<'_>) -> Poll<tungstenite::Result<()>>,
    ) -> Poll<io::Result<()>> {
        let socket = self.socket()?;
        if let Poll::Ready(result) = act(socket, context) {
            self.progress.disarm();
            return Poll::Ready(result.map_err(|error| self.error(error.into())));
        }
        let sent = self.traffic.sent.load(Relaxed);
        if sent != self.sent {
            self.sent = sent;
            self.progress.disarm();
        }
        self.progress.arm();
        ready!(self.progress.poll_passed(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, StreamError::NotTaken)))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").finish_non_exhaustive()
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
            let next = coop::cooperative(self.socket()?.next()).poll_unpin(context);
            let received = self.traffic.received.load(Relaxed);
            let more = std::mem::replace(&mut self.received, received) != received;
            let Poll::Ready(next) = next else {
                // A part of a message has come.
                if more {
                    self.answer.postpone();
                }
                // Only who has read everything can tell that there is no answer.
                ready!(self.answer.poll_passed(context));
                let error =
                    if self.first_packet.is_some() { StreamError::NoConnack } else { StreamError::NoAnswer };
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, error)));
            };
            let hang_up = match next {
                Some(Ok(Message::Binary(bytes))) => {
                    self.answer.disarm();
                    self.receive(bytes)?;
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
        // What waits to be sent goes first, so that there is room.
        ready!(self.as_mut().poll_flush(context))?;
        let piece = &bytes[..bytes.len().min(MAX_WRITE)];
        let message = Message::Binary(Bytes::copy_from_slice(piece));
        if let Err(error) = self.socket()?.start_send_unpin(message) {
            return Poll::Ready(Err(self.error(error.into())));
        }
        self.asks |= self.outgoing.demand_answer(piece);
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.writing(context, |socket, context| socket.poll_flush_unpin(context)))?;
        // A question in a buffer of this machine cannot be answered yet.
        if std::mem::take(&mut self.asks) {
            self.answer.arm();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing(context, |socket, context| socket.poll_close_unpin(context))
    }
}
