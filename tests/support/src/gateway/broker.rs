//! A well-behaved broker behind the gateway, as far as a single client can see one. A [`Script`] can make it refuse
//! subscriptions and messages.
//!
//! OASIS MQTT 5.0, chapter 4 (operational behaviour).

use super::Script;
use super::mqtt::{PINGREQ, PINGRESP, PUBACK, Packet, SUBACK, connack, packet, publish_on};

/// The first reason code of an error (MQTT 5, section 2.4).
const ERROR: u8 = 0x80;

/// The broker's side of one connection; topic filters have no wildcards here.
pub struct Broker<'a> {
    subscriptions: Vec<(String, u8)>,
    last_id: u16,
    subacks: std::slice::Iter<'a, u8>,
    pubacks: std::slice::Iter<'a, u8>,
}

impl<'a> Broker<'a> {
    pub fn new(script: &'a Script) -> Self {
        let (subacks, pubacks) = (script.subacks.iter(), script.pubacks.iter());
        Self { subscriptions: Vec::new(), last_id: 0, subacks, pubacks }
    }

    /// The packets that the broker answers with.
    pub fn answer(&mut self, received: &Packet) -> Vec<Vec<u8>> {
        match received {
            Packet::Connect(_) => vec![connack(0, None)],
            Packet::Subscribe { id, filters } => {
                let mut body = [&id.to_be_bytes()[..], &[0]].concat();
                for (filter, qos) in filters {
                    let code = self.subacks.next().copied().unwrap_or(*qos.min(&1));
                    body.push(code);
                    if code < ERROR {
                        self.subscriptions.push((filter.clone(), *qos));
                    }
                }
                vec![packet(SUBACK << 4, &body)]
            }
            Packet::Publish { topic, id, properties_and_payload } => {
                let code = id.and_then(|_| self.pubacks.next()).copied().unwrap_or(0);
                let puback = id.map(|id| packet(PUBACK << 4, &[&id.to_be_bytes()[..], &[code]].concat()));
                let echo = (code < ERROR).then(|| self.echo(topic, *id, properties_and_payload)).flatten();
                puback.into_iter().chain(echo).collect()
            }
            Packet::Other(PINGREQ) => vec![packet(PINGRESP << 4, &[])],
            Packet::Disconnect { .. } | Packet::Other(_) => Vec::new(),
        }
    }

    fn echo(&mut self, topic: &str, id: Option<u16>, content: &[u8]) -> Option<Vec<u8>> {
        let mut subscriptions = self.subscriptions.iter();
        let (_, qos) = *subscriptions.find(|(filter, _)| filter == topic)?;
        let id = id.filter(|_| qos > 0).map(|_| {
            self.last_id += 1;
            self.last_id
        });
        Some(publish_on(topic, id, content))
    }
}
