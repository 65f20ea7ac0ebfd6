//! The MQTT 5 session: CONNECT to CONNACK, DISCONNECT to the end of every layer beneath.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Disconnect, Event, EventLoop, Incoming, MqttOptions, Outgoing, Packet,
    StateError,
};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::io::InspectReader;

use crate::connector::{ConnectError, Connector};
use crate::reason::ReasonCode;
use crate::stream::HangUp;

/// IoT Core takes 30 to 1200 s ("AWS IoT Core message broker and protocol limits and quotas"); a minute
/// keeps the connection through common NAT tables. Seconds.
const KEEP_ALIVE: u16 = 60;

/// As many unacknowledged publishes as IoT Core itself takes (same page).
const RECEIVE_MAXIMUM: u16 = 100;

/// rumqttc reserves room for as many publishes as may be unacknowledged. This session makes none; for one
/// that does, IoT Core takes 100.
const OUTGOING_INFLIGHT: u16 = 1;

/// How long DISCONNECT may take to leave.
const DISCONNECT_TIME: Duration = Duration::from_secs(1);

/// More than rumqttc takes for a packet. Bytes.
const FIRST_PACKET: usize = 16 * 1024;

/// No MQTT session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No byte stream to speak MQTT on.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// CONNACK with a reason code of 0x80 or more (MQTT 5 section 3.2.2.2).
    #[error("the server refused CONNECT: {}", code)]
    Refused {
        /// The reason code.
        code: ReasonCode,
        /// The reason string, if the server gave one.
        reason: Option<String>,
    },
    /// DISCONNECT from the server (MQTT 5 section 3.14.2.1).
    #[error("the server ended the session: {}", code)]
    Disconnected {
        /// The reason code.
        code: ReasonCode,
        /// The reason string, if the server gave one.
        reason: Option<String>,
    },
    /// The connection ended where CONNACK was due.
    #[error("the server hung up after CONNECT, without a CONNACK")]
    HungUp(#[source] Option<HangUp>),
    /// Frames that can hold no MQTT (MQTT 5 section 6).
    #[error("the server does not speak MQTT over WebSocket")]
    NotMqtt(#[source] HangUp),
    /// Bytes that are no MQTT 5 packet.
    #[error("the server sent a malformed MQTT 5 packet")]
    Malformed(#[source] rumqttc::Error),
    /// A packet that may not come first (MQTT 5 section 3.2).
    #[error("the server sent another packet where a CONNACK of MQTT 5 was due")]
    NotConnack,
    /// No CONNACK within the limit.
    #[error("the limit for connecting has passed")]
    TimedOut,
    /// Anything else, such as a CONNACK that contradicts the CONNECT.
    #[error("the MQTT session failed")]
    Other(#[source] Box<ConnectionError>),
}

/// An accepted session.
pub struct Session {
    client: AsyncClient,
    eventloop: EventLoop,
    connector: Arc<Connector>,
}

impl Session {
    /// Makes one attempt: a byte stream from `connector`, CONNECT, CONNACK. `limit` bounds it all.
    ///
    /// # Errors
    ///
    /// [`SessionError`], also when `limit` has passed.
    pub async fn connect(
        connector: Arc<Connector>,
        client_id: &str,
        limit: Duration,
    ) -> Result<Self, SessionError> {
        let (record, mut first_packet) = watch::channel(Vec::new());
        let mut options = MqttOptions::new(client_id, "the connector knows the endpoint");
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_start(true)
            .set_outgoing_inflight_upper_limit(OUTGOING_INFLIGHT)
            .set_receive_maximum(Some(RECEIVE_MAXIMUM))
            .set_connect_timeout(limit);
        options.set_socket_connector({
            let connector = connector.clone();
            move |_host, _network_options| {
                let (connector, record) = (connector.clone(), record.clone());
                async move {
                    let stream = connector.connect().await.map_err(io::Error::other)?;
                    Ok(InspectReader::new(stream, move |bytes| keep_first(&record, bytes)))
                }
            }
        });
        let (client, mut eventloop) = AsyncClient::builder(options).build();
        loop {
            let event = tokio::select! {
                biased;
                event = eventloop.poll() => event,
                // rumqttc waits for more of a packet that is too short, as a CONNACK of MQTT 3.1.1 is.
                Ok(_) = first_packet.wait_for(|packet| is_whole(packet)) => return Err(SessionError::NotConnack),
            };
            match event {
                // rumqttc passes over a packet that is too short, and takes the next.
                Ok(Event::Incoming(Incoming::ConnAck(_))) => match decode(&first_packet.borrow()) {
                    Ok(Packet::ConnAck(_)) => return Ok(Self { client, eventloop, connector }),
                    _ => return Err(SessionError::NotConnack),
                },
                Ok(_) => {}
                Err(error) => return Err(SessionError::from_rumqttc(error, &first_packet.borrow())),
            }
        }
    }

    /// DISCONNECT (0x00), Close 1000, close_notify, FIN. What the server makes of it no longer matters:
    /// the session was a success, and this takes little more than two seconds at most.
    pub async fn disconnect(mut self) {
        let goodbye = async {
            self.client.disconnect().await.ok();
            while let Ok(event) = self.eventloop.poll().await {
                if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                    break;
                }
            }
        };
        if timeout(DISCONNECT_TIME, goodbye).await.is_err() {
            tracing::warn!("DISCONNECT could not be sent in time");
        }
        drop(self.eventloop);
        self.connector.closed().await;
    }
}

impl SessionError {
    fn from_rumqttc(error: ConnectionError, first_packet: &[u8]) -> Self {
        use rumqttc::Error as Decode;
        match error {
            ConnectionError::Timeout(_) => Self::TimedOut,
            ConnectionError::Io(error) => match error.downcast::<ConnectError>() {
                Ok(error) => Self::Connect(error),
                Err(error) => Self::from_io(error),
            },
            ConnectionError::ConnectionRefused(_) => Self::from_connack(first_packet),
            ConnectionError::NotConnAck(packet) => match *packet {
                Packet::Disconnect(Disconnect { reason_code, properties }) => Self::Disconnected {
                    code: ReasonCode(reason_code as u8),
                    reason: properties.and_then(|properties| properties.reason_string),
                },
                _ => Self::NotConnack,
            },
            ConnectionError::MqttState(
                StateError::ConnectionAborted | StateError::Deserialization(Decode::Io(_)),
            ) if is_whole(first_packet) => Self::NotConnack,
            ConnectionError::MqttState(StateError::ConnectionAborted) => Self::HungUp(None),
            ConnectionError::MqttState(StateError::Deserialization(error)) => match error {
                Decode::Io(error) => Self::from_io(error),
                Decode::InvalidConnectReturnCode(_) => Self::from_connack(first_packet),
                other => Self::Malformed(other),
            },
            other => Self::Other(Box::new(other)),
        }
    }

    /// The end of the connection, unless the server broke the protocol first.
    fn from_io(error: io::Error) -> Self {
        match error.downcast::<HangUp>() {
            Ok(broken @ (HangUp::Broken(_) | HangUp::Text)) => Self::NotMqtt(broken),
            Ok(ended) => Self::HungUp(Some(ended)),
            Err(error) => Self::HungUp(Some(HangUp::Ended(error.into()))),
        }
    }

    /// rumqttc keeps neither the number nor the reason string of a refusal: packet type, remaining length
    /// of one to four bytes, flags, reason code, properties (MQTT 5 section 3.2).
    fn from_connack(packet: &[u8]) -> Self {
        let mut after_length = packet.iter().skip(1).skip_while(|byte| **byte >= 0x80).skip(2);
        let code = ReasonCode(after_length.next().copied().unwrap_or_default());
        let reason = match decode(packet) {
            Ok(Packet::ConnAck(connack)) => connack.properties.and_then(|p| p.reason_string),
            _ => None,
        };
        Self::Refused { code, reason }
    }
}

fn decode(packet: &[u8]) -> Result<Packet, rumqttc::Error> {
    Packet::read(&mut packet.into(), None)
}

/// Whether a packet is all there, by its own account (MQTT 5 section 2.1.4).
fn is_whole(packet: &[u8]) -> bool {
    let mut length = 0;
    for (index, byte) in packet.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * index);
        if *byte < 0x80 {
            return packet.len() >= 2 + index + length;
        }
    }
    false
}

fn keep_first(record: &watch::Sender<Vec<u8>>, bytes: &[u8]) {
    record.send_if_modified(|packet| {
        let wanted = !is_whole(packet) && packet.len() < FIRST_PACKET;
        if wanted {
            packet.extend_from_slice(bytes);
        }
        wanted
    });
}
