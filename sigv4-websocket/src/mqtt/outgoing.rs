//! The packets that an MQTT client sends: which of them the server must answer (MQTT 5 section 2.1.2).
//!
//! An MQTT client may put several packets into one write and cut a packet anywhere, so this follows the bytes.

/// Follows the packets of one connection.
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
    Length { value: usize, shift: u32 },
    /// This many bytes of the packet are still to come.
    Body(usize),
}

impl OutgoingPackets {
    /// Whether a packet that the server must answer begins in `bytes`, the next that are sent.
    pub(crate) fn demand_answer(&mut self, mut bytes: &[u8]) -> bool {
        let mut demanded = false;
        while let Some((byte, rest)) = bytes.split_first() {
            self.state = match self.state {
                State::First => {
                    demanded |= demands_answer(*byte);
                    State::Length { value: 0, shift: 0 }
                }
                State::Length { value, shift } => {
                    let value = value | usize::from(byte & 0x7F) << shift;
                    match (*byte >= 0x80 && shift < 21, value) {
                        (true, _) => State::Length { value, shift: shift + 7 },
                        (false, 0) => State::First,
                        (false, length) => State::Body(length),
                    }
                }
                State::Body(left) => {
                    let taken = left.min(bytes.len());
                    bytes = &bytes[taken..];
                    self.state = if taken == left { State::First } else { State::Body(left - taken) };
                    continue;
                }
            };
            bytes = rest;
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
