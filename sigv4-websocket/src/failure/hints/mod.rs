//! What to do about a failure: hints that follow from its cause, with the facts of the connection filled in.

pub(super) mod certificate;
mod credentials;
mod network;
mod policy;

use aws_credential_types::Credentials;

use super::Cause;
use crate::endpoint::Endpoint;
use crate::mqtt::first_packet::FirstPacketError;
use crate::mqtt::reason_code::ReasonCode;
use crate::progress::{Phase, clock};
use crate::websocket::clock::CLOCK_TOLERANCE;
use crate::websocket::upgrade::{Answer, UpgradeError};
use crate::websocket::{HangUp, StreamError};

/// The command that prints an account's endpoint.
const DESCRIBE_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

const BUSY: &str =
    "the server is busy or throttles this account: allow more attempts and more time, or try later";

const ENDED: &str = "IoT Core may end a connection after a SUBSCRIBE or PUBLISH that no policy allows, and ends it after \
                     24 hours at the latest";

const DEAD: &str = "the connection is dead, although neither side closed it: a firewall, a NAT or a load balancer on the \
                    way may have forgotten it";

/// The facts of a connection that hints mention.
pub(crate) struct Facts<'a> {
    pub endpoint: &'a Endpoint,
    /// The region that requests are signed for.
    pub region: &'a str,
    pub client_id: &'a str,
    /// The latest credentials.
    pub credentials: Option<Credentials>,
    /// Whether the operating system's roots are trusted, and not a CA file.
    pub trusts_system: bool,
}

/// The hints, the likeliest cause first. Empty if nothing is known.
pub(super) fn hints(cause: &Cause, facts: &Facts<'_>) -> Vec<String> {
    match cause {
        Cause::Presign(_) => Vec::new(),
        Cause::Credentials(error) => {
            network::on_the_way(error, facts).into_iter().chain(credentials::hints(error)).collect()
        }
        Cause::Network(error) => network::hints(error, facts),
        Cause::Upgrade(error) => upgrade(error, facts),
        Cause::Stream(error) => stream(error, facts),
        Cause::Subscribe { filter, code: ReasonCode(0x87), .. } => policy::subscribe(facts, filter),
        Cause::Publish { topic, code: ReasonCode(0x87), .. } => policy::publish(facts, topic),
        Cause::Subscribe { code, .. } | Cause::Publish { code, .. } => in_session(*code, facts),
        Cause::Deadline { phase, .. } => vec![deadline(*phase).to_owned()],
        #[cfg(feature = "rumqttc")]
        Cause::Disconnected { code, .. } => in_session(*code, facts),
        #[cfg(feature = "rumqttc")]
        Cause::Malformed(_) => not_iot_core(facts),
        #[cfg(feature = "rumqttc")]
        Cause::Other(_) => Vec::new(),
    }
}

fn upgrade(error: &UpgradeError, facts: &Facts<'_>) -> Vec<String> {
    match error {
        UpgradeError::Refused(answer) if answer.is_busy() && !answer.is_from_intermediary() => {
            vec![BUSY.to_owned()]
        }
        UpgradeError::Refused(answer) if answer.error_type.is_some() => refusal(answer, facts),
        UpgradeError::Request(_) => Vec::new(),
        _ => not_iot_core(facts),
    }
}

fn refusal(answer: &Answer, facts: &Facts<'_>) -> Vec<String> {
    let Facts { region, endpoint, .. } = facts;
    let message = answer.message.as_deref().unwrap_or_default();
    let mut hints = Vec::new();
    let skew = answer.clock_skew(answer.received);
    hints.extend(skew.filter(|skew| skew.unsigned_abs() > CLOCK_TOLERANCE).map(clock));
    if message.contains("security token") {
        hints.push(credentials::refused(facts.credentials.as_ref(), answer.date));
    } else if message.contains("does not match") {
        hints.push("the secret key does not belong to the access key, or the region is wrong".to_owned());
    }
    match endpoint.region() {
        Some(named) if named != *region => {
            hints.push(format!("the region to sign for is {region}, but the endpoint names {named}"));
        }
        None if message.contains("valid region") => {
            hints.push(format!("the region to sign for is {region}, but the endpoint is in another region"));
        }
        _ => {}
    }
    if endpoint.region().is_none() && !endpoint.is_loopback() {
        hints.push(
            "a custom domain may be configured for another application protocol or authentication type: look at `aws \
             iot describe-domain-configuration`"
                .to_owned(),
        );
    }
    hints
}

