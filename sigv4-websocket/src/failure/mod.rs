//! Everything that can end an attempt or a session, and whether another attempt may help.

#[cfg(feature = "rumqttc")]
mod from_rumqttc;
pub(crate) mod hints;
pub(crate) mod report;
#[cfg(all(test, feature = "rumqttc"))]
mod tests;

use std::io;
use std::time::Duration;

use crate::credentials::SourceError;
use crate::mqtt::first_packet::FirstPacketError;
use crate::mqtt::reason_code::ReasonCode;
use crate::network::tcp::TcpError;
use crate::network::{NetworkError, is_reset};
use crate::presign::PresignError;
use crate::progress::Phase;
use crate::websocket::upgrade::{Answer, UpgradeError};
use crate::websocket::{HangUp, StreamError};

/// IoT Core accepts one CONNECT per second for a client ID ("AWS IoT Core message broker and protocol limits and
/// quotas").
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Why a session ended, or why none began.
///
/// It is shown as one line without its causes, which [`source`](std::error::Error::source) gives.
/// [`Connector::explain`](crate::Connector::explain) gives the whole report, made safe to show to a person.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Failure(Box<Cause>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error(transparent)]
    Credentials(#[from] SourceError),
    #[error(transparent)]
    Presign(#[from] PresignError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// SUBACK with the reason code of an error (MQTT 5 section 3.9.3).
    #[error("the server refused the subscription to {filter:?}: {code}")]
    Subscribe { filter: String, code: ReasonCode, reason: Option<String> },
    /// PUBACK with the reason code of an error (MQTT 5 section 3.4.2.1).
    #[error("the server refused the message to {topic:?}: {code}")]
    Publish { topic: String, code: ReasonCode, reason: Option<String> },
    /// DISCONNECT after CONNACK (MQTT 5 section 3.14).
    #[cfg(feature = "rumqttc")]
    #[error("the server ended the session: {code}")]
    Disconnected { code: ReasonCode, reason: Option<String> },
    /// A packet that the MQTT client cannot read.
    #[cfg(feature = "rumqttc")]
    #[error("the server sent a malformed MQTT 5 packet")]
    Malformed(#[source] rumqttc::Error),
    /// Anything else, such as a CONNACK that contradicts the CONNECT.
    #[cfg(feature = "rumqttc")]
    #[error("the MQTT session failed")]
    Other(#[source] Box<rumqttc::ConnectionError>),
    /// The MQTT client does not say what its limit was.
    #[error("the deadline{} passed in the phase {phase}", of_seconds(*.limit))]
    Deadline { phase: Phase, limit: Option<Duration> },
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self(Box::new(cause))
    }
}

/// From an error of a [`ByteStream`](crate::ByteStream). Any other error counts as a lost connection.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(failure) => return failure,
            Err(error) => error,
        };
        Cause::from(match error.downcast::<StreamError>() {
            Ok(error) => error,
            Err(error) => StreamError::Lost(HangUp::Ended(error.into())),
        })
        .into()
    }
}

impl Failure {
    /// The failure of an application that has a deadline of its own: `limit` has passed in this phase.
    pub fn deadline(phase: Phase, limit: Duration) -> Self {
        Cause::Deadline { phase, limit: Some(limit) }.into()
    }

    /// What a SUBACK says of a topic filter, if it refuses it, which leaves the connection open. `None` if the reason
    /// code grants the subscription (MQTT 5 section 3.9.3).
    pub fn subscribe_refused(filter: &str, code: ReasonCode, reason: Option<&str>) -> Option<Self> {
        let (filter, reason) = (filter.to_owned(), reason.map(str::to_owned));
        code.is_error().then(|| Cause::Subscribe { filter, code, reason }.into())
    }

    /// The same for a message, which a PUBACK may refuse (MQTT 5 section 3.4.2.1).
    pub fn publish_refused(topic: &str, code: ReasonCode, reason: Option<&str>) -> Option<Self> {
        let (topic, reason) = (topic.to_owned(), reason.map(str::to_owned));
        code.is_error().then(|| Cause::Publish { topic, code, reason }.into())
    }

    /// Whether a time limit has passed: the connector's, the MQTT client's, or that of [`deadline`](Self::deadline).
    pub fn is_deadline(&self) -> bool {
        matches!(*self.0, Cause::Deadline { .. })
    }

    /// The phase that failed. What only the MQTT client knows counts as MQTT.
    pub fn phase(&self) -> Phase {
        match &*self.0 {
            Cause::Credentials(_) => Phase::Credentials,
            Cause::Presign(_) => Phase::Presign,
            Cause::Network(NetworkError::Tcp(TcpError::Resolve { .. })) => Phase::Resolve,
            Cause::Network(NetworkError::Tcp(TcpError::Connect(_))) => Phase::Tcp,
            Cause::Network(NetworkError::Proxy(_)) => Phase::Proxy,
            Cause::Network(NetworkError::Tls(_)) => Phase::Tls,
            Cause::Upgrade(_) => Phase::WebSocket,
            Cause::Deadline { phase, .. } => *phase,
            _ => Phase::Mqtt,
        }
    }

