//! Packets by the byte: the server's first one, and those that the client sends.

use std::ops::ControlFlow::Break;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use super::first_packet::{FirstPacketError, check};
use super::outgoing::OutgoingPackets;

/// The code and the reason string of a refusal.
fn refusal(bytes: &[u8]) -> (u8, Option<String>) {
    match check(bytes) {
        Break(Err(
            FirstPacketError::Refused { code, reason } | FirstPacketError::Disconnected { code, reason },
        )) => (code.value(), reason),
        other => panic!("{bytes:?}: {other:?}"),
    }
}

#[test]
fn a_successful_connack_may_come_in_any_pieces() {
    // Session expiry, receive maximum, and a property that nobody knows, which are rumqttc's to judge.
    for connack in [
        &[0x20, 3, 0, 0, 0][..],
        &[0x20, 11, 0, 0, 8, 0x11, 0, 0, 0, 9, 0x21, 0, 9],
        &[0x20, 5, 0, 0, 2, 0x7E, 0],
    ] {
        for length in 0..connack.len() {
            assert!(check(&connack[..length]).is_continue(), "{connack:?}, {length} bytes");
        }
        assert!(matches!(check(connack), Break(Ok(()))), "{connack:?}");
        assert!(matches!(check(&[connack, &[0xE0, 0]].concat()), Break(Ok(()))), "{connack:?} and more");
    }
}

#[test]
fn a_refusal_has_its_code_and_its_reason() {
    let reason = |text: &str| [&[0x1F, 0, text.len() as u8], text.as_bytes()].concat();
    let packet = |kind, head: &[u8], properties: &[u8]| {
        let body = [head, &[properties.len() as u8], properties].concat();
        [&[kind, body.len() as u8], &body[..]].concat()
    };
    let no = Some("No.".to_owned());
    assert_eq!(refusal(&packet(0x20, &[0, 0x87], b"")), (0x87, None));
    assert_eq!(refusal(&packet(0x20, &[0, 0x87], &reason("No."))), (0x87, no.clone()));
    assert_eq!(refusal(&packet(0xE0, &[0x8B], &reason("No."))), (0x8B, no.clone()));
    assert_eq!(refusal(&[0xE0, 0]), (0, None));
    assert_eq!(refusal(&[0xE0, 1, 0x8E]), (0x8E, None));
    // Properties of every length may come before it.
    for before in [
        &[0x24, 1][..],
        &[0x21, 0, 9],
        &[0x27, 0, 0, 0, 9],
        &[0x12, 0, 2, b'i', b'd'],
        &[0x26, 0, 1, b'k', 0, 1, b'v'],
    ] {
        let properties = [before, &reason("No.")].concat();
        assert_eq!(refusal(&packet(0x20, &[0, 0x87], &properties)), (0x87, no.clone()), "{before:?}");
    }
    assert_eq!(refusal(&packet(0x20, &[0, 0x87], &[0x7E, 0])), (0x87, None), "an unknown property");
}

#[test]
fn what_is_no_connack_of_mqtt_5_is_refused() {
    for packet in [
        // MQTT 3.1.1, cut short in three places, PUBLISH, PINGRESP.
        &[0x20, 2, 0, 0][..],
        &[0x20, 2, 0, 0x87],
        &[0x20, 1, 0],
        &[0x20, 5, 0, 0, 3, 0x21, 0],
        &[0x30, 4, 0, 1, b't', 0],
        &[0xD0, 0],
    ] {
        assert!(matches!(check(packet), Break(Err(FirstPacketError::NotConnack))), "{packet:?}");
    }
    // A packet of type 0, a length that does not end, and one of more than 16 KiB.
    for bytes in [&[0x00, 0][..], &[0x20, 0xFF, 0xFF, 0xFF, 0xFF], &[0x20, 0x81, 0x80, 0x01]] {
        assert!(matches!(check(bytes), Break(Err(FirstPacketError::Malformed))), "{bytes:?}");
    }
    assert!(check(&[0x20, 0x80, 0x80, 0x01]).is_continue(), "16 KiB are allowed");
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(20_261_125),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The bytes are identifiers of properties of each form, and small lengths.
    #[test]
    fn no_properties_cause_a_panic(
        properties in vec(select(vec![0, 1, 2, 0x11, 0x12, 0x13, 0x1F, 0x24, 0x26, 0x7E]), 0..8),
    ) {
        let body = [&[0, 0x87, properties.len() as u8], &properties[..]].concat();
        prop_assert_eq!(refusal(&[&[0x20, body.len() as u8], &body[..]].concat()).0, 0x87);
    }
}

#[test]
fn packets_are_followed_however_they_are_cut() {
    let long = |first: u8| [&[first, 0x80, 0x02][..], &[0x82; 256]].concat();
    // Each with whether it must be answered. The bodies look like SUBSCRIBE, which must be.
    let packets = [
        (vec![0x10, 2, 0x82, 0x82], true),
        (vec![0x30, 3, 0x82, 0x82, 0x82], false),
        (vec![0xC0, 0], true),
        (long(0x30), false),
        (long(0x32), true),
        (vec![0x40, 2, 0x82, 0x82], false),
        (vec![0x34, 1, 0x82], true),
        (vec![0x62, 2, 0, 1], true),
        (vec![0x82, 2, 0, 1], true),
        (vec![0xA2, 2, 0, 1], true),
        (vec![0xE0, 0], false),
    ];
    // For each byte, whether it ends a packet that must be answered.
    let bytes = packets.iter().flat_map(|(packet, demands)| {
        packet.iter().enumerate().map(|(at, byte)| (*byte, at + 1 == packet.len() && *demands))
    });
    let (bytes, demands): (Vec<u8>, Vec<bool>) = bytes.unzip();
    for size in [1, 2, 3, 5, 7, 64, 259, 260, 261, 1000] {
        let mut outgoing = OutgoingPackets::default();
        for (nth, (piece, demands)) in bytes.chunks(size).zip(demands.chunks(size)).enumerate() {
            assert_eq!(outgoing.demand_answer(piece), demands.contains(&true), "piece {nth} of {size} bytes");
        }
    }
}
