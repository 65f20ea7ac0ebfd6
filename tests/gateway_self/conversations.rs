//! An honest gateway with good and bad clients, and what it records of them.

use crate::client::*;
use crate::gateway::mqtt::{PINGREQ, SUBSCRIBE};
use crate::gateway::websocket::BINARY;
use crate::gateway::{ACCESS_KEY, Event, Gateway, Key, Script, frame};
use crate::presigned::PERMANENT;
use futures_util::StreamExt;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn an_honest_session_is_recorded_from_accept_to_fin() {
    let gateway = Gateway::start(PERMANENT.script()).await;
    let mut socket = upgraded(&gateway).await;
    send(&mut socket, &CONNECT_PACKET[..7]).await;
    send(&mut socket, &CONNECT_PACKET[7..]).await;
    assert_eq!(receive(&mut socket).await, CONNACK_PACKET);
    send(&mut socket, b"\x82\x09\0\x01\0\0\x03a/b\x02").await;
    assert_eq!(receive(&mut socket).await, b"\x90\x04\0\x01\0\x01");
    send(&mut socket, b"\x32\x0A\0\x03a/b\0\x07\0hi\x30\x08\0\x03a/c\0hi").await;
    assert_eq!(receive(&mut socket).await, b"\x40\x02\0\x07");
    assert_eq!(receive(&mut socket).await, b"\x32\x0A\0\x03a/b\0\x01\0hi");
    send(&mut socket, b"\xC0\0").await;
    assert_eq!(receive(&mut socket).await, b"\xD0\0");
    send(&mut socket, b"\xE0\0").await;
    socket.close(None).await.expect("Close goes out");
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    let silence = timeout(Duration::from_millis(300), socket.next()).await;
    assert!(silence.is_err(), "the gateway left TCP open: {silence:?}");
    socket.get_mut().shutdown().await.expect("close_notify and FIN");
    gateway.finished(1).await;

    let events = &gateway.connections()[0];
    let tls = Event::Tls { server_name: Some("localhost".into()), alpn: vec![] };
    assert_eq!(events[..2], [Event::Accepted, tls]);
    let Event::Request(request) = &events[2] else {
        panic!("no request in {events:?}");
    };
    assert_eq!((&*request.target, request.only_header("host")), (PERMANENT.target, Some(PERMANENT.host)));
    let Event::Signed(verified) = &events[3] else {
        panic!("no verified signature in {events:?}");
    };
    assert_eq!((&*verified.access_key, verified.expires), (ACCESS_KEY, Some(300)));
    assert_eq!(
        after_upgrade(events),
        [
            connect_event(),
            Event::Packet(SUBSCRIBE),
            publish_event("a/b"),
            publish_event("a/c"),
            Event::Packet(PINGREQ),
            Event::Disconnect { reason_code: 0 },
            Event::Close { code: None },
            Event::CloseNotify,
            Event::Fin,
        ]
    );
}

fn publish_event(topic: &str) -> Event {
    Event::Publish { topic: topic.into(), properties_and_payload: b"\0hi".into() }
}