fn stream(error: &StreamError, facts: &Facts<'_>) -> Vec<String> {
    match error {
        StreamError::BeforeConnack(_) => {
            let mut hints = policy::connect(facts);
            if facts.endpoint.region().is_none() {
                hints.push(format!(
                    "if {} is not IoT Core: a broker that knows only MQTT 3.1.1 hangs up as well",
                    facts.endpoint
                ));
            }
            hints
        }
        StreamError::FirstPacket(
            FirstPacketError::Refused { code, .. } | FirstPacketError::Disconnected { code, .. },
        ) => before_connack(*code, facts),
        StreamError::FirstPacket(_) | StreamError::NotMqtt(_) | StreamError::Garbled(_) => {
            not_iot_core(facts)
        }
        StreamError::Lost(HangUp::Vanished(_)) | StreamError::NoAnswer | StreamError::NotTaken => {
            vec![DEAD.to_owned()]
        }
        StreamError::Lost(_) => vec![ENDED.to_owned()],
        StreamError::NoConnack => vec![deadline(Phase::Mqtt).to_owned()],
    }
}

fn before_connack(code: ReasonCode, facts: &Facts<'_>) -> Vec<String> {
    let client_id = facts.client_id;
    vec![match code.0 {
        0x85 => {
            let length = client_id.len();
            format!(
                "IoT Core accepts client IDs of 1 to 128 bytes, and not every character: this one has {length}"
            )
        }
        0x87 => return policy::connect(facts),
        0x88 | 0x89 => BUSY.to_owned(),
        0x8E => format!("another client connected as {client_id}: give each client a client ID of its own"),
        0x97 | 0x9F => {
            "IoT Core accepts 1 CONNECT per second for a client ID and 500 for an account: see Service Quotas"
                .to_owned()
        }
        _ => return Vec::new(),
    }]
}

/// What IoT Core means by a reason code after CONNACK ("AWS IoT Core message broker and protocol limits and quotas").
fn in_session(code: ReasonCode, facts: &Facts<'_>) -> Vec<String> {
    let hint = match code.0 {
        0x87 => ENDED,
        0x8F => "the topic filter is not valid in MQTT 5, or longer or deeper than IoT Core allows",
        0x90 => "the topic name is not valid in MQTT 5, or longer or deeper than IoT Core allows",
        0x93 => "more messages were unacknowledged than the receive maximum in CONNACK allows",
        0x94 => "a topic alias was above the topic alias maximum in CONNACK, or had no topic",
        0x95 => "IoT Core takes packets of up to 128 KB",
        0x97 => {
            "IoT Core takes 100 publishes a second on a connection, 50 subscriptions, and 8 topic filters in a \
             SUBSCRIBE: see Service Quotas"
        }
        0x9B => "IoT Core has no QoS 2",
        0xA1 => "IoT Core takes no subscription identifiers",
        _ => return before_connack(code, facts),
    };
    vec![hint.to_owned()]
}

fn deadline(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "the resolver does not answer: is this machine online?",
        Phase::Proxy => "the proxy does not answer, or cannot reach the endpoint: is it the right proxy?",
        Phase::Tcp => "nothing answers at this address: look for a firewall that drops packets to this port",
        Phase::Tls => {
            "something listens at this address, but does not answer in TLS: look for a firewall or a proxy in between"
        }
        Phase::Credentials => "the source of credentials is slow, or does not answer: allow more time",
        Phase::Presign | Phase::WebSocket | Phase::Mqtt => {
            "the server, or a proxy in between, does not answer: allow more time, or try later"
        }
    }
}

fn not_iot_core(facts: &Facts<'_>) -> Vec<String> {
    let endpoint = facts.endpoint;
    vec![format!(
        "IoT Core does not answer like this: compare {endpoint} with what `{DESCRIBE_ENDPOINT}` prints, and look for a \
         proxy in between"
    )]
}
