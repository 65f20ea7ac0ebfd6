// SPDX-License-Identifier: Apache-2.0

//! Everything that can end an attempt or a session, and whether another attempt may help.

use std::io;
use std::time::Duration;

use rumqttc::{ConnectionError, StateError};

use super::transport::connector::ConnectError;
use super::transport::credentials::SourceError;
use super::transport::ending::{HangUp, NoSession};
use super::transport::network::{NetworkError, is_reset};
use super::transport::progress::Phase;
use super::transport::reason::ReasonCode;
use super::transport::tcp::TcpError;
use super::transport::upgrade::{Answer, UpgradeError};

/// IoT Core accepts one CONNECT per second for a client ID ("AWS IoT Core message broker and protocol limits and
/// quotas").
const THROTTLED_WAIT: Duration = Duration::from_secs(1);

/// Why a session ended, or why none began.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There was no byte stream to speak MQTT on.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// CONNECT was not answered with a successful CONNACK.
    #[error(transparent)]
    NoSession(#[from] NoSession),
    /// The server sent DISCONNECT (MQTT 5 section 3.14).
    #[error("the server ended the session: {code}")]
    Disconnected {
        /// The reason code.
        code: ReasonCode,
        /// The reason string, if the server gave one.
        reason: Option<String>,
    },
    /// The connection ended after CONNACK.
    #[error("the connection was lost")]
    Lost(#[source] HangUp),
    /// No CONNACK within the time limit for connecting.
    #[error("the time limit for connecting has passed")]
    TimedOut,
    /// A packet that rumqttc cannot read.
    #[error("the server sent a malformed MQTT 5 packet")]
    Malformed(#[source] rumqttc::Error),
    /// Anything else, such as a CONNACK that contradicts the CONNECT.
    #[error("the MQTT session failed")]
    Other(#[source] Box<ConnectionError>),
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        use rumqttc::Error as Decode;
        match error {
            ConnectionError::Timeout(_) => Self::TimedOut,
            // No answer to a ping: the connection is dead, though neither side closed it.
            ConnectionError::MqttState(StateError::AwaitPingResp) => {
                Self::from_io(io::ErrorKind::TimedOut.into())
            }
            ConnectionError::Io(error)
            | ConnectionError::MqttState(
                StateError::Io(error) | StateError::Deserialization(Decode::Io(error)),
            ) => Self::from_io(error),
            ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
                Self::Disconnected { code: ReasonCode(reason_code as u8), reason: reason_string }
            }
            ConnectionError::MqttState(StateError::Deserialization(error)) => Self::Malformed(error),
            other => Self::Other(Box::new(other)),
        }
    }
}

impl Failure {
    /// The error that the transport put into an [`io::Error`].
    fn from_io(error: io::Error) -> Self {
        let error = match error.downcast::<ConnectError>() {
            Ok(error) => return Self::Connect(error),
            Err(error) => error,
        };
        let error = match error.downcast::<NoSession>() {
            Ok(error) => return Self::NoSession(error),
            Err(error) => error,
        };
        match error.downcast::<HangUp>() {
            Ok(hang_up) => Self::Lost(hang_up),
            Err(error) => Self::Lost(HangUp::Ended(error.into())),
        }
    }

    /// The phase that failed. What only the MQTT client knows counts as MQTT.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Connect(ConnectError::Credentials(_)) => Phase::Credentials,
            Self::Connect(ConnectError::Presign(_)) => Phase::Presign,
            Self::Connect(ConnectError::Network(error)) => match error {
                NetworkError::Tcp(TcpError::Resolve { .. }) => Phase::Resolve,
                NetworkError::Tcp(TcpError::Connect(_)) => Phase::Tcp,
                NetworkError::Proxy(_) => Phase::Proxy,
                NetworkError::Tls(_) => Phase::Tls,
            },
            Self::Connect(ConnectError::Upgrade(_)) => Phase::WebSocket,
            _ => Phase::Mqtt,
        }
    }

    /// The server's answer to the upgrade request, if it did not open a WebSocket.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Connect(ConnectError::Upgrade(
                UpgradeError::Refused(answer) | UpgradeError::NotWebSocket(answer, _),
            )) => Some(answer),
            _ => None,
        }
    }

    /// The reason code of a CONNACK or DISCONNECT.
    pub fn reason_code(&self) -> Option<ReasonCode> {
        match self {
            Self::NoSession(NoSession::Refused { code, .. } | NoSession::Disconnected { code, .. })
            | Self::Disconnected { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// What the server or the credential sources said, each with a label.
    pub fn details(&self) -> Vec<(String, String)> {
        let mut details = Vec::new();
        let mut say = |label: &str, text: &str| details.push((label.to_owned(), text.to_owned()));
        match self {
            Self::Connect(ConnectError::Credentials(SourceError::NoneFound { metadata })) => {
                say("environment", "AWS_ACCESS_KEY_ID is not set");
                say("profile", "AWS_PROFILE is not set, and there are no credentials in the profile default");
                say("web identity token", "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
                say("container", "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set");
                say("EC2 instance metadata", metadata);
            }
            Self::NoSession(
                NoSession::Refused { reason: Some(reason), .. }
                | NoSession::Disconnected { reason: Some(reason), .. },
            )
            | Self::Disconnected { reason: Some(reason), .. } => say("reason", reason),
            _ => {}
        }
        if let Some(answer) = self.answer() {
            for (label, value) in [
                ("error type", &answer.error_type),
                ("message", &answer.message),
                ("request id", &answer.request_id),
                ("server", &answer.server),
                ("location", &answer.location),
            ] {
                value.iter().for_each(|value| say(label, value));
            }
        }
        details
    }

    /// The shortest wait before another attempt, or `None` if no attempt can help until somebody changes something. Add
    /// a random wait that grows with each attempt, so that clients that failed together do not come back together.
    pub fn retry_after(&self) -> Option<Duration> {
        let busy = self.reason_code().is_some_and(ReasonCode::is_busy);
        let transient = match self {
            Self::Lost(_) | Self::TimedOut => true,
            Self::Connect(ConnectError::Network(error)) => error.may_be_temporary(),
            Self::Connect(ConnectError::Upgrade(UpgradeError::NoAnswer(error))) => is_reset(error),
            Self::Connect(ConnectError::Upgrade(_)) => self.answer().is_some_and(Answer::is_busy),
            _ => busy,
        };
        let throttled = busy || self.answer().is_some_and(|answer| answer.status == 429);
        transient.then_some(if throttled { THROTTLED_WAIT } else { Duration::ZERO })
    }

    /// Whether another attempt is pointless until somebody changes something.
    pub fn is_final(&self) -> bool {
        self.retry_after().is_none()
    }
}