#[tokio::test]
async fn a_refusal_has_the_shape_of_iot_cores() {
    let message = "The security token included in the request is invalid.";
    let gateway = Gateway::start(PERMANENT.script()).await;
    let request = PERMANENT.request_text().replace("EXAMPLE00", "EXAMPLE99");
    let answer = answer_to(&gateway, &request).await;
    gateway.finished(1).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\n"));
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\ndate: ", body.len())));
    assert!(head.contains("Wed, 29 Jul 2026 12:00:"), "the gateway's clock: {head}");
    assert!(head.contains("\r\nx-amzn-RequestId: "));
    assert!(head.ends_with("\r\nx-amzn-ErrorType: ForbiddenException:"));
    assert!(body.starts_with(&format!(r#"{{"message":"{message}","traceId":""#)));
    let events = &gateway.connections()[0];
    let refused = Event::Refused { status: 403, message: message.into() };
    assert_eq!(events[3..], [refused, Event::CloseNotify, Event::Fin]);
}

#[tokio::test]
async fn a_clock_ten_minutes_ahead_makes_every_signature_expired() {
    let mut script = PERMANENT.script();
    script.clock_offset_seconds += 600;
    let gateway = Gateway::start(script).await;
    let answer = answer_to(&gateway, &PERMANENT.request_text()).await;
    let message = r#""message":"Signature expired: 20260729T120000Z is now earlier than 20260729T1205"#;
    assert!(answer.contains(message), "{answer}");
}

#[tokio::test]
async fn what_is_not_mqtt_over_websocket_is_refused() {
    let gateway = Gateway::start(PERMANENT.script()).await;
    let good = PERMANENT.request_text();
    let answer = answer_to(&gateway, &good).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let no_websocket = "A WebSocket with the subprotocol mqtt is wanted.";
    let table = [
        ("sec-websocket-protocol: mqtt\r\n", "", no_websocket),
        (": mqtt\r\n", ": mqttv3.1\r\n", no_websocket),
        ("upgrade: websocket\r\n", "", no_websocket),
        ("version: 13", "version: 8", no_websocket),
        ("HTTP/1.1", "SMTP", "The request is not HTTP/1.1."),
        ("GET", "POST", "Only a signed GET of /mqtt is served."),
        ("host: ", "host: x\r\nhost: ", "Exactly one Host header is wanted."),
    ];
    for (from, to, message) in table {
        let answer = answer_to(&gateway, &good.replacen(from, to, 1)).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("x-amzn-ErrorType: InvalidRequestException:\r\n"));
        assert!(answer.contains(message), "{from} -> {to}: {answer}");
    }
}

#[tokio::test]
async fn further_keys_and_another_subprotocol_can_be_scripted() {
    let key = Key { access_key: "AKIAOTHER".into(), secret: "s".into(), session_token: None };
    let script = Script { keys: vec![key], subprotocol: None, ..PERMANENT.script() };
    let gateway = Gateway::start(script).await;
    let other = PERMANENT.request_text().replace(ACCESS_KEY, "AKIAOTHER");
    let answer = answer_to(&gateway, &other).await;
    assert!(answer.contains("signature we calculated does not match"), "{answer}");
    let answer = answer_to(&gateway, &PERMANENT.request_text()).await;
    assert!(!answer.contains("sec-websocket-protocol"), "{answer}");
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_recorded() {
    let gateway = Gateway::start(PERMANENT.script()).await;
    for bytes in [&b"\xC0\0"[..], b"\x10\x02\0\0", b"\xFF\xFF\xFF\xFF\xFF"] {
        let mut socket = upgraded(&gateway).await;
        send(&mut socket, bytes).await;
        while let Some(Ok(_)) = socket.next().await {}
    }
    let mut socket = upgraded(&gateway).await;
    let unmasked = frame(BINARY, true, CONNECT_PACKET);
    socket.get_mut().write_all(&unmasked).await.expect("a frame goes out");
    gateway.finished(4).await;
    let connections = gateway.connections();
    let reasons = connections.iter().map(|events| match after_upgrade(events) {
        [Event::Violation(reason)] => reason.as_str(),
        other => panic!("no violation in {other:?}"),
    });
    let wanted = ["out of turn", "malformed", "more than four bytes", "not masked"];
    for (reason, wanted) in reasons.zip(wanted) {
        assert!(reason.contains(wanted), "{reason} / {wanted}");
    }
}

#[tokio::test]
async fn dropping_the_gateway_ends_everything() {
    let gateway = Gateway::start(PERMANENT.script()).await;
    let port = gateway.port();
    let mut socket = upgraded(&gateway).await;
    drop(gateway);
    assert!(matches!(socket.next().await, Some(Err(_)) | None));
    let error = TcpStream::connect(("127.0.0.1", port)).await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}
