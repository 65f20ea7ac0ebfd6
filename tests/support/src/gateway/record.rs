//! What the gateway saw, in the order it saw it.

use super::acts::Stage;
use super::http::{Refusal, Request};
use super::sigv4::Verified;
use super::websocket::{CLOSE, Incoming};
use rumqttc::{Connect, Packet};
use tokio::sync::watch;

/// One thing that happened on a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A TCP connection came in.
    Accepted,
    /// The TLS handshake is done. The fields are the name and the protocols that the client sent.
    Tls {
        server_name: Option<String>,
        alpn: Vec<Vec<u8>>,
    },
    Request(Request),
    Signed(Verified),
    Refused(Refusal),
    /// The request is answered with 101.
    Upgraded,
    Connect(Connect),
    Subscribe,
    Publish {
        topic: String,
    },
    Disconnect {
        reason_code: u8,
    },
    Close {
        code: Option<u16>,
    },
    CloseNotify,
    /// TCP end of stream after close_notify.
    Fin,
    /// Something else that arrived, or the error with which the connection ended.
    Other(String),
}

/// How a connection ends that a client closes cleanly.
pub const CLEAN_CLOSE: [Event; 4] =
    [Event::Disconnect { reason_code: 0 }, Event::Close { code: Some(1000) }, Event::CloseNotify, Event::Fin];

/// The event that this is, and the stage that begins with it.
pub fn event(incoming: &Incoming) -> (Event, Option<Stage>) {
    match incoming {
        Incoming::Packet(Packet::Connect(connect, ..)) => {
            (Event::Connect(connect.clone()), Some(Stage::Connect))
        }
        Incoming::Packet(Packet::Subscribe(_)) => (Event::Subscribe, Some(Stage::Subscribe)),
        Incoming::Packet(Packet::Publish(publish)) => {
            let topic = String::from_utf8_lossy(&publish.topic).into_owned();
            (Event::Publish { topic }, Some(Stage::Publish))
        }
        Incoming::Packet(Packet::Disconnect(disconnect)) => {
            let reason_code = disconnect.reason_code as u8;
            (Event::Disconnect { reason_code }, Some(Stage::Disconnect))
        }
        Incoming::Control(CLOSE, payload) => {
            let code = payload.first_chunk().map(|&code| u16::from_be_bytes(code));
            (Event::Close { code }, Some(Stage::Close))
        }
        other => (Event::Other(format!("{other:?}")), None),
    }
}

/// The record of every connection.
#[derive(Default)]
pub struct Record {
    pub connections: Vec<Vec<Event>>,
    /// How many of the connections are over.
    pub finished: usize,
}

/// The record of one connection, which is over when this is dropped.
pub struct ConnectionRecord {
    record: watch::Sender<Record>,
    index: usize,
}

impl ConnectionRecord {
    pub fn open(record: watch::Sender<Record>) -> Self {
        let index = record.borrow().connections.len();
        record.send_modify(|record| record.connections.push(Vec::new()));
        Self { record, index }
    }

    pub fn push(&self, event: Event) {
        self.record.send_modify(|record| record.connections[self.index].push(event));
    }
}

impl Drop for ConnectionRecord {
    fn drop(&mut self) {
        self.record.send_modify(|record| record.finished += 1);
    }
}
