//! As much of MQTT 5 as a polite broker needs for one client: packets read and written by hand.
//!
//! OASIS MQTT 5.0, chapter 3 (packets) and section 2.2.2 (properties). The properties in CONNACK
//! are those of "AWS IoT Core message broker and protocol limits and quotas".

use bytes::{Buf, Bytes, BytesMut};

pub const CONNECT: u8 = 1;
pub const PUBLISH: u8 = 3;
pub const PUBACK: u8 = 4;
pub const SUBSCRIBE: u8 = 8;
pub const SUBACK: u8 = 9;
pub const PINGREQ: u8 = 12;
pub const PINGRESP: u8 = 13;
pub const DISCONNECT: u8 = 14;

#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    pub client_id: String,
    pub protocol_level: u8,
    pub clean_start: bool,
    pub keep_alive: u16,
    pub receive_maximum: Option<u16>,
}

/// A packet from the client.
#[derive(Debug)]
pub enum Packet {
    Connect(Connect),
    Publish { topic: String, id: Option<u16>, properties_and_payload: Bytes },
    Subscribe { id: u16, filters: Vec<(String, u8)> },
    Disconnect { reason_code: u8 },
    Other(u8),
}

impl Packet {
    pub fn packet_type(&self) -> u8 {
        match self {
            Packet::Connect(_) => CONNECT,
            Packet::Publish { .. } => PUBLISH,
            Packet::Subscribe { .. } => SUBSCRIBE,
            Packet::Disconnect { .. } => DISCONNECT,
            Packet::Other(packet_type) => *packet_type,
        }
    }
}

/// The next packet, if all of it has arrived.
pub fn take_packet(bytes: &mut BytesMut) -> Result<Option<Packet>, String> {
    let mut rest = &bytes[..];
    let Ok(first) = rest.try_get_u8() else {
        return Ok(None);
    };
    let Some(length) = take_length(&mut rest)? else {
        return Ok(None);
    };
    if rest.len() < length {
        return Ok(None);
    }
    bytes.advance(bytes.len() - rest.len());
    let body = bytes.split_to(length).freeze();
    parse(first, body).map(Some).ok_or_else(|| format!("a malformed MQTT packet, first byte {first:#04x}"))
}

/// A Variable Byte Integer; None if it is not all there yet.
fn take_length(bytes: &mut impl Buf) -> Result<Option<usize>, String> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let Ok(byte) = bytes.try_get_u8() else {
            return Ok(None);
        };
        length |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some(length));
        }
    }
    Err("a Variable Byte Integer of more than four bytes".into())
}

fn parse(first: u8, mut body: Bytes) -> Option<Packet> {
    Some(match first >> 4 {
        CONNECT => Packet::Connect(parse_connect(body)?),
        PUBLISH => Packet::Publish {
            topic: take_text(&mut body)?,
            id: match first >> 1 & 3 {
                0 => None,
                1 => Some(body.try_get_u16().ok()?),
                _ => return None, // CONNACK has said that QoS 1 is the highest.
            },
            properties_and_payload: body,
        },
        SUBSCRIBE => {
            let (id, _) = (body.try_get_u16().ok()?, take_properties(&mut body)?);
            let mut filters = Vec::new();
            while !body.is_empty() {
                filters.push((take_text(&mut body)?, body.try_get_u8().ok()? & 3));
            }
            Packet::Subscribe { id, filters }
        }
        DISCONNECT => Packet::Disconnect { reason_code: body.first().copied().unwrap_or(0) },
        other => Packet::Other(other),
    })
}

fn parse_connect(mut body: Bytes) -> Option<Connect> {
    let protocol_name = take_text(&mut body)?;
    let protocol_level = body.try_get_u8().ok()?;
    if (protocol_name.as_str(), protocol_level) != ("MQTT", 5) {
        return None;
    }
    let flags = body.try_get_u8().ok()?;
    let keep_alive = body.try_get_u16().ok()?;
    let receive_maximum = find_receive_maximum(take_properties(&mut body)?)?;
    let client_id = take_text(&mut body)?;
    let clean_start = flags & 2 != 0;
    Some(Connect { client_id, protocol_level, clean_start, keep_alive, receive_maximum })
}

fn find_receive_maximum(mut properties: Bytes) -> Option<Option<u16>> {
    let mut found = None;
    while let Ok(identifier) = properties.try_get_u8() {
        match identifier {
            0x21 => found = Some(properties.try_get_u16().ok()?),
            0x11 | 0x27 => drop(properties.try_get_u32().ok()?),
            0x22 => drop(properties.try_get_u16().ok()?),
            0x17 | 0x19 => drop(properties.try_get_u8().ok()?),
            0x15 | 0x16 => drop(take_binary(&mut properties)?),
            0x26 => drop((take_binary(&mut properties)?, take_binary(&mut properties)?)),
            _ => return None,
        }
    }
    Some(found)
}

fn take_properties(body: &mut Bytes) -> Option<Bytes> {
    let length = take_length(body).ok()??;
    (length <= body.len()).then(|| body.split_to(length))
}

fn take_binary(body: &mut Bytes) -> Option<Bytes> {
    let length = usize::from(body.try_get_u16().ok()?);
    (length <= body.len()).then(|| body.split_to(length))
}

fn take_text(body: &mut Bytes) -> Option<String> {
    String::from_utf8(take_binary(body)?.into()).ok()
}

/// A packet of any kind: its first byte, the Remaining Length, and the rest.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    put_length(&mut bytes, body.len());
    bytes.extend(body);
    bytes
}

fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u16).to_be_bytes());
    bytes.extend(text.as_bytes());
}

pub fn connack(reason_code: u8, reason_string: Option<&str>) -> Vec<u8> {
    let mut properties = match reason_code {
        0 => vec![0x21, 0, 100, 0x24, 1], // receive maximum 100, maximum QoS 1
        _ => Vec::new(),
    };
    if let Some(text) = reason_string {
        properties.push(0x1F);
        put_text(&mut properties, text);
    }
    let mut body = vec![0, reason_code];
    put_length(&mut body, properties.len());
    body.extend(properties);
    packet(0x20, &body)
}

pub fn disconnect(reason_code: u8) -> Vec<u8> {
    packet(DISCONNECT << 4, &[reason_code, 0])
}

pub fn disconnect_because(reason_code: u8, reason_string: &str) -> Vec<u8> {
    let mut properties = vec![0x1F];
    put_text(&mut properties, reason_string);
    let mut body = vec![reason_code];
    put_length(&mut body, properties.len());
    body.extend(properties);
    packet(DISCONNECT << 4, &body)
}

/// A PUBLISH of QoS 0.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    publish_on(topic, None, &[&[0], payload].concat())
}

/// With a packet identifier the PUBLISH has QoS 1.
pub fn publish_on(topic: &str, id: Option<u16>, properties_and_payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, topic);
    body.extend(id.map(u16::to_be_bytes).into_iter().flatten());
    body.extend(properties_and_payload);
    packet(PUBLISH << 4 | u8::from(id.is_some()) << 1, &body)
}
