//! MQTT 5, as a well-behaved broker speaks it to a single client. rumqttc reads what the client sends. What the gateway
//! sends is written by hand, because the tests also need packets that no library would write.

use super::Script;
use super::websocket::{BINARY, CLOSE, Incoming, PING, PONG, frame};
use rumqttc::{Packet, QoS};

/// The first reason code of an error (MQTT 5, section 2.4).
const ERROR: u8 = 0x80;

/// The gateway's side of one session. Topic filters have no wildcards here, and messages are delivered with QoS 0.
pub struct Broker<'a> {
    subscriptions: Vec<String>,
    subacks: std::slice::Iter<'a, u8>,
    pubacks: std::slice::Iter<'a, u8>,
}

impl<'a> Broker<'a> {
    pub fn new(script: &'a Script) -> Self {
        Self { subscriptions: Vec::new(), subacks: script.subacks.iter(), pubacks: script.pubacks.iter() }
    }

    /// The frames that a good broker answers with.
    pub fn answer(&mut self, received: &Incoming) -> Vec<u8> {
        match received {
            Incoming::Packet(packet) => {
                self.packets(packet).iter().flat_map(|packet| frame(BINARY, true, packet)).collect()
            }
            Incoming::Control(PING, payload) => frame(PONG, true, payload),
            Incoming::Control(CLOSE, payload) => frame(CLOSE, true, payload),
            Incoming::Control(..) => Vec::new(),
        }
    }

    fn packets(&mut self, received: &Packet) -> Vec<Vec<u8>> {
        match received {
            Packet::Connect(..) => vec![connack(0, None)],
            Packet::Subscribe(subscribe) => {
                let mut suback = [&subscribe.pkid.to_be_bytes()[..], &[0]].concat();
                for filter in &subscribe.filters {
                    let code = self.subacks.next().copied().unwrap_or((filter.qos as u8).min(1));
                    suback.push(code);
                    if code < ERROR {
                        self.subscriptions.push(filter.path.clone());
                    }
                }
                vec![packet(0x90, &suback)]
            }
            Packet::Publish(received) => {
                let mut packets = Vec::new();
                let mut code = 0;
                if received.qos != QoS::AtMostOnce {
                    code = self.pubacks.next().copied().unwrap_or(0);
                    packets.push(packet(0x40, &[&received.pkid.to_be_bytes()[..], &[code]].concat()));
                }
                let topic = self.subscriptions.iter().find(|filter| filter.as_bytes() == received.topic);
                packets.extend(topic.filter(|_| code < ERROR).map(|topic| publish(topic, &received.payload)));
                packets
            }
            Packet::PingReq => vec![packet(0xD0, &[])],
            _ => Vec::new(),
        }
    }
}

/// A packet of any kind: its first byte, the Remaining Length, and the rest.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first][..], &counted(body)].concat()
}

/// These bytes after their number, as the Remaining Length and the length of the properties are written.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let (mut counted, mut number) = (Vec::new(), bytes.len());
    while number >= 0x80 {
        counted.push(number as u8 | 0x80);
        number >>= 7;
    }
    counted.push(number as u8);
    [&counted, bytes].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

pub fn connack(reason_code: u8, reason_string: Option<&str>) -> Vec<u8> {
    // Receive maximum 100, maximum QoS 1 ("AWS IoT Core message broker and protocol limits and quotas").
    let limits = if reason_code == 0 { &[0x21, 0, 100, 0x24, 1][..] } else { &[] };
    let reason = reason_string.map_or_else(Vec::new, |reason| [&[0x1F][..], &text(reason)].concat());
    packet(0x20, &[&[0, reason_code][..], &counted(&[limits, &reason].concat())].concat())
}

pub fn disconnect(reason_code: u8) -> Vec<u8> {
    packet(0xE0, &[reason_code, 0])
}

pub fn disconnect_because(reason_code: u8, reason_string: &str) -> Vec<u8> {
    let reason = [&[0x1F][..], &text(reason_string)].concat();
    packet(0xE0, &[&[reason_code][..], &counted(&reason)].concat())
}

/// A PUBLISH of QoS 0.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&text(topic)[..], &[0], payload].concat())
}
