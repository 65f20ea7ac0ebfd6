//! Whether a server's bytes accept the session, judged without the program's code.
//!
//! RFC 6455 section 4.1 (a 101 that answers this request) and section 5 (frames of a server); MQTT 5 section
//! 3.2 (CONNACK comes first, and its reason code is 0). If the bytes break a rule that does not matter for
//! this, such as a flag that must be zero, the program may accept or refuse them.

/// Whether the bytes begin with a 101 for this `sec-websocket-accept` and go on with a successful CONNACK.
pub fn accepts(bytes: &[u8], accept: &str) -> bool {
    after_switch(bytes, accept).is_some_and(|frames| first_packet(frames) == Some(true))
}

/// Whether a proxy's bytes open a tunnel to a server that has not spoken yet (RFC 9110 section 9.3.6).
pub fn opens(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = response.parse(bytes) else { return false };
    match response.code {
        Some(200..300) => bytes.len() == length,
        Some(100..200) => opens(&bytes[length..]),
        _ => false,
    }
}

/// What follows the 101. Other 1xx answers may come before it (RFC 9110 section 15.2).
fn after_switch<'a>(bytes: &'a [u8], accept: &str) -> Option<&'a [u8]> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).ok()? else { return None };
    let rest = &bytes[length..];
    match response.code? {
        101 => {}
        100..200 => return after_switch(rest, accept),
        _ => return None,
    }
    let lists = |name: &str, wanted: &str| {
        let values = response.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let values = values.filter_map(|header| str::from_utf8(header.value).ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(wanted))
    };
    let is_ours = lists("upgrade", "websocket")
        && lists("connection", "upgrade")
        && lists("sec-websocket-accept", accept)
        && lists("sec-websocket-protocol", "mqtt");
    is_ours.then_some(rest)
}

/// Whether the first packet in the frames is a successful CONNACK; `None` if it is incomplete.
fn first_packet(mut frames: &[u8]) -> Option<bool> {
    let mut packets = Vec::new();
    loop {
        let (&[first, second], rest) = frames.split_first_chunk()?;
        let (length, rest) = match second {
            0..126 => (usize::from(second), rest),
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
            }
            // A server does not mask.
            128.. => return None,
        };
        let (payload, rest) = rest.split_at_checked(length)?;
        frames = rest;
        match first & 0x7F {
            0x0 | 0x2 => packets.extend_from_slice(payload),
            0x9 | 0xA => continue,
            _ => return None,
        }
        if let Some(verdict) = is_connack(&packets) {
            return Some(verdict);
        }
    }
}

fn is_connack(packets: &[u8]) -> Option<bool> {
    let (first, rest) = packets.split_first()?;
    let size = rest.iter().take(4).position(|byte| *byte < 0x80)? + 1;
    let digits = rest[..size].iter().rev();
    let length = digits.fold(0, |length, digit| length << 7 | usize::from(digit & 0x7F));
    let body = rest[size..].get(..length)?;
    Some(first >> 4 == 2 && body.get(1) == Some(&0))
}

#[test]
fn only_a_101_with_a_connack_of_success_accepts() {
    use crate::gateway::http::switching_protocols;
    use crate::gateway::websocket::{BINARY, PING, TEXT};
    use crate::gateway::{connack, disconnect, frame};
    let (head, yes) = (switching_protocols("key", Some("mqtt")), frame(BINARY, true, &connack(0, None)));
    let ping = frame(PING, true, b"?");
    let bytewise: Vec<u8> = connack(0, None).iter().flat_map(|byte| frame(BINARY, true, &[*byte])).collect();
    let cut_off = &yes[..yes.len() - 1];
    let disconnected = [frame(BINARY, true, &disconnect(0)), yes.clone()].concat();
    for (accepted, head, frames) in [
        (true, head.clone(), &yes[..]),
        (true, format!("HTTP/1.1 100 Continue\r\n\r\n{head}"), &[ping, yes.clone()].concat()),
        (true, head.clone(), &bytewise),
        (false, head.clone(), b""),
        (false, head.clone(), cut_off),
        (false, head.clone(), &frame(BINARY, true, &connack(0x87, None))),
        (false, head.clone(), &disconnected),
        (false, head.clone(), &frame(TEXT, true, &connack(0, None))),
        (false, switching_protocols("other", Some("mqtt")), &yes),
        (false, switching_protocols("key", Some("mqttv3.1")), &yes),
        (false, switching_protocols("key", None), &yes),
        (false, head.replace("101", "200"), &yes),
    ] {
        assert_eq!(accepts(&[head.as_bytes(), frames].concat(), "key"), accepted, "{head}{frames:?}");
    }
}
