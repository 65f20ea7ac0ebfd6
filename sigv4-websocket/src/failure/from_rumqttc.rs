//! What rumqttc reports, as failures.

use rumqttc::{ConnectionError, StateError};

use super::{Cause, Failure};
use crate::mqtt::reason_code::ReasonCode;
use crate::progress::Phase;
use crate::websocket::StreamError;

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        use rumqttc::Error as Decode;
        let cause = match error {
            ConnectionError::Timeout(_) => Cause::Deadline { phase: Phase::Mqtt, limit: None },
            // PINGREQ or PUBLISH was not answered.
            ConnectionError::MqttState(StateError::AwaitPingResp | StateError::CollisionTimeout) => {
                StreamError::NoAnswer.into()
            }
            ConnectionError::Io(error)
            | ConnectionError::MqttState(
                StateError::Io(error) | StateError::Deserialization(Decode::Io(error)),
            ) => return error.into(),
            ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
                Cause::Disconnected { code: ReasonCode(reason_code as u8), reason: reason_string }
            }
            // rumqttc reports a packet of its own that is too large in the same way.
            ConnectionError::MqttState(StateError::Deserialization(error))
                if !matches!(error, Decode::OutgoingPacketTooLarge { .. }) =>
            {
                Cause::Malformed(error)
            }
            other => Cause::Other(Box::new(other)),
        };
        cause.into()
    }
}

impl Failure {
    /// The subscriptions that a SUBACK refuses, each as a failure. `filters` are the topic filters of the SUBSCRIBE, in
    /// its order.
    pub fn from_suback(suback: &rumqttc::SubAck, filters: &[&str]) -> Vec<Self> {
        let reason = suback.properties.as_ref().and_then(|properties| properties.reason_string.as_deref());
        let codes = suback.return_codes.iter().map(|code| number(*code));
        filters
            .iter()
            .zip(codes)
            .filter_map(|(filter, code)| Self::subscribe_refused(filter, code, reason))
            .collect()
    }

    /// The failure, if a PUBACK refuses the message. It names only a packet identifier, so `topic` says where the
    /// message was to go.
    pub fn from_puback(puback: &rumqttc::PubAck, topic: &str) -> Option<Self> {
        let reason = puback.properties.as_ref().and_then(|properties| properties.reason_string.as_deref());
        Self::publish_refused(topic, ReasonCode(puback.reason as u8), reason)
    }
}

/// The reason code of a SUBACK, whose number rumqttc keeps to itself (MQTT 5 section 3.9.3).
fn number(code: rumqttc::SubscribeReasonCode) -> ReasonCode {
    use rumqttc::SubscribeReasonCode as Code;
    ReasonCode(match code {
        Code::Success(qos) => qos as u8,
        Code::Failure | Code::Unspecified => 0x80,
        Code::ImplementationSpecific => 0x83,
        Code::NotAuthorized => 0x87,
        Code::TopicFilterInvalid => 0x8F,
        Code::PkidInUse => 0x91,
        Code::QuotaExceeded => 0x97,
        Code::SharedSubscriptionsNotSupported => 0x9E,
        Code::SubscriptionIdNotSupported => 0xA1,
        Code::WildcardSubscriptionsNotSupported => 0xA2,
    })
}
