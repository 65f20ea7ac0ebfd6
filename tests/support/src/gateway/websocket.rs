//! WebSocket frames, written and read by hand: a test must be able to send invalid frames, and to see exactly
//! what the client sent.
//!
//! RFC 6455, section 5 (framing; a client masks, a server does not) and section 7 (closing); MQTT 5, section
//! 6 (packets travel in binary frames and may cross the borders of frames).

use super::mqtt::{self, Packet};
use bytes::{Buf, BytesMut};

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;
const LONGEST_FRAME: u64 = 1 << 20;

/// A frame as a server sends it.
pub fn frame(opcode: u8, fin: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        short @ 0..126 => bytes.push(short as u8),
        medium @ 126..65536 => {
            bytes.push(126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// A Close frame with a status code and a reason.
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(CLOSE, true, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

struct Frame {
    opcode: u8,
    fin: bool,
    payload: Vec<u8>,
}

/// The next frame a client sent, if it is all there.
fn take_frame(bytes: &mut BytesMut) -> Result<Option<Frame>, String> {
    let &[first, second, ..] = &bytes[..] else {
        return Ok(None);
    };
    if first & 0x70 != 0 || second & 0x80 == 0 {
        return Err("a frame with reserved bits, or not masked".into());
    }
    let length_size = match second & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask_at = 2 + length_size;
    if bytes.len() < mask_at + 4 {
        return Ok(None);
    }
    let length = match length_size {
        0 => u64::from(second & 0x7F),
        size => (&bytes[2..]).get_uint(size),
    };
    if length > LONGEST_FRAME {
        return Err(format!("a frame of {length} bytes"));
    }
    let size = mask_at + 4 + length as usize;
    if bytes.len() < size {
        return Ok(None);
    }
    let whole = bytes.split_to(size);
    let mask = whole[mask_at..].iter().take(4).cycle();
    let payload = whole[mask_at + 4..].iter();
    Ok(Some(Frame {
        opcode: first & 0x0F,
        fin: first & 0x80 != 0,
        payload: payload.zip(mask).map(|(byte, mask)| byte ^ mask).collect(),
    }))
}

/// One thing that a client sent after the upgrade.
pub enum Incoming {
    Packet(Packet),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

/// Decodes bytes into frames, and frames into MQTT packets.
#[derive(Default)]
pub struct Decoder {
    pub bytes: BytesMut,
    packets: BytesMut,
    inside_message: bool,
    connected: bool,
}

impl Decoder {
    pub fn next_incoming(&mut self) -> Result<Option<Incoming>, String> {
        loop {
            if let Some(packet) = mqtt::take_packet(&mut self.packets)? {
                return self.in_turn(packet).map(Some);
            }
            let Some(frame) = take_frame(&mut self.bytes)? else {
                return Ok(None);
            };
            match (frame.opcode, self.inside_message) {
                (BINARY, false) | (CONTINUATION, true) => {
                    self.packets.extend(frame.payload);
                    self.inside_message = !frame.fin;
                }
                (PING, _) => return Ok(Some(Incoming::Ping(frame.payload))),
                (PONG, _) => return Ok(Some(Incoming::Pong(frame.payload))),
                (CLOSE, _) => {
                    let code = frame.payload.first_chunk();
                    return Ok(Some(Incoming::Close(code.map(|&code| u16::from_be_bytes(code)))));
                }
                (opcode, _) => return Err(format!("a frame of opcode {opcode:#x} out of place")),
            }
        }
    }

    /// CONNECT comes first, and only once.
    fn in_turn(&mut self, packet: Packet) -> Result<Incoming, String> {
        if matches!(packet, Packet::Connect(_)) == self.connected {
            return Err(format!("an MQTT packet out of turn: {packet:?}"));
        }
        self.connected = true;
        Ok(Incoming::Packet(packet))
    }
}
