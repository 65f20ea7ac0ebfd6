//! The packets that an MQTT client sends: which of them the server must answer (MQTT 5 section 2.1.2).
//!
//! An MQTT client may put several packets into one write and cut a packet anywhere, so this follows the bytes.

#[derive(Default)]
pub(crate) struct OutgoingPackets {
    state: State,
}

#[derive(Clone, Copy, Default)]
enum State {
    /// The next byte is the first of a packet.
    #[default]
    First,
    /// The next byte belongs to the remaining length, of which this much is known.
    Length { demands: bool, value: usize, shift: u32 },
    /// This many bytes of the packet are still to come.
    Body { demands: bool, left: usize },
}

impl OutgoingPackets {
    /// Whether a packet that the server must answer ends in `bytes`, the next that are sent. Before its end there can be
    /// no answer, however long it takes to send.
    pub(crate) fn demand_answer(&mut self, mut bytes: &[u8]) -> bool {
        let mut demanded = false;
        while let Some(byte) = bytes.first() {
            let mut taken = 1;
            self.state = match self.state {
                State::First => State::Length { demands: demands_answer(*byte), value: 0, shift: 0 },
                State::Length { demands, value, shift } => {
                    let value = value | usize::from(byte & 0x7F) << shift;
                    match *byte >= 0x80 && shift < 21 {
                        true => State::Length { demands, value, shift: shift + 7 },
                        false => State::Body { demands, left: value },
                    }
                }
                State::Body { demands, left } => {
                    taken = left.min(bytes.len());
                    State::Body { demands, left: left - taken }
                }
            };
            bytes = &bytes[taken..];
            if let State::Body { demands, left: 0 } = self.state {
                demanded |= demands;
                self.state = State::First;
            }
        }
        demanded
    }
}

/// CONNECT, PUBLISH with QoS 1 or 2, PUBREL, SUBSCRIBE, UNSUBSCRIBE and PINGREQ, by the first byte.
fn demands_answer(first: u8) -> bool {
    match first >> 4 {
        3 => first & 0b0110 != 0,
        kind => matches!(kind, 1 | 6 | 8 | 10 | 12),
    }
}
