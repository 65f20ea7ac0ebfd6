//! What the gateway saw, in the order it saw it.

use super::http::{Refusal, Request};
use super::sigv4::Verified;
use super::websocket::Incoming;
use rumqttc::{Connect, Packet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

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
        payload: Vec<u8>,
    },
    Disconnect {
        reason_code: u8,
    },
    /// The frame Close.
    Close {
        code: Option<u16>,
    },
    /// TLS close_notify arrived.
    CloseNotify,
    /// TCP end of stream, after close_notify if there was TLS.
    Fin,
    /// Something else that arrived, or the error with which the connection ended.
    Other(String),
}

/// How a connection ends that a client closes cleanly.
pub const CLEAN_CLOSE: [Event; 4] =
    [Event::Disconnect { reason_code: 0 }, Event::Close { code: Some(1000) }, Event::CloseNotify, Event::Fin];

impl From<&Incoming> for Event {
    fn from(incoming: &Incoming) -> Self {
        match incoming {
            Incoming::Packet(Packet::Connect(connect, ..)) => Event::Connect(connect.clone()),
            Incoming::Packet(Packet::Subscribe(_)) => Event::Subscribe,
            Incoming::Packet(Packet::Publish(publish)) => Event::Publish {
                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                payload: publish.payload.to_vec(),
            },
            Incoming::Packet(Packet::Disconnect(disconnect)) => {
                Event::Disconnect { reason_code: disconnect.reason_code as u8 }
            }
            &Incoming::Close(code) => Event::Close { code },
            other => Event::Other(format!("{other:?}")),
        }
    }
}

#[derive(Default)]
struct State {
    connections: Vec<Vec<Event>>,
    finished: usize,
}

/// The record of every connection.
#[derive(Clone, Default)]
pub struct Record(watch::Sender<State>);

impl Record {
    const LIMIT: Duration = Duration::from_secs(20);

    pub fn open(&self) -> ConnectionRecord {
        let mut index = 0;
        self.0.send_modify(|state| {
            index = state.connections.len();
            state.connections.push(Vec::new());
        });
        ConnectionRecord { record: self.clone(), index }
    }

    pub fn connections(&self) -> Vec<Vec<Event>> {
        self.0.borrow().connections.clone()
    }

    pub async fn finished(&self, connections: usize) {
        self.wait_for(|state| state.finished >= connections).await;
    }

    pub async fn seen(&self, connection: usize, wanted: impl Fn(&Event) -> bool) {
        let seen = |events: &Vec<Event>| events.iter().any(&wanted);
        self.wait_for(|state| state.connections.get(connection).is_some_and(seen)).await;
    }

    async fn wait_for(&self, done: impl FnMut(&State) -> bool) {
        let mut changes = self.0.subscribe();
        if timeout(Self::LIMIT, changes.wait_for(done)).await.is_err() {
            panic!("the gateway waited in vain; it saw {:#?}", self.connections());
        }
    }
}

/// The record of one connection, which is over when this is dropped.
pub struct ConnectionRecord {
    record: Record,
    index: usize,
}

impl ConnectionRecord {
    pub fn push(&self, event: Event) {
        self.record.0.send_modify(|state| state.connections[self.index].push(event));
    }
}

impl Drop for ConnectionRecord {
    fn drop(&mut self) {
        self.record.0.send_modify(|state| state.finished += 1);
    }
}
