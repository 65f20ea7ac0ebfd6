//! A well-behaved broker behind the gateway, as far as a single client can see one.
//!
//! OASIS MQTT 5.0, chapter 4 (operational behaviour).

use super::mqtt::{PINGREQ, PINGRESP, PUBACK, Packet, SUBACK, connack, packet, publish_on};

/// The broker's side of one connection; topic filters have no wildcards here.
#[derive(Default)]
pub struct Broker {
    subscriptions: Vec<(String, u8)>,
    last_id: u16,
}

impl Broker {
    /// The packets a good broker answers with.
    pub fn answer(&mut self, received: &Packet) -> Vec<Vec<u8>> {
        match received {
            Packet::Connect(_) => vec![connack(0, None)],
            Packet::Subscribe { id, filters } => {
                let granted: Vec<u8> = filters.iter().map(|(_, qos)| *qos.min(&1)).collect();
                self.subscriptions.extend_from_slice(filters);
                let body = [&id.to_be_bytes()[..], &[0], &granted].concat();
                vec![packet(SUBACK << 4, &body)]
            }
            Packet::Publish { topic, id, properties_and_payload } => {
                let puback = id.map(|id| packet(PUBACK << 4, &id.to_be_bytes()));
                let echo = self.echo(topic, *id, properties_and_payload);
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
