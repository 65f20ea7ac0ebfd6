//! What is said of each failure, and whether another attempt may help.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use rumqttc::{ConnectionError, StateError};
use rustls::{CertificateError, OtherError};
use tokio_tungstenite::tungstenite;

use super::hints::Facts;
use super::{Cause, Failure};
use crate::credentials::SourceError;
use crate::mqtt::first_packet::FirstPacketError;
use crate::mqtt::reason_code::ReasonCode;
use crate::network::NetworkError;
use crate::network::tcp::TcpError;
use crate::network::tls::TlsError;
use crate::presign::{Scope, presign};
use crate::progress::Phase;
use crate::websocket::upgrade::{Answer, UpgradeError};
use crate::websocket::{HangUp, StreamError};

const ENDPOINT: &str = "abc-ats.iot.eu-west-1.amazonaws.com";
const DEAD: &str = "the connection is dead, although neither side closed it";

/// The hints for a failure at this endpoint, whose requests are signed for this region.
struct At<'a> {
    endpoint: &'a str,
    region: &'a str,
    credentials: Option<Credentials>,
}

const HERE: At<'_> = At { endpoint: ENDPOINT, region: "eu-west-1", credentials: None };

impl At<'_> {
    fn hints(&self, failure: &Failure) -> Vec<String> {
        let facts = Facts {
            endpoint: &self.endpoint.parse().expect("an endpoint"),
            region: self.region,
            client_id: "sensor \"7\"",
            credentials: self.credentials.clone(),
            trusts_system: true,
        };
        super::hints::hints(failure.cause(), &facts)
    }
}

fn failure(cause: impl Into<Cause>) -> Failure {
    cause.into().into()
}

fn forbidden(message: &str) -> Failure {
    failure(UpgradeError::Refused(Box::new(forbidden_answer(message))))
}

fn forbidden_answer(message: &str) -> Answer {
    Answer {
        status: hyper::StatusCode::FORBIDDEN,
        error_type: Some("ForbiddenException".to_owned()),
        request_id: Some("0-1".to_owned()),
        message: Some(message.to_owned()),
        date: None,
        received: SystemTime::now(),
        server: None,
        location: Some("https://other/mqtt?X-Amz-Signature=5ec2e7".to_owned()),
    }
}

fn hung_up() -> Failure {
    failure(StreamError::BeforeConnack(HangUp::Closed(None)))
}

fn bad_certificate(flaw: CertificateError) -> Failure {
    failure(NetworkError::Tls(TlsError::Handshake(rustls::Error::InvalidCertificate(flaw))))
}

/// A DISCONNECT after CONNACK.
fn disconnected(code: u8) -> Failure {
    failure(Cause::Disconnected { code: ReasonCode(code), reason: None })
}

fn assert_says(hints: &[String], text: &str) {
    assert!(hints.iter().any(|hint| hint.contains(text)), "{text:?} is not in {hints:#?}");
}

