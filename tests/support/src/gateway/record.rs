//! What the gateway saw, in the order it saw it.

use super::http::Request;
use super::mqtt::Connect;
use super::sigv4::Verified;
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
    /// That handshake resumed an earlier session, without certificates.
    Resumed,
    /// The TLS handshake failed, most often because the client refused the certificate.
    TlsFailed(String),
    Request(Request),
    Signed(Verified),
    Refused {
        status: u16,
        message: String,
    },
    /// The request is answered with 101.
    Upgraded,
    Connect(Connect),
    Publish {
        topic: String,
        /// As they stand in the packet: the length of the properties, the properties, the payload.
        properties_and_payload: Vec<u8>,
    },
    /// Any other MQTT packet, by its packet type (PINGREQ is 12).
    Packet(u8),
    Disconnect {
        reason_code: u8,
    },
    /// WebSocket control frames.
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close {
        code: Option<u16>,
    },
    /// TLS close_notify arrived.
    CloseNotify,
    /// TCP end of stream, after close_notify if there was TLS.
    Fin,
    EndedWithoutCloseNotify,
    Reset,
    /// The client broke the rules of TLS, WebSocket or MQTT.
    Violation(String),
    /// The gateway was done, and the client did not end the connection within five seconds.
    LeftOpen,
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

    pub fn snapshot(&self) -> Vec<Vec<Event>> {
        self.0.borrow().connections.clone()
    }

    pub async fn finished(&self, connections: usize) {
        self.wait_for(|state| state.finished >= connections).await;
    }

    pub async fn seen(&self, connection: usize, wanted: impl Fn(&Event) -> bool) {
        self.wait_for(|state| {
            let events = state.connections.get(connection);
            events.is_some_and(|events| events.iter().any(&wanted))
        })
        .await;
    }

    async fn wait_for(&self, done: impl FnMut(&State) -> bool) {
        let mut changes = self.0.subscribe();
        if timeout(Self::LIMIT, changes.wait_for(done)).await.is_err() {
            panic!("the gateway waited in vain; it saw {:#?}", self.snapshot());
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