    /// The HTTP status of the server's answer to the upgrade request, if it did not open a WebSocket.
    pub fn status(&self) -> Option<u16> {
        Some(self.answer()?.status.as_u16())
    }

    /// What the server said in a refused upgrade, or as a reason string. Show it only through
    /// [`printable`](crate::printable).
    pub fn server_message(&self) -> Option<&str> {
        let answer = self.answer().and_then(|answer| answer.message.as_deref());
        answer.or_else(|| self.reason()?.1)
    }

    /// The request ID of a refused upgrade, for AWS Support. Show it only through [`printable`](crate::printable).
    pub fn request_id(&self) -> Option<&str> {
        self.answer()?.request_id.as_deref()
    }

    /// The reason code of the MQTT packet that refused something or ended the session.
    pub fn reason_code(&self) -> Option<ReasonCode> {
        Some(self.reason()?.0)
    }

    /// The shortest wait before another attempt, a second or more, or `None` if no attempt can help until somebody
    /// changes something, or if nobody can know that, as after an error of the application's own provider. Add a random
    /// wait that grows with each attempt, so that clients that failed together do not come back together.
    pub fn retry_after(&self) -> Option<Duration> {
        let transient = match &*self.0 {
            Cause::Deadline { .. } => true,
            Cause::Stream(error) if error.may_be_temporary() => true,
            Cause::Network(error) => error.may_be_temporary(),
            Cause::Credentials(error) => error.on_the_way().is_some_and(NetworkError::may_be_temporary),
            Cause::Upgrade(UpgradeError::NoAnswer(error)) => is_reset(error),
            Cause::Upgrade(_) => self.answer().is_some_and(Answer::is_busy),
            _ => self.reason_code().is_some_and(ReasonCode::is_busy),
        };
        transient.then_some(SHORTEST_WAIT)
    }

    /// Whether `other` has said all that this failure says: error, causes and what the server said differ only in words
    /// with a digit, such as dates and request IDs, and the topic that was refused is the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.topic() == other.topic() && report::gist(self) == report::gist(other)
    }

    /// The failure and its innermost cause in one line, made safe to show, without what the server said.
    pub fn summary(&self) -> String {
        report::summary(self)
    }

    pub(crate) fn cause(&self) -> &Cause {
        &self.0
    }

    fn answer(&self) -> Option<&Answer> {
        match &*self.0 {
            Cause::Upgrade(UpgradeError::Refused(answer) | UpgradeError::NotWebSocket(answer, _)) => {
                Some(answer)
            }
            _ => None,
        }
    }

    /// The topic or the topic filter that was refused.
    fn topic(&self) -> Option<&str> {
        match &*self.0 {
            Cause::Subscribe { filter: topic, .. } | Cause::Publish { topic, .. } => Some(topic),
            _ => None,
        }
    }

    fn reason(&self) -> Option<(ReasonCode, Option<&str>)> {
        let (code, reason) = match &*self.0 {
            Cause::Stream(StreamError::FirstPacket(
                FirstPacketError::Refused { code, reason } | FirstPacketError::Disconnected { code, reason },
            )) => (code, reason),
            Cause::Subscribe { code, reason, .. } | Cause::Publish { code, reason, .. } => (code, reason),
            #[cfg(feature = "rumqttc")]
            Cause::Disconnected { code, reason } => (code, reason),
            _ => return None,
        };
        Some((*code, reason.as_deref()))
    }

    /// What the server or the credential sources said, each with a label.
    fn details(&self) -> Vec<(&'static str, String)> {
        if let Some(answer) = self.answer() {
            let said = [
                ("error type", &answer.error_type),
                ("message", &answer.message),
                ("request id", &answer.request_id),
                ("server", &answer.server),
                ("location", &answer.location),
            ];
            return said.into_iter().filter_map(|(label, text)| Some((label, text.clone()?))).collect();
        }
        match &*self.0 {
            #[cfg(feature = "chain")]
            Cause::Credentials(SourceError::NoneFound { metadata }) => vec![
                ("environment", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set".to_owned()),
                ("profile", "AWS_PROFILE is not set, and the profile default has no credentials".to_owned()),
                ("web identity token", "AWS_WEB_IDENTITY_TOKEN_FILE is not set".to_owned()),
                ("container", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and …_FULL_URI are not set".to_owned()),
                ("EC2 instance metadata", metadata.clone()),
            ],
            _ => {
                self.reason().into_iter().filter_map(|(_, text)| Some(("reason", text?.to_owned()))).collect()
            }
        }
    }
}

fn of_seconds(limit: Option<Duration>) -> String {
    limit.map(|limit| format!(" of {} s", limit.as_secs_f64())).unwrap_or_default()
}
