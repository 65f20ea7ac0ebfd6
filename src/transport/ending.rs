// SPDX-License-Identifier: Apache-2.0

//! How a byte stream can end: before there is a session, and later.

use std::io;

use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::reason::ReasonCode;

/// No session began. This is the inner error of an [`io::Error`] that an MQTT client gets from
/// [`ByteStream`](super::stream::ByteStream) before CONNACK.
#[derive(Debug, thiserror::Error)]
pub enum NoSession {
    /// CONNACK with another reason code than 0 (MQTT 5 section 3.2.2.2).
    #[error("the server refused CONNECT: {code}")]
    Refused {
        /// The reason code.
        code: ReasonCode,
        /// The reason string, if the server gave one.
        reason: Option<String>,
    },
    /// DISCONNECT in place of CONNACK (MQTT 5 section 3.14.2.1).
    #[error("the server answered CONNECT with DISCONNECT: {code}")]
    Disconnected {
        /// The reason code.
        code: ReasonCode,
        /// The reason string, if the server gave one.
        reason: Option<String>,
    },
    /// The connection ended before CONNACK.
    #[error("the server hung up after CONNECT, without a CONNACK")]
    HungUp(#[source] HangUp),
    /// Frames that cannot carry MQTT (MQTT 5 section 6).
    #[error("the server does not speak MQTT over WebSocket")]
    NotMqtt(#[source] HangUp),
    /// A packet that is not a CONNACK, or a CONNACK whose body is not valid in MQTT 5.
    #[error("the server's first packet is not a CONNACK of MQTT 5")]
    NotConnack,
    /// Bytes that cannot be an MQTT packet, or a first packet of more than 16 KiB.
    #[error("the server sent a malformed MQTT packet")]
    Malformed,
}

/// How a WebSocket ended. After CONNACK this is the inner error of the [`io::Error`] that an MQTT client gets; before
/// CONNACK it is inside a [`NoSession`].
#[derive(Debug, thiserror::Error)]
pub enum HangUp {
    /// With a Close frame (RFC 6455 section 7.4).
    #[error("the server closed the WebSocket{}", .0.as_ref().map(describe).unwrap_or_default())]
    Closed(Option<CloseFrame>),
    /// Without a Close frame: end of stream or reset.
    #[error("the server ended the connection")]
    Ended(#[source] tungstenite::Error),
    /// A frame that RFC 6455 does not allow, a message of more than 1 MiB, or bytes that TLS cannot decrypt.
    #[error("the server sent something that is not WebSocket, or too long")]
    Broken(#[source] tungstenite::Error),
    /// More waits to be sent than may wait.
    #[error("the server does not read what was sent to it")]
    NotRead,
    /// A text frame (MQTT 5 section 6).
    #[error("the server sent a text frame, where MQTT allows only binary ones")]
    Text,
}

impl From<tungstenite::Error> for HangUp {
    fn from(error: tungstenite::Error) -> Self {
        use tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
        match error {
            // For example, bytes that rustls cannot decrypt.
            tungstenite::Error::Io(ref io) if io.kind() == io::ErrorKind::InvalidData => Self::Broken(error),
            tungstenite::Error::Io(_)
            | tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed
            | tungstenite::Error::Protocol(ResetWithoutClosingHandshake) => Self::Ended(error),
            tungstenite::Error::WriteBufferFull(_) => Self::NotRead,
            _ => Self::Broken(error),
        }
    }
}

/// A Close in words, with its number because the reason may be empty.
fn describe(frame: &CloseFrame) -> String {
    let CloseFrame { code, reason } = frame;
    let separator = if reason.is_empty() { "" } else { ": " };
    format!(" ({code}){separator}{reason}")
}
