//! A gateway that misbehaves, and what a client sees of it.

use crate::client::*;
use crate::gateway::mqtt::PINGREQ;
use crate::gateway::websocket::{BINARY, CONTINUATION, PING};
use crate::gateway::{Act, Event, Gateway, Script, Stage, frame, is_reset};
use crate::presigned::PERMANENT;
use futures_util::StreamExt;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// What a client reads after its request if the gateway ends the connection with this act.
async fn end_at_request(act: Act) -> (std::io::Result<usize>, Vec<Event>) {
    let gateway = Gateway::start(Script::fault(Stage::Request, [act])).await;
    let mut tls = open_tls(&gateway).await.expect("TLS");
    let request = PERMANENT.request_text();
    tls.write_all(request.as_bytes()).await.expect("the request goes out");
    let outcome = tls.read(&mut [0; 10]).await;
    let _ = tls.shutdown().await;
    gateway.finished(1).await;
    (outcome, gateway.connections()[0][3..].to_vec())
}

#[tokio::test]
async fn fin_abort_and_reset_differ_for_the_client() {
    let goodbye = vec![Event::CloseNotify, Event::Fin];
    let (outcome, events) = end_at_request(Act::Fin).await;
    assert_eq!((outcome.expect("close_notify"), events), (0, goodbye.clone()));
    let (outcome, events) = end_at_request(Act::Abort).await;
    let error = outcome.expect_err("no close_notify").kind();
    assert_eq!((error, events), (ErrorKind::UnexpectedEof, goodbye));
    let (outcome, events) = end_at_request(Act::Reset).await;
    assert!(is_reset(&outcome.expect_err("a reset")));
    assert_eq!(events, []);
}

#[tokio::test]
async fn the_ways_a_client_can_go_are_told_apart() {
    let gateway = Gateway::start(Script::fault(Stage::Request, [Act::Hold])).await;
    let request = PERMANENT.request_text();
    for way in 0..3 {
        let mut tls = open_tls(&gateway).await.expect("TLS");
        tls.write_all(request.as_bytes()).await.expect("the request goes out");
        gateway.seen(way, |event| matches!(event, Event::Request(_))).await;
        // If TLS 1.3 session tickets stay unread, every close becomes a reset.
        let _ = timeout(Duration::from_millis(50), tls.read(&mut [0; 10])).await;
        match way {
            0 => tls.shutdown().await.expect("close_notify and FIN"),
            1 => drop(tls),
            _ => tls.get_ref().0.set_zero_linger().expect("a socket option"),
        }
    }
    gateway.finished(3).await;
    let [shut, dropped, reset] = &gateway.connections()[..] else {
        panic!("not three connections");
    };
    assert_eq!(shut[3..], [Event::CloseNotify, Event::Fin]);
    assert_eq!(dropped[3..], [Event::EndedWithoutCloseNotify]);
    assert_eq!(reset[3..], [Event::Reset]);
}

#[tokio::test]
async fn before_tls_the_acts_are_bare_tcp() {
    let gateway = Gateway::start_with(vec![
        Script::fault(Stage::Accept, [Act::Send(b"HTTP/1.1 400\r\n\r\n".to_vec())]),
        Script::fault(Stage::Accept, [Act::Reset]),
        Script::fault(Stage::Accept, [Act::Wait(Duration::from_millis(50)), Act::Continue]),
    ])
    .await;
    let error = open_tls(&gateway).await.expect_err("this is no TLS");
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    let error = open_tls(&gateway).await.expect_err("this is a reset");
    assert!(is_reset(&error), "{error}");
    open_tls(&gateway).await.expect("late, but TLS");
}

#[tokio::test]
async fn connack_can_come_in_pieces_around_a_ping() {
    let (start, end) = CONNACK_PACKET.split_at(4);
    let acts = [
        Act::Send(frame(BINARY, false, start)),
        Act::Send(frame(PING, true, b"there?")),
        Act::Drip(frame(CONTINUATION, true, end), Duration::from_millis(1)),
        Act::Resume,
    ];
    let gateway = Gateway::start(PERMANENT.script_with(Stage::Connect, acts)).await;
    let mut socket = upgraded(&gateway).await;
    send(&mut socket, CONNECT_PACKET).await;
    assert_eq!(receive(&mut socket).await, b"there?");
    assert_eq!(receive(&mut socket).await, CONNACK_PACKET);
    send(&mut socket, b"\xC0\0").await;
    assert_eq!(receive(&mut socket).await, b"\xD0\0");
    drop(socket);
    gateway.finished(1).await;
    let pong = Event::Pong(b"there?".to_vec());
    assert_eq!(
        after_upgrade(&gateway.connections()[0])[..3],
        [connect_event(), pong, Event::Packet(PINGREQ)]
    );
}

#[tokio::test]
async fn a_flood_lasts_until_the_client_goes() {
    let acts = vec![Act::Flood(frame(BINARY, true, &[0; 1000]))];
    let script = PERMANENT.script_with(Stage::Disconnect, acts);
    let gateway = Gateway::start(script).await;
    let mut socket = upgraded(&gateway).await;
    send(&mut socket, CONNECT_PACKET).await;
    assert_eq!(receive(&mut socket).await, CONNACK_PACKET);
    send(&mut socket, b"\xE0\x02\x04\0").await;
    for _ in 0..1000 {
        assert_eq!(receive(&mut socket).await.len(), 1000);
    }
    socket.close(None).await.expect("Close goes out");
    // On some systems a reset discards what has not been read yet.
    gateway.seen(0, |event| matches!(event, Event::Close { .. })).await;
    let tcp = socket.get_ref().get_ref().0;
    tcp.set_zero_linger().expect("a socket option");
    drop(socket);
    gateway.finished(1).await;
    let events = &gateway.connections()[0];
    assert_eq!(
        after_upgrade(events)[1..],
        [Event::Disconnect { reason_code: 4 }, Event::Close { code: None }, Event::Reset,]
    );
}

#[tokio::test]
async fn a_close_left_unanswered_and_a_client_that_stays_are_recorded() {
    let script = PERMANENT.script_with(Stage::Close, vec![Act::Resume]);
    let gateway = Gateway::start(script).await;
    let mut socket = upgraded(&gateway).await;
    socket.close(None).await.expect("Close goes out");
    let ended = timeout(Duration::from_secs(4), socket.next()).await;
    assert!(ended.is_err(), "no answer: {ended:?}");
    gateway.finished(1).await;
    let events = &gateway.connections()[0];
    assert_eq!(after_upgrade(events), [Event::Close { code: None }, Event::LeftOpen]);
}
