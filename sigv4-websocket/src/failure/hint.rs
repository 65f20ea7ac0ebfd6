// SPDX-License-Identifier: Apache-2.0

//! What to do about a failure: hints that follow from its type, with the facts of the connection filled in.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use rustls::InvalidMessage;

use super::report::report;
use super::{Cause, Failure, certificate, credentials, policy};
use crate::credentials::SourceError;
use crate::endpoint::Endpoint;
use crate::mqtt::first_packet::FirstPacketError;
use crate::mqtt::reason_code::ReasonCode;
use crate::network::NetworkError;
use crate::network::proxy::ProxyError;
use crate::network::tcp::TcpError;
use crate::network::tls::TlsError;
use crate::progress::{Phase, clock};
use crate::websocket::clock::CLOCK_TOLERANCE;
use crate::websocket::upgrade::{Answer, UpgradeError};
use crate::websocket::{HangUp, StreamError};

/// The command that prints an account's endpoint.
pub(super) const DESCRIBE_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

/// The facts of a connection that hints mention.
pub(crate) struct Facts<'a> {
    pub endpoint: &'a Endpoint,
    /// The region that requests are signed for.
    pub region: &'a str,
    /// The MQTT client ID.
    pub client_id: &'a str,
    /// The latest credentials.
    pub credentials: Option<Credentials>,
    /// Whether the operating system's roots are trusted, and not a CA file.
    pub trusts_system: bool,
}

impl Facts<'_> {
    /// The full report of `failure`, in lines: the error, its causes, what the server said, the hints.
    pub(crate) fn explain(&self, failure: &Failure) -> String {
        report(failure, &self.hints(failure))
    }

    /// The hints for `failure`, the likeliest cause first. Empty if nothing is known.
    pub(crate) fn hints(&self, failure: &Failure) -> Vec<String> {
        let mut hints = Hints { facts: self, hints: Vec::new() };
        match failure.cause() {
            Cause::Credentials(error) => hints.credentials(error),
            Cause::Presign(_) => {}
            Cause::Network(NetworkError::Tcp(error)) => hints.tcp(error),
            Cause::Network(NetworkError::Proxy(error)) => hints.proxy(error),
            Cause::Network(NetworkError::Tls(error)) => hints.tls(error),
            Cause::Upgrade(error) => hints.upgrade(error),
            Cause::Stream(StreamError::BeforeConnack(_)) => hints.hung_up(),
            Cause::Stream(
                StreamError::NotMqtt(_)
                | StreamError::FirstPacket(FirstPacketError::Malformed | FirstPacketError::NotConnack),
            ) => hints.not_iot_core(),
            #[cfg(feature = "rumqttc")]
            Cause::Malformed(_) => hints.not_iot_core(),
            Cause::Deadline { phase, .. } => hints.say(deadline(*phase)),
            #[cfg(feature = "rumqttc")]
            Cause::NoConnack => hints.say(deadline(Phase::Mqtt)),
            Cause::Stream(
                StreamError::NoAnswer | StreamError::NotTaken | StreamError::Lost(HangUp::Vanished(_)),
            ) => hints.say(
                "the connection is dead, although neither side closed it: a firewall, a NAT or a load balancer on the way \
                 may have forgotten it",
            ),
            Cause::Stream(StreamError::Lost(_)) => hints.lost(),
            Cause::Stream(StreamError::Garbled(_)) => hints.not_iot_core(),
            Cause::Subscribe { filter, code: ReasonCode(0x87), .. } => {
                hints.hints.extend(policy::subscribe(self, filter));
            }
            Cause::Publish { topic, code: ReasonCode(0x87), .. } => {
                hints.hints.extend(policy::publish(self, topic));
            }
            #[cfg(feature = "rumqttc")]
            Cause::Disconnected { code: ReasonCode(0x87), .. } => hints.lost(),
            #[cfg(feature = "rumqttc")]
            Cause::Disconnected { code, .. } => hints.in_session(*code),
            Cause::Subscribe { code, .. } | Cause::Publish { code, .. } => hints.in_session(*code),
            _ => failure.reason_code().into_iter().for_each(|code| hints.reason(code)),
        }
        hints.hints
    }
}

struct Hints<'a> {
    facts: &'a Facts<'a>,
    hints: Vec<String>,
}