/// A part of the summary and of the one hint of each failure.
#[test]
fn a_failure_is_explained() {
    use CertificateError as Flaw;
    let source = io::Error::other("Temporary failure in name resolution");
    let unresolved = TcpError::Resolve { host: ENDPOINT.to_owned(), source };
    let summary = "abc-ats.iot.eu-west-1.amazonaws.com\": Temporary failure in name resolution";
    let resolve = vec![(failure(NetworkError::Tcp(unresolved)), summary, "compare \"abc-ats.iot.eu-west-1")];
    // On macOS and Windows the error about a certificate comes from the system's own verifier.
    let system = |words: &str| bad_certificate(Flaw::Other(OtherError(Arc::from(Box::from(words)))));
    let weak = Flaw::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: vec![1],
        supported_algorithms: Vec::new(),
    };
    let tls = vec![
        (system("“x” is not trusted: -67843"), "not accepted: “x” is not trusted: -67843", "the CA file"),
        (system("“x” is expired: -67818"), "not accepted: “x” is expired: -67818", ""),
        (bad_certificate(Flaw::Expired), "not accepted: Expired", "is the local clock right?"),
        (bad_certificate(Flaw::NotValidForName), "is for other names", "is abc-ats.iot.eu-west-1.amazonaws"),
        (bad_certificate(Flaw::UnknownIssuer), "not accepted: UnknownIssuer", "the CA file"),
        (bad_certificate(weak), "not accepted: UnsupportedSignatureAlgorithmContext", ""),
    ];
    // What TCP says of a host that has vanished.
    let vanished = |kind: io::ErrorKind| StreamError::Lost(tungstenite::Error::Io(kind.into()).into());
    let no_pong = Failure::from(ConnectionError::MqttState(StateError::AwaitPingResp));
    let lost = vec![
        (no_pong, "the server does not answer any more", DEAD),
        (failure(StreamError::NoAnswer), "the server does not answer any more", DEAD),
        (failure(StreamError::NotTaken), "the server takes nothing of what is sent", DEAD),
        (failure(vanished(io::ErrorKind::TimedOut)), "the connection was lost", DEAD),
        (failure(vanished(io::ErrorKind::HostUnreachable)), "the connection was lost", DEAD),
        (failure(StreamError::NoConnack), "did not answer CONNECT in time", "allow more time, or try later"),
        (failure(StreamError::Garbled(HangUp::Text)), "stopped speaking MQTT", "does not answer like this"),
        (disconnected(0x97), "Quota exceeded (0x97)", "100 publishes a second"),
    ];
    let ended = vec![
        (disconnected(0x87), "the server ended the session: Not authorized (0x87)", "no policy allows"),
        (disconnected(0x8E), "(0x8E)", "another client connected"),
        (disconnected(0x8F), "(0x8F)", "topic filter"),
        (disconnected(0x90), "(0x90)", "topic name"),
        (disconnected(0x93), "(0x93)", "receive maximum"),
        (disconnected(0x94), "(0x94)", "topic alias"),
        (disconnected(0x95), "(0x95)", "128 KB"),
        (disconnected(0x9B), "(0x9B)", "no QoS 2"),
        (disconnected(0xA1), "(0xA1)", "no subscription identifiers"),
    ];
    for (phase, again, failures) in [
        (Phase::Resolve, true, resolve),
        (Phase::Tls, false, tls),
        (Phase::Mqtt, true, lost),
        (Phase::Mqtt, false, ended),
    ] {
        for (failure, summary, hint) in failures {
            let (shown, hints) = (failure.summary(), HERE.hints(&failure));
            assert!(shown.contains(summary) && hints.concat().contains(hint), "{shown}: {hints:?}");
            assert!(!shown.contains(" {"), "{shown}");
            assert_eq!(hints.len(), usize::from(!hint.is_empty()), "{shown}: {hints:?}");
            assert_eq!((failure.phase(), failure.is_deadline()), (phase, false), "{shown}");
            assert_eq!(failure.retry_after(), again.then_some(Duration::from_secs(1)), "{shown}");
        }
    }
}

#[test]
fn a_deadline_is_explained_by_its_phase() {
    for (phase, hint) in [
        (Phase::Resolve, "is this machine online?"),
        (Phase::Proxy, "is it the right proxy?"),
        (Phase::Tcp, "a firewall that drops packets"),
        (Phase::Tls, "does not answer in TLS"),
        (Phase::Credentials, "the source of credentials is slow"),
        (Phase::WebSocket, "allow more time, or try later"),
    ] {
        let late = Failure::deadline(phase, Duration::from_secs(2));
        assert_eq!(late.to_string(), format!("the deadline of 2 s passed in the phase {phase}"));
        assert!(late.is_deadline() && late.retry_after().is_some());
        assert_says(&HERE.hints(&late), hint);
    }
}

