//! WebSocket frames, written and read by hand: a test must be able to send invalid frames, and to see exactly what the
//! client sent.
//!
//! RFC 6455, section 5 (framing; a client masks, a server does not) and section 7 (closing); MQTT 5, section 6 (packets
//! travel in binary frames and may cross the borders of frames).

use bytes::BytesMut;
use rumqttc::Packet;
use rumqttc::mqttbytes::Error;

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// A frame as a server sends it.
pub fn frame(opcode: u8, fin: bool, payload: &[u8]) -> Vec<u8> {
    let first = u8::from(fin) << 7 | opcode;
    let header = match payload.len() {
        short @ 0..126 => vec![first, short as u8],
        medium @ 126..65536 => [&[first, 126][..], &(medium as u16).to_be_bytes()].concat(),
        long => [&[first, 127][..], &(long as u64).to_be_bytes()].concat(),
    };
    [header.as_slice(), payload].concat()
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
    let &[first, second, ref rest @ ..] = &bytes[..] else { return Ok(None) };
    if first & 0x70 != 0 || second & 0x80 == 0 {
        return Err("a frame with reserved bits, or not masked".to_owned());
    }
    let (length, mask_at) = match second & 0x7F {
        126 => (rest.first_chunk().map(|&bytes| u16::from_be_bytes(bytes).into()), 4),
        127 => (rest.first_chunk().map(|&bytes| u64::from_be_bytes(bytes)), 10),
        short => (Some(u64::from(short)), 2),
    };
    let Some(size) = length.map(|length| mask_at + 4 + length as usize).filter(|size| *size <= bytes.len())
    else {
        return Ok(None);
    };
    let (mask, payload) = bytes[mask_at..size].split_at(4);
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    drop(bytes.split_to(size));
    Ok(Some(Frame { opcode: first & 0x0F, fin: first & 0x80 != 0, payload }))
}

/// One thing that a client sent after the upgrade.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
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
}

impl Decoder {
    pub fn next_incoming(&mut self) -> Result<Option<Incoming>, String> {
        loop {
            match Packet::read(&mut self.packets, None) {
                Ok(packet) => return Ok(Some(Incoming::Packet(packet))),
                Err(Error::InsufficientBytes(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
            let Some(frame) = take_frame(&mut self.bytes)? else { return Ok(None) };
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
}
