//! MQTT 5, as a polite broker speaks it to a single client. rumqttc reads what the client sends. What the gateway sends
//! is written by hand, because the tests also need packets that no library would write.
//!
//! OASIS MQTT 5.0, chapters 3 (packets) and 4 (operational behaviour). The properties in CONNACK are those of "AWS IoT
//! Core message broker and protocol limits and quotas".

use super::Script;
use super::websocket::{BINARY, CLOSE, Incoming, PONG, frame};
use rumqttc::{Packet, Publish, QoS};

/// The first reason code of an error (MQTT 5, section 2.4).
const ERROR: u8 = 0x80;

/// The gateway's side of one session. Topic filters have no wildcards here.
pub struct Broker<'a> {
    subscriptions: Vec<(String, QoS)>,
    last_id: u16,
    subacks: std::slice::Iter<'a, u8>,
    pubacks: std::slice::Iter<'a, u8>,
}

impl<'a> Broker<'a> {
    pub fn new(script: &'a Script) -> Self {
        let (subacks, pubacks) = (script.subacks.iter(), script.pubacks.iter());
        Self { subscriptions: Vec::new(), last_id: 0, subacks, pubacks }
    }

    /// The frames that a good broker answers with.
    pub fn answer(&mut self, received: &Incoming) -> Vec<u8> {
        let packets = match received {
            Incoming::Packet(packet) => self.packets(packet),
            Incoming::Ping(payload) => return frame(PONG, true, payload),
            Incoming::Pong(_) => return Vec::new(),
            // Close is answered with the client's own code.
            Incoming::Close(code) => {
                let code: Vec<u8> = code.iter().flat_map(|code| code.to_be_bytes()).collect();
                return frame(CLOSE, true, &code);
            }
        };
        packets.iter().flat_map(|packet| frame(BINARY, true, packet)).collect()
    }

    fn packets(&mut self, received: &Packet) -> Vec<Vec<u8>> {
        match received {
            Packet::Connect(..) => vec![connack(0, None)],
            Packet::Subscribe(subscribe) => {
                let mut body = [&subscribe.pkid.to_be_bytes()[..], &[0]].concat();
                for filter in &subscribe.filters {
                    let granted = u8::from(filter.qos != QoS::AtMostOnce);
                    let code = self.subacks.next().copied().unwrap_or(granted);
                    body.push(code);
                    if code < ERROR {
                        self.subscriptions.push((filter.path.clone(), filter.qos));
                    }
                }
                vec![packet(0x90, &body)]
            }
            Packet::Publish(publish) => {
                if publish.qos == QoS::AtMostOnce {
                    return self.echo(publish).into_iter().collect();
                }
                let code = self.pubacks.next().copied().unwrap_or(0);
                let puback = packet(0x40, &[&publish.pkid.to_be_bytes()[..], &[code]].concat());
                let echo = (code < ERROR).then(|| self.echo(publish)).flatten();
                [puback].into_iter().chain(echo).collect()
            }
            Packet::PingReq => vec![packet(0xD0, &[])],
            _ => Vec::new(),
        }
    }

    fn echo(&mut self, publish: &Publish) -> Option<Vec<u8>> {
        let (topic, qos) =
            self.subscriptions.iter().find(|(filter, _)| filter.as_bytes() == publish.topic)?;
        if [*qos, publish.qos].contains(&QoS::AtMostOnce) {
            return Some(self::publish(topic, &publish.payload));
        }
        self.last_id += 1;
        let id = self.last_id.to_be_bytes();
        Some(packet(0x32, &[&text(topic)[..], &id, &[0], &publish.payload].concat()))
    }
}

/// A packet of any kind: its first byte, the Remaining Length, and the rest.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first][..], &variable_byte_integer(body.len()), body].concat()
}

/// The length of the properties comes before them, like the Remaining Length of a packet.
fn variable_byte_integer(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

pub fn connack(reason_code: u8, reason_string: Option<&str>) -> Vec<u8> {
    // Receive maximum 100, maximum QoS 1.
    let mut properties = if reason_code == 0 { vec![0x21, 0, 100, 0x24, 1] } else { Vec::new() };
    if let Some(reason) = reason_string {
        properties.push(0x1F);
        properties.extend(text(reason));
    }
    packet(0x20, &[&[0, reason_code][..], &variable_byte_integer(properties.len()), &properties].concat())
}

pub fn disconnect(reason_code: u8) -> Vec<u8> {
    packet(0xE0, &[reason_code, 0])
}

pub fn disconnect_because(reason_code: u8, reason_string: &str) -> Vec<u8> {
    let reason = [&[0x1F][..], &text(reason_string)].concat();
    packet(0xE0, &[&[reason_code][..], &variable_byte_integer(reason.len()), &reason].concat())
}

/// A PUBLISH of QoS 0.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&text(topic)[..], &[0], payload].concat())
}
