//! WebSocket frames (RFC 6455, section 5), and MQTT packets in them (MQTT 5, section 6). They are written by hand,
//! because a test must be able to send invalid ones, and read one by one, to see exactly what the client sent.

use bytes::{Buf, BytesMut};
use rumqttc::Packet;
use rumqttc::mqttbytes::Error;
use std::io::{self, Cursor};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

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

/// One thing that a client sent after the upgrade.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Incoming {
    Packet(Packet),
    /// A control frame: its opcode and its payload.
    Control(u8, Vec<u8>),
}

/// Decodes bytes into frames, and frames into MQTT packets.
#[derive(Default)]
pub struct Decoder {
    pub bytes: BytesMut,
    packets: BytesMut,
    inside_message: bool,
}

impl Decoder {
    pub fn next_incoming(&mut self) -> io::Result<Option<Incoming>> {
        loop {
            match Packet::read(&mut self.packets, None) {
                Ok(packet) => return Ok(Some(Incoming::Packet(packet))),
                Err(Error::InsufficientBytes(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
            let Some((header, payload)) = self.take_frame()? else { return Ok(None) };
            match (u8::from(header.opcode), self.inside_message) {
                (BINARY, false) | (CONTINUATION, true) => {
                    self.packets.extend(payload);
                    self.inside_message = !header.is_final;
                }
                (opcode @ (CLOSE | PING | PONG), _) => return Ok(Some(Incoming::Control(opcode, payload))),
                _ => return Err(io::Error::other(format!("a frame out of place: {header:?}"))),
            }
        }
    }

    /// The next frame with its payload unmasked, if it is all there.
    fn take_frame(&mut self) -> io::Result<Option<(FrameHeader, Vec<u8>)>> {
        let mut cursor = Cursor::new(&self.bytes);
        let parsed = FrameHeader::parse(&mut cursor).map_err(io::Error::other)?;
        let (begin, whole) = (cursor.position() as usize, self.bytes.len());
        let Some((header, length)) = parsed.filter(|(_, length)| begin + *length as usize <= whole) else {
            return Ok(None);
        };
        let mask = header.mask.filter(|_| !header.rsv1 && !header.rsv2 && !header.rsv3);
        let mask = mask.ok_or_else(|| io::Error::other("a frame with reserved bits, or not masked"))?;
        self.bytes.advance(begin);
        let payload = self.bytes.split_to(length as usize);
        let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        Ok(Some((header, payload)))
    }
}