/// A part of a hint that is given in some cases alone.
#[test]
fn hints_depend_on_the_endpoint_the_region_and_the_clock() {
    const OLD: &str = "abc.iot.eu-west-1.amazonaws.com";
    let [issuer, signature] =
        [CertificateError::UnknownIssuer, CertificateError::BadSignature].map(bad_certificate);
    let [secret, scope, other] = ["does not match", "scoped to a valid region", "Forbidden"].map(forbidden);
    let untrusted = NetworkError::Tls(TlsError::Handshake(CertificateError::UnknownIssuer.into()));
    let (name, source) = ("container".to_owned(), CredentialsError::provider_error(untrusted));
    let service = failure(SourceError::Failed { name, source });
    let [in_step, off] = [180, 390].map(|seconds| {
        let date = Some(SystemTime::now() - Duration::from_secs(seconds));
        failure(UpgradeError::Refused(Box::new(Answer { date, ..forbidden_answer("No.") })))
    });
    for (failure, endpoint, region, hint, given) in [
        (&secret, ENDPOINT, "us-east-1", "is us-east-1, but the endpoint names eu-west-1", true),
        (&scope, ENDPOINT, "us-east-1", "is us-east-1, but the endpoint names eu-west-1", true),
        (&secret, ENDPOINT, "eu-west-1", "the endpoint names", false),
        (&secret, ENDPOINT, "eu-west-1", "the secret key does not belong to the access key", true),
        (&other, "mqtt.example.com", "eu-west-1", "a custom domain may be configured", true),
        (&other, ENDPOINT, "eu-west-1", "custom domain", false),
        (&other, "localhost", "eu-west-1", "custom domain", false),
        (&in_step, ENDPOINT, "eu-west-1", "the local clock is", false),
        (&off, ENDPOINT, "eu-west-1", "the local clock is 6 minutes ahead of the server's", true),
        (&issuer, OLD, "eu-west-1", "trust stores no longer accept endpoints without -ats", true),
        (&signature, OLD, "eu-west-1", "trust stores no longer accept endpoints without -ats", true),
        (&issuer, OLD, "eu-west-1", "a proxy may be inspecting TLS here", true),
        (&issuer, ENDPOINT, "eu-west-1", "without -ats", false),
        (&service, ENDPOINT, "eu-west-1", "the CA file", false),
        (&issuer, "abc.ats.iot.cn-north-1.amazonaws.com.cn", "cn-north-1", "without -ats", false),
        (&issuer, "data.iot-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "without -ats", false),
    ] {
        let hints = At { endpoint, region, credentials: None }.hints(failure);
        assert_eq!(hints.iter().any(|shown| shown.contains(hint)), given, "{endpoint}, {hint}: {hints:?}");
    }
}

/// What IoT Core says if it does not know the key, the token, or that they belong together.
#[test]
fn credentials_that_are_refused_are_explained_by_what_is_known_of_them() {
    let keys = |id, token: Option<&str>, expiry| {
        Some(Credentials::new(id, "secret", token.map(str::to_owned), expiry, "test"))
    };
    let expiry = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
    let [too_early, too_late] = [Some(UNIX_EPOCH - Duration::from_secs(1)), expiry(253_402_300_799)];
    for (credentials, hint) in [
        (keys("AKIAEXAMPLE", None, None), "the access key is unknown in this partition, or was deleted"),
        (keys("ASIAEXAMPLE", None, None), "a temporary one (ASIA…), but its session token is missing"),
        (keys("ASIAEXAMPLE", Some("t"), None), "the session token has expired or belongs to another key"),
        (keys("ASIAEXAMPLE", Some("t"), expiry(999)), "expired at Thu, 01 Jan 1970 00:16:39 GMT: get new"),
        (keys("ASIAEXAMPLE", Some("t"), expiry(1001)), "have not expired, they are good until Thu, 01 Jan"),
        (keys("ASIAEXAMPLE", None, too_early), "expired at a date before 1970"),
        (keys("ASIAEXAMPLE", None, too_late), "are good until a date before 1970 or after 9999"),
    ] {
        let refused = Answer { date: expiry(1000), ..forbidden_answer("The security token is invalid.") };
        let hints = At { credentials, ..HERE }.hints(&failure(UpgradeError::Refused(Box::new(refused))));
        assert_says(&hints, hint);
    }
}

/// The policy statements in the hints, as JSON.
fn statements(hints: &[String]) -> Vec<(String, String)> {
    let statement = |hint: &String| {
        let statement: serde_json::Value = serde_json::from_str(hint).expect("JSON");
        assert_eq!(statement["Effect"], "Allow");
        let text = |field: &str| statement[field].as_str().expect(field).to_owned();
        (text("Action"), text("Resource"))
    };
    hints.iter().filter(|hint| hint.starts_with('{')).map(statement).collect()
}

#[test]
fn the_statement_to_allow_is_filled_in() {
    for (region, account, arn) in [
        ("eu-west-1", "123456789012", "arn:aws:iot:eu-west-1:123456789012"),
        ("eu-west-1", "12345678901x", "arn:aws:iot:eu-west-1:<account>"),
        ("eu-west-1", "1", "arn:aws:iot:eu-west-1:<account>"),
        ("us-gov-west-1", "1", "arn:aws-us-gov:iot:us-gov-west-1:<account>"),
        ("cn-north-1", "1", "arn:aws-cn:iot:cn-north-1:<account>"),
        ("eusc-de-east-1", "1", "arn:aws-eusc:iot:eusc-de-east-1:<account>"),
        ("us-iso-east-1", "1", "arn:aws-iso:iot:us-iso-east-1:<account>"),
        ("us-isob-east-1", "1", "arn:aws-iso-b:iot:us-isob-east-1:<account>"),
        ("eu-isoe-west-1", "1", "arn:aws-iso-e:iot:eu-isoe-west-1:<account>"),
        ("us-isof-south-1", "1", "arn:aws-iso-f:iot:us-isof-south-1:<account>"),
    ] {
        let keys = Credentials::builder().access_key_id("AKIAEXAMPLE").secret_access_key("secret");
        let credentials = Some(keys.provider_name("test").account_id(account).build());
        let hints = At { region, credentials, ..HERE }.hints(&hung_up());
        let resource = format!("{arn}:client/sensor \"7\"");
        assert_eq!(statements(&hints), [("iot:Connect".to_owned(), resource)]);
        assert_says(&hints, "of the kind client/…, not topic/… or *");
    }
}

#[test]
fn a_refused_subscription_or_message_names_the_statements_that_allow_it() {
    let denied = ReasonCode(0x87);
    let subscribe = |filter| Failure::subscribe_refused(filter, denied, None);
    for (refused, what, allowed) in [
        (subscribe("a/+/b/#"), "subscription to \"a/+/b/#\"", &["topicfilter/a/+/b/#", "topic/a/*/b/*"][..]),
        // Messages of a shared subscription come on the topic itself.
        (
            subscribe("$share/g/a/+"),
            "subscription to \"$share/g/a/+\"",
            &["topicfilter/$share/g/a/+", "topic/a/*"],
        ),
        (Failure::publish_refused("a/b", denied, None), "message to \"a/b\"", &["topic/a/b"]),
    ] {
        let refused = refused.expect("a refusal");
        assert_eq!(refused.to_string(), format!("the server refused the {what}: Not authorized (0x87)"));
        assert_eq!((refused.phase(), refused.retry_after()), (Phase::Mqtt, None));
        let hints = HERE.hints(&refused);
        let actions = if allowed.len() == 2 { &["Subscribe", "Receive"][..] } else { &["Publish"] };
        let allow =
            |(action, name)| (format!("iot:{action}"), format!("arn:aws:iot:eu-west-1:<account>:{name}"));
        assert_eq!(statements(&hints), actions.iter().zip(allowed).map(allow).collect::<Vec<_>>());
        assert_says(&hints, "attached to each identity ID");
    }
    for granted in [0, 1, 2, 0x10, 0x7F].map(ReasonCode) {
        assert!(Failure::subscribe_refused("a", granted, None).is_none());
        assert!(Failure::publish_refused("a", granted, None).is_none());
    }
}

#[test]
fn a_suback_and_a_puback_of_rumqttc_become_failures() {
    use rumqttc::{PubAck, PubAckReason, QoS, SubAck, SubscribeReasonCode as Code};
    let return_codes = vec![Code::Success(QoS::AtLeastOnce), Code::NotAuthorized, Code::QuotaExceeded];
    let suback = SubAck { pkid: 1, return_codes, properties: None };
    let refused = Failure::from_suback(&suback, &["a", "b", "c"]);
    let told: Vec<_> = refused.iter().map(ToString::to_string).collect();
    let quota = "the server refused the subscription to \"c\": Quota exceeded (0x97)";
    assert_eq!(told, ["the server refused the subscription to \"b\": Not authorized (0x87)", quota]);
    let puback = |reason| PubAck { pkid: 1, reason, properties: None };
    let refused = Failure::from_puback(&puback(PubAckReason::NotAuthorized), "a").expect("a refusal");
    assert_eq!(refused.reason_code().map(ReasonCode::value), Some(0x87));
    for accepted in [PubAckReason::Success, PubAckReason::NoMatchingSubscribers] {
        assert!(Failure::from_puback(&puback(accepted), "a").is_none());
    }
}

/// What rumqttc says of its own packets is not blamed on the server, and what waiting may heal is worth another attempt.
#[test]
fn what_only_the_mqtt_client_knows_is_told_apart() {
    let too_large = rumqttc::Error::OutgoingPacketTooLarge { pkt_size: 9, max: 8 };
    let too_large = Failure::from(ConnectionError::MqttState(StateError::Deserialization(too_large)));
    assert!(too_large.summary().contains("the MQTT session failed: "), "{too_large:?}");
    let no_ack = Failure::from(ConnectionError::MqttState(StateError::CollisionTimeout));
    assert!(no_ack.summary().starts_with("the server does not answer any more"), "{no_ack:?}");
    let unresolved =
        TcpError::Resolve { host: "sts.invalid".to_owned(), source: io::Error::other("offline") };
    let offline = CredentialsError::provider_error(NetworkError::Tcp(unresolved));
    let none = CredentialsError::not_loaded_no_source();
    let [offline, denied, none] = [offline, CredentialsError::provider_error("denied"), none]
        .map(|source| failure(SourceError::Failed { name: "profile p".to_owned(), source }));
    assert_eq!((offline.retry_after(), denied.retry_after()), (Some(Duration::from_secs(1)), None));
    assert_eq!(none.summary(), "the profile p does not provide credentials");
}

#[test]
fn a_failure_tells_nothing_new_if_only_times_and_ids_differ() {
    let expired =
        |time| forbidden(&format!("Signature expired: {time} is now earlier than 20261125T000000Z"));
    assert!(expired("20261124T000000Z").is_like(&expired("20261125T111111Z")));
    assert!(!expired("20261124T000000Z").is_like(&forbidden("The security token is invalid.")));
    assert!(!forbidden("No.").is_like(&hung_up()));
    let refused = |id: &str| {
        let (code, reason) = (ReasonCode(0x87), Some(format!("CONNACK:Client is not authorized:{id}")));
        failure(StreamError::FirstPacket(FirstPacketError::Refused { code, reason }))
    };
    let id = "14e6c214-8269-42af-6ac7-e1fe6c8e0b6f";
    assert!(refused(id).is_like(&refused("665c4287-913a-7661-ce30-76375addd23c")));
    let publish = |topic| Failure::publish_refused(topic, ReasonCode(0x87), None).expect("a refusal");
    assert!(publish("sensor/1").is_like(&publish("sensor/1")));
    assert!(!publish("sensor/1").is_like(&publish("sensor/2")));
}

#[test]
fn the_reason_codes_that_another_attempt_may_heal() {
    let busy: Vec<u8> = (0..=u8::MAX).filter(|code| disconnected(*code).retry_after().is_some()).collect();
    assert_eq!(busy, [0x88, 0x89, 0x8B, 0x8D, 0x96, 0x97, 0x98, 0x9F, 0xA0]);
    for (code, shown) in [(0x80, "Unspecified error (0x80)"), (0x8A, "Banned (0x8A)")] {
        let refused = Failure::publish_refused("t", ReasonCode(code), None).expect("a refusal");
        assert!(refused.to_string().ends_with(shown), "{refused}");
    }
    let unknown = (0x80..=0xA2).filter(|code| disconnected(*code).to_string().contains("unknown"));
    assert_eq!(unknown.collect::<Vec<_>>(), [0x92]);
}

#[test]
fn a_request_that_cannot_be_signed_is_a_failure_of_the_signature() {
    let keys = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
    let scope = Scope::Region("eu-west-1".to_owned());
    let failure = failure(presign("not a host", &scope, &keys, UNIX_EPOCH).expect_err("no URL"));
    assert_eq!((failure.phase(), failure.retry_after()), (Phase::Presign, None));
    assert!(failure.summary().starts_with("the upgrade request cannot be signed: "), "{}", failure.summary());
}

#[test]
fn what_the_server_said_can_be_asked_for() {
    let refused = forbidden("No.");
    assert_eq!((refused.request_id(), refused.reason_code()), (Some("0-1"), None));
    let debug = format!("{refused:?}");
    assert!(debug.contains("403") && !debug.contains("5ec2e7"), "{debug}");
    let ended = failure(Cause::Disconnected { code: ReasonCode(0x8B), reason: Some("Bye.".to_owned()) });
    assert_eq!((ended.server_message(), ended.status()), (Some("Bye."), None));
}
