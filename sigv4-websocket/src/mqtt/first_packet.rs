//! The server's first MQTT packet, which must be a successful CONNACK (MQTT 5 section 3.2).
//!
//! An MQTT client checks it too, but rumqttc loses the reason string of a refusal and every reason code that it does
//! not know, and it ignores a packet whose body is too short.

use std::ops::ControlFlow;

use super::reason_code::ReasonCode;

/// The first byte of a CONNACK (MQTT 5 section 3.2.1).
const CONNACK: u8 = 0x20;

/// The first byte of a DISCONNECT (MQTT 5 section 3.14.1).
const DISCONNECT: u8 = 0xE0;

/// No CONNACK with sensible properties is longer than this, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FirstPacketError {
    /// CONNACK with another reason code than 0 (MQTT 5 section 3.2.2.2).
    #[error("the server refused CONNECT: {code}")]
    Refused { code: ReasonCode, reason: Option<String> },
    /// DISCONNECT in place of CONNACK (MQTT 5 section 3.14.2.1).
    #[error("the server answered CONNECT with DISCONNECT: {code}")]
    Disconnected { code: ReasonCode, reason: Option<String> },
    /// A packet that is not a CONNACK, or a CONNACK that is cut short.
    #[error("the server's first packet is not a CONNACK of MQTT 5")]
    NotConnack,
    /// Bytes that cannot be an MQTT packet, or a first packet of more than 16 KiB.
    #[error("the server sent a malformed MQTT packet")]
    Malformed,
}

/// Looks at `bytes`, the beginning of what the server sent. `Continue` means that more bytes are needed, `Break(Ok)`
/// that this is a successful CONNACK.
pub(crate) fn check(bytes: &[u8]) -> ControlFlow<Result<(), FirstPacketError>> {
    let refused = |error| ControlFlow::Break(Err(error));
    let (kind, rest) = match bytes {
        [] => return ControlFlow::Continue(()),
        [kind @ (CONNACK | DISCONNECT), rest @ ..] => (*kind, rest),
        [0..=0x0F, ..] => return refused(FirstPacketError::Malformed),
        _ => return refused(FirstPacketError::NotConnack),
    };
    let (length, rest) = match variable_byte_integer(rest) {
        Some((length, _)) if length > MAX_LENGTH => return refused(FirstPacketError::Malformed),
        Some(found) => found,
        None if rest.len() < 4 => return ControlFlow::Continue(()),
        None => return refused(FirstPacketError::Malformed),
    };
    match rest.get(..length) {
        Some(body) => ControlFlow::Break(verdict(kind, body)),
        None => ControlFlow::Continue(()),
    }
}

fn verdict(kind: u8, body: &[u8]) -> Result<(), FirstPacketError> {
    if kind == DISCONNECT {
        // The reason code and the properties may be left out (MQTT 5 section 3.14.2.1).
        let (code, properties) = body.split_first().unwrap_or((&0, &[]));
        return Err(FirstPacketError::Disconnected {
            code: ReasonCode(*code),
            reason: reason_string(properties),
        });
    }
    let [_flags, code, properties @ ..] = body else { return Err(FirstPacketError::NotConnack) };
    // A packet that is cut short has fewer properties than it says, or no length of them at all, as in MQTT 3.1.1.
    match variable_byte_integer(properties) {
        Some((length, rest)) if rest.len() == length && *code == 0 => Ok(()),
        Some((length, rest)) if rest.len() == length => {
            Err(FirstPacketError::Refused { code: ReasonCode(*code), reason: reason_string(properties) })
        }
        _ => Err(FirstPacketError::NotConnack),
    }
}

/// The reason string among these properties, if there is one and no unknown property comes before it (MQTT 5 section
/// 2.2.2).
fn reason_string(properties: &[u8]) -> Option<String> {
    let (_length, mut rest) = variable_byte_integer(properties)?;
    while let Some((identifier, value)) = rest.split_first() {
        rest = match identifier {
            0x24 | 0x25 | 0x28..=0x2A => value.get(1..)?,
            0x13 | 0x21 | 0x22 => value.get(2..)?,
            0x11 | 0x27 => value.get(4..)?,
            0x12 | 0x15 | 0x16 | 0x1A | 0x1C => string(value)?.1,
            0x26 => string(string(value)?.1)?.1,
            0x1F => return Some(String::from_utf8_lossy(string(value)?.0).into_owned()),
            _ => return None,
        };
    }
    None
}

/// The string after two bytes of length, and the rest (MQTT 5 sections 1.5.4 and 1.5.6).
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

/// An integer of seven bits in each byte, the lowest first, four bytes at most, and the rest (MQTT 5 section 1.5.5).
fn variable_byte_integer(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().take(4).position(|byte| *byte < 0x80)?;
    let (digits, rest) = bytes.split_at(last + 1);
    Some((digits.iter().rev().fold(0, |value, digit| value << 7 | usize::from(digit & 0x7F)), rest))
}