impl Hints<'_> {
    fn say(&mut self, hint: impl Into<String>) {
        self.hints.push(hint.into());
    }

    fn credentials(&mut self, error: &SourceError) {
        match credentials::network_in(error) {
            Some(NetworkError::Proxy(error)) => self.proxy(error),
            Some(NetworkError::Tls(TlsError::Handshake(rustls::Error::InvalidCertificate(_))))
                if !self.facts.trusts_system =>
            {
                self.say(certificate::NOT_IN_CA_FILE);
            }
            _ => {}
        }
        self.hints.extend(credentials::hints(error));
    }

    fn tcp(&mut self, error: &TcpError) {
        let region = self.facts.region;
        self.say(match error {
            TcpError::Resolve { host, .. } => {
                format!("compare {host:?} with what `{DESCRIBE_ENDPOINT} --region {region}` prints")
            }
            TcpError::Connect(_) => {
                "is the port right (443 unless given), and does a firewall let this machine through?"
                    .to_owned()
            }
        });
    }

    fn proxy(&mut self, error: &ProxyError) {
        let right = |proxy| {
            format!(
                "is {proxy} the right proxy? HTTPS_PROXY may set it, and NO_PROXY lists hosts that need none"
            )
        };
        self.say(match error {
            ProxyError::Setting(_) => return,
            ProxyError::Unreachable { proxy, .. }
            | ProxyError::NoAnswer { proxy, .. }
            | ProxyError::ExtraBytes(proxy) => right(proxy),
            ProxyError::Refused { proxy, status, destination, authorized } => match status.as_u16() {
                401 | 407 if *authorized => {
                    "the proxy does not accept the user and the password that were sent".to_owned()
                }
                401 | 407 => {
                    "the proxy wants a user and a password: put them into its URL, http://user:password@host:port"
                        .to_owned()
                }
                403 => format!("the proxy's own rules forbid {destination}: ask for a change of the rules"),
                502..=504 => format!("the proxy cannot reach {destination}: can the proxy resolve this name?"),
                _ => right(proxy),
            },
        });
    }

    fn tls(&mut self, error: &TlsError) {
        match error {
            TlsError::NoSystemRoots(_) => {
                self.say("install the package ca-certificates, or name a CA file");
            }
            TlsError::Handshake(rustls::Error::InvalidCertificate(flaw)) => {
                self.hints.extend(certificate::hints(flaw, self.facts));
            }
            TlsError::Io(_)
            | TlsError::Handshake(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                self.not_iot_core();
            }
            _ => {}
        }
    }

    fn upgrade(&mut self, error: &UpgradeError) {
        match error {
            UpgradeError::Refused(answer) if answer.is_busy() && !answer.is_from_intermediary() => {
                self.busy()
            }
            UpgradeError::Refused(answer) if answer.error_type.is_some() => self.refusal(answer),
            UpgradeError::Request(_) => {}
            _ => self.not_iot_core(),
        }
    }

    fn refusal(&mut self, answer: &Answer) {
        let region = self.facts.region;
        let message = answer.message.as_deref().unwrap_or_default();
        let skew = answer.clock_skew(SystemTime::now());
        if let Some(skew) = skew.filter(|skew| skew.unsigned_abs() > CLOCK_TOLERANCE) {
            self.say(clock(skew));
        }
        if message.contains("security token") {
            self.say(credentials::refused(self.facts.credentials.as_ref(), answer.date));
        } else if message.contains("does not match") {
            self.say("the secret key does not belong to the access key, or the region is wrong");
        }
        match self.facts.endpoint.region() {
            Some(named) if named != region => {
                self.say(format!("the region to sign for is {region}, but the endpoint names {named}"));
            }
            None if message.contains("valid region") => {
                self.say(format!(
                    "the region to sign for is {region}, but the endpoint is in another region"
                ));
            }
            _ => {}
        }
        if self.facts.endpoint.region().is_none() && !self.facts.endpoint.is_loopback() {
            self.say(
                "a custom domain may be configured for another application protocol or authentication type: look at `aws \
                 iot describe-domain-configuration`",
            );
        }
    }

    fn reason(&mut self, code: ReasonCode) {
        let client_id = self.facts.client_id;
        match code.0 {
            0x85 => {
                let length = client_id.len();
                self.say(format!("IoT Core accepts client IDs of 1 to 128 bytes; this one has {length}"));
            }
            0x87 => self.policy(),
            0x88 | 0x89 => self.busy(),
            0x8E => {
                self.say(format!(
                    "another client connected as {client_id}: give each client a client ID of its own"
                ));
            }
            0x97 | 0x9F => {
                self.say("IoT Core accepts 1 CONNECT per second for a client ID and 500 for an account: see Service Quotas");
            }
            _ => {}
        }
    }

    /// What IoT Core means by a reason code after CONNACK ("AWS IoT Core message broker and protocol limits and quotas").
    fn in_session(&mut self, code: ReasonCode) {
        self.say(match code.0 {
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
            _ => return self.reason(code),
        });
    }

    fn policy(&mut self) {
        self.hints.extend(policy::connect(self.facts));
    }

    fn lost(&mut self) {
        self.say(
            "IoT Core may end a connection after a SUBSCRIBE or PUBLISH that no policy allows, and ends it after 24 hours \
             at the latest",
        );
    }

    fn hung_up(&mut self) {
        self.policy();
        let endpoint = self.facts.endpoint;
        if endpoint.region().is_none() {
            self.say(format!(
                "if {endpoint} is not IoT Core: a broker that knows only MQTT 3.1.1 hangs up as well"
            ));
        }
    }

    fn busy(&mut self) {
        self.say(
            "the server is busy or throttles this account: allow more attempts and more time, or try later",
        );
    }

    fn not_iot_core(&mut self) {
        let endpoint = self.facts.endpoint;
        self.say(format!(
            "IoT Core does not answer like this: compare {endpoint} with what `{DESCRIBE_ENDPOINT}` prints, and look for \
             a proxy in between"
        ));
    }
}

/// The hint for a deadline that passed in this phase.
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
