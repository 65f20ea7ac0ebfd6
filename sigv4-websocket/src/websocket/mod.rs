//! The WebSocket: the upgrade request, the byte stream that carries MQTT, and the server's clock.

pub(crate) mod clock;
mod close;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod upgrade;
mod watch;

use std::io;

use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError::{ResetWithoutClosingHandshake, SendAfterClosing};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::mqtt::first_packet::FirstPacketError;

/// Why a byte stream ended: the inner error of the [`io::Error`] that an MQTT client gets from it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// The server's first packet was not a successful CONNACK.
    #[error(transparent)]
    FirstPacket(#[from] FirstPacketError),
    #[error("the server hung up after CONNECT, without a CONNACK")]
    BeforeConnack(#[source] HangUp),
    /// Frames that cannot carry MQTT (MQTT 5 section 6).
    #[error("the server does not speak MQTT over WebSocket")]
    NotMqtt(#[source] HangUp),
    /// The connection ended after CONNACK, or TCP gave up before.
    #[error("the connection was lost")]
    Lost(#[source] HangUp),
    /// Frames after CONNACK that cannot carry MQTT.
    #[error("the server stopped speaking MQTT over WebSocket")]
    Garbled(#[source] HangUp),
    #[error("the server did not answer CONNECT in time")]
    NoConnack,
    /// The connection is dead: a packet that demands an answer got none, and nothing else came either.
    #[error("the server does not answer any more")]
    NoAnswer,
    /// The connection is dead: nothing of what is written leaves.
    #[error("the server takes nothing of what is sent to it")]
    NotTaken,
}

impl StreamError {
    /// Whether a later attempt may succeed: there was a session, which this ended, or no answer at all.
    pub(crate) fn may_be_temporary(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Garbled(_) | Self::NoConnack | Self::NoAnswer | Self::NotTaken)
    }
}

/// How a WebSocket ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HangUp {
    /// With a Close frame (RFC 6455 section 7.4).
    #[error("the server closed the WebSocket{}", .0.as_ref().map(describe).unwrap_or_default())]
    Closed(Option<CloseFrame>),
    /// Without a Close frame: end of stream or reset.
    #[error("the server ended the connection")]
    Ended(#[source] tungstenite::Error),
    /// TCP gave up: the server's host acknowledges nothing, or has room for nothing.
    #[error("nothing gets through to the server any more")]
    Vanished(#[source] io::Error),
    /// A frame that RFC 6455 does not allow, a message of more than 1 MiB, or bytes that TLS cannot decrypt.
    #[error("the server sent something that is not WebSocket, or too long")]
    Broken(#[source] tungstenite::Error),
    #[error("the server does not read what was sent to it")]
    NotRead,
    /// A text frame (MQTT 5 section 6).
    #[error("the server sent a text frame, where MQTT allows only binary ones")]
    Text,
}

impl From<tungstenite::Error> for HangUp {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            // For example, bytes that rustls cannot decrypt.
            tungstenite::Error::Io(ref io) if io.kind() == io::ErrorKind::InvalidData => Self::Broken(error),
            tungstenite::Error::Io(io) if is_silence(&io) => Self::Vanished(io),
            tungstenite::Error::Io(_)
            | tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed
            | tungstenite::Error::Protocol(ResetWithoutClosingHandshake | SendAfterClosing) => {
                Self::Ended(error)
            }
            tungstenite::Error::WriteBufferFull(_) => Self::NotRead,
            _ => Self::Broken(error),
        }
    }
}

/// Whether no acknowledgement came in time. A router on the way may have said why.
fn is_silence(error: &io::Error) -> bool {
    use io::ErrorKind::{HostUnreachable, NetworkUnreachable, TimedOut};
    matches!(error.kind(), TimedOut | HostUnreachable | NetworkUnreachable)
}

/// A Close in words, with its number because the reason may be empty.
fn describe(frame: &CloseFrame) -> String {
    let CloseFrame { code, reason } = frame;
    let separator = if reason.is_empty() { "" } else { ": " };
    format!(" ({code}){separator}{reason}")
}
