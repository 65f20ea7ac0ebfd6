//! A stand-in for the endpoint of AWS IoT Core, inside the test's own process: TLS, the upgrade request with its SigV4
//! signature, then MQTT 5. It records what it saw, in order, and a [`Script`] can make it misbehave at any stage.

mod acts;
pub mod certificates;
mod connection;
pub mod http;
pub mod listener;
pub mod mqtt;
mod record;
pub mod sigv4;
mod sigv4a;
pub mod websocket;

pub use acts::{Act, Stage, perform};
pub use certificates::Certificate;
pub use http::Request;
pub use mqtt::{connack, disconnect, disconnect_because, publish};
pub use record::{CLEAN_CLOSE, Event};
pub use sigv4::Key;
pub use websocket::{close, frame};

use certificates::Authority;
use listener::Listener;
use record::{ConnectionRecord, Record};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::sync::watch;
use tokio::time::timeout;

/// Made-up keys every gateway knows. The token has characters that must be percent-encoded.
pub const ACCESS_KEY: &str = "AKIAGATEWAYEXAMPLE00";
pub const SECRET: &str = "wJalrGATEWAYk7MDENG/bPxRfi+CYEXAMPLEKEY";
pub const TEMPORARY_ACCESS_KEY: &str = "ASIAGATEWAYEXAMPLE01";
pub const TEMPORARY_SECRET: &str = "tEmp0raryGATEWAY/zPxRfi+CYEXAMPLESECRET0";
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEB0/gateway+made=up&100%of/it==";
pub const REGION: &str = "eu-central-1";

/// How the gateway treats a connection. The default is an honest server.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Keys that the gateway knows in addition to its own.
    pub keys: Vec<Key>,
    pub certificate: Certificate,
    /// How far the gateway's clock is ahead.
    pub clock_offset_seconds: i64,
    /// The reason codes for the first subscriptions of each connection. All further ones are granted.
    pub subacks: Vec<u8>,
    /// The reason codes for the first messages with QoS 1 of each connection. All further ones are accepted.
    pub pubacks: Vec<u8>,
    pub fault: Option<(Stage, Vec<Act>)>,
}

impl Script {
    /// An honest server up to this stage, at which it performs the acts.
    pub fn fault(stage: Stage, acts: impl Into<Vec<Act>>) -> Script {
        Script { fault: Some((stage, acts.into())), ..Script::default() }
    }
}

/// The keys every gateway knows.
pub fn own_keys() -> Vec<Key> {
    let key = |access_key: &str, secret: &str, token: Option<&str>| Key {
        access_key: access_key.into(),
        secret: secret.into(),
        session_token: token.map(String::from),
    };
    vec![key(ACCESS_KEY, SECRET, None), key(TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET, Some(SESSION_TOKEN))]
}

/// A running gateway; dropping it ends its listener and its connections.
pub struct Gateway {
    authority: Authority,
    ca_file: NamedTempFile,
    record: watch::Sender<Record>,
    listener: Listener,
}

impl Gateway {
    /// Every connection follows this script.
    pub async fn start(script: Script) -> Gateway {
        Gateway::start_with(vec![script]).await
    }

    /// The nth connection follows the nth script; all further ones follow the last.
    pub async fn start_with(scripts: Vec<Script>) -> Gateway {
        let authority = Authority::new("The gateway's test authority");
        let ca_file = NamedTempFile::new().expect("a temporary file can be made");
        std::fs::write(&ca_file, authority.pem()).expect("the temporary file can be written");
        let with_tls = |script: Script| (Arc::new(script.clone()), authority.server(script.certificate));
        let scripts: Vec<_> = scripts.into_iter().map(with_tls).collect();
        let record = watch::Sender::new(Record::default());
        let (mut nth, records) = (0, record.clone());
        let listener = Listener::start(move |tcp| {
            let (script, tls) = scripts[nth.min(scripts.len() - 1)].clone();
            nth += 1;
            let record = ConnectionRecord::open(records.clone());
            async move { connection::serve(tcp, tls, &script, &record).await }
        });
        Gateway { authority, ca_file, record, listener: listener.await }
    }

    pub fn endpoint(&self) -> String {
        format!("localhost:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// The certificate of the authority to trust, in PEM.
    pub fn ca_file(&self) -> &Path {
        self.ca_file.path()
    }

    /// The authority itself, for other servers that are trusted like the gateway.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What has been seen so far, one list for each connection in the order they came in.
    pub fn connections(&self) -> Vec<Vec<Event>> {
        self.record.borrow().connections.clone()
    }

    /// Waits until that many connections are over.
    pub async fn finished(&self, connections: usize) {
        self.wait_for(|record| record.finished >= connections).await;
    }

    /// Waits until such an event was seen on this connection. The first connection is 0.
    pub async fn seen(&self, connection: usize, wanted: impl Fn(&Event) -> bool) {
        let seen = |events: &Vec<Event>| events.iter().any(&wanted);
        self.wait_for(|record| record.connections.get(connection).is_some_and(seen)).await;
    }

    async fn wait_for(&self, done: impl FnMut(&Record) -> bool) {
        let mut changes = self.record.subscribe();
        let waited = timeout(Duration::from_secs(20), changes.wait_for(done)).await.is_ok();
        assert!(waited, "the gateway waited in vain; it saw {:#?}", self.connections());
    }
}
