// SPDX-License-Identifier: Apache-2.0

//! What to do about a failure: hints that follow from its type, with the facts of the connection filled in.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use rustls::InvalidMessage;

use super::certificate;
use super::credentials;
use super::failure::Failure;
use super::policy;
use super::proxy;
use super::region::{DESCRIBE_ENDPOINT, region_in};
use super::report::{clock, report};
use super::transport::clock::CLOCK_TOLERANCE;
use super::transport::connector::{ConnectError, Connector};
use super::transport::ending::NoSession;
use super::transport::network::NetworkError;
use super::transport::progress::Phase;
use super::transport::proxy::ProxyError;
use super::transport::reason::ReasonCode;
use super::transport::tcp::TcpError;
use super::transport::tls::TlsError;
use super::transport::upgrade::{Answer, UpgradeError};

/// The facts that hints mention.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The connector that makes the attempts.
    pub connector: &'a Connector,
    /// The region that requests are signed for.
    pub region: &'a str,
    /// The MQTT client ID.
    pub client_id: &'a str,
}

impl Facts<'_> {
    /// The full report of `failure`, in lines: the error, its causes, what the server said, the hints.
    pub fn explain(&self, failure: &Failure) -> String {
        report(failure, &failure.details(), &self.hints(failure))
    }

    /// The hints for `failure`, the likeliest cause first. Empty if nothing is known.
    pub fn hints(&self, failure: &Failure) -> Vec<String> {
        let credentials = self.connector.credentials().latest();
        let mut advice = Advice { facts: self, credentials, hints: Vec::new() };
        match failure {
            Failure::Connect(error) => advice.connect(error),
            Failure::NoSession(NoSession::HungUp(_)) => advice.hung_up(),
            Failure::NoSession(NoSession::NotMqtt(_) | NoSession::Malformed | NoSession::NotConnack)
            | Failure::Malformed(_) => advice.not_iot_core(),
            Failure::Lost(_) | Failure::Disconnected { code: ReasonCode(0x87), .. } => advice.say(
                "IoT Core ends a connection after a SUBSCRIBE or PUBLISH that no policy allows, and after 24 hours at \
                 the latest",
            ),
            _ => failure.reason_code().into_iter().for_each(|code| advice.reason(code)),
        }
        advice.hints
    }
}

struct Advice<'a> {
    facts: &'a Facts<'a>,
    /// The latest credentials.
    credentials: Option<Credentials>,
    hints: Vec<String>,
}

impl Advice<'_> {
    fn say(&mut self, hint: impl Into<String>) {
        self.hints.push(hint.into());
    }

    fn connect(&mut self, error: &ConnectError) {
        match error {
            ConnectError::Credentials(error) => {
                if let Some(error) = credentials::proxy_in(error) {
                    self.proxy(error);
                }
                self.hints.extend(credentials::hints(error));
            }
            ConnectError::Network(NetworkError::Tcp(error)) => self.tcp(error),
            ConnectError::Network(NetworkError::Proxy(error)) => self.proxy(error),
            ConnectError::Network(NetworkError::Tls(error)) => self.tls(error),
            ConnectError::Upgrade(error) => self.upgrade(error),
            ConnectError::Presign(_) => {}
        }
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
        self.hints.extend(proxy::hint(error));
    }

    fn tls(&mut self, error: &TlsError) {
        match error {
            TlsError::NoSystemRoots(_) => {
                self.say("install the package ca-certificates, or name a CA file");
            }
            TlsError::Handshake(rustls::Error::InvalidCertificate(flaw)) => {
                self.hints.extend(certificate::hints(flaw, self.facts.connector));
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
            self.say(credentials::refused(self.credentials.as_ref(), answer.date));
        } else if message.contains("does not match") {
            self.say("the secret key does not belong to the access key, or the region is wrong");
        }
        match region_in(self.facts.connector.endpoint().host()) {
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
        let endpoint = self.facts.connector.endpoint();
        if region_in(endpoint.host()).is_none() && !endpoint.is_loopback() {
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

    fn policy(&mut self) {
        let Facts { region, client_id, .. } = self.facts;
        let account = self.credentials.as_ref().and_then(Credentials::account_id).map(|id| id.as_str());
        let account = account.filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()));
        self.hints.extend(policy::hints(region, client_id, account));
    }

    fn hung_up(&mut self) {
        self.policy();
        let endpoint = self.facts.connector.endpoint();
        if region_in(endpoint.host()).is_none() {
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
        let endpoint = self.facts.connector.endpoint();
        self.say(format!(
            "IoT Core does not answer like this: compare {endpoint} with what `{DESCRIBE_ENDPOINT}` prints, and look for \
             a proxy in between"
        ));
    }
}

/// The hint for a deadline that passed in this phase.
pub fn deadline(phase: Phase) -> &'static str {
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
