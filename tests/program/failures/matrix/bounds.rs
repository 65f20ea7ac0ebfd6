//! Servers that are slow, silent or endless: the deadline holds in every phase, and memory stays flat.
//!
//! With a deadline of two seconds a run ends within eight, even if the machine is busy with other rows.

use std::time::Duration;

use crate::failures::answers::endless;
#[cfg(target_os = "linux")]
use crate::failures::row::Server;
use crate::failures::row::{Row, row};
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, CONTINUATION, PING, PONG};
use crate::gateway::{Act, Stage, connack, frame, publish};

pub fn rows() -> Vec<Row> {
    [silent(), slow(), endless_heads(), endless_bodies(), endless_frames(), goodbyes()]
        .into_iter()
        .flatten()
        .collect()
}

/// The deadline passes in this phase.
fn late(name: &'static str, phase: &'static str) -> Row {
    row(name).flag("--timeout", "2").exits(8).says(["the deadline of 2 s", phase]).within(8)
}

fn silent() -> Vec<Row> {
    vec![
        #[cfg(target_os = "linux")]
        late("silent at TCP", "phase TCP").server(Server::Deaf).connections(0),
        late("silent at TLS", "phase TLS").at(Stage::Accept, [Act::Hold]),
        late("silent at the upgrade", "phase WebSocket").at(Stage::Request, [Act::Hold]),
        late("silent at CONNACK", "phase MQTT").at(Stage::Connect, [Act::Hold]),
    ]
}

fn slow() -> Vec<Row> {
    let slow = |name, phase, stage, bytes: &[u8]| {
        late(name, phase).at(stage, [Act::Drip(bytes.to_vec(), Duration::from_secs(1)), Act::Hold])
    };
    let hello = [0x16, 3, 3, 0, 0x7A, 2, 0, 0, 0x76];
    let head = b"HTTP/1.1 101 Switching Protocols\r\n";
    let answer = frame(BINARY, true, &connack(0, None));
    vec![
        slow("a byte a second at TLS", "phase TLS", Stage::Accept, &hello),
        slow("a byte a second at the upgrade", "phase WebSocket", Stage::Request, head),
        slow("a byte a second at CONNACK", "phase MQTT", Stage::Connect, &answer),
        late("headers without end, a byte a second", "phase WebSocket").at(
            Stage::Request,
            [Act::Send(head.to_vec()), Act::Drip(b"x-more: x".repeat(9), Duration::from_secs(1))],
        ),
    ]
}

/// Sends the beginning once and the rest over and over.
fn flood(stage: Stage, beginning: &[u8], rest: &[u8]) -> impl Fn(Row) -> Row {
    let acts = [Act::Send(beginning.to_vec()), Act::Flood(rest.to_vec())];
    move |row| row.at(stage, acts.clone())
}

fn endless_heads() -> Vec<Row> {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";
    let flooded = |beginning: &[u8], rest: &[u8], row| flood(Stage::Request, beginning, rest)(row);
    let refused = |name| row(name).exits(6).says(["no answer to the upgrade request"]);
    vec![
        flooded(HEAD, b"x-more: and more of it\r\n", refused("headers without end")),
        flooded(HEAD, b"x-more-and-more-of-it", refused("a header without end")),
        flooded(b"HTTP/1.1 200 ", b"OK", refused("a status line without end")),
        flooded(b"", b"HTTP/1.1 100 Continue\r\n\r\n", late("100 without end", "phase WebSocket")),
        flood(Stage::Accept, b"", &[0x16, 3, 3, 0x40, 0])(row("TLS records without end")).exits(5),
    ]
}

fn endless_bodies() -> Vec<Row> {
    const MESSAGE: &[u8] = br#"{"message":"Not today."}"#;
    const LONGER: &str = "content-length: 100000";
    const CHUNKED: &str = "transfer-encoding: chunked";
    let refused = |name| row(name).exits(6).says(["refused the upgrade with 403"]);
    let body = |name, headers: &[&str], acts: Vec<Act>| {
        let head = Act::Send(endless("403 Forbidden", headers, ""));
        refused(name).at(Stage::Request, [vec![head], acts].concat())
    };
    let send = |bytes: &[u8]| Act::Send(bytes.to_vec());
    let flood = |bytes: &[u8]| Act::Flood(bytes.to_vec());
    let slowly = Act::Drip(MESSAGE.to_vec(), Duration::from_secs(1));
    vec![
        body("a body without end", &[], vec![flood(MESSAGE)]),
        body("a chunk without end", &[CHUNKED], vec![send(b"FFFFFFFF\r\n"), flood(MESSAGE)]),
        body("chunks without end", &[CHUNKED], vec![flood(b"1\r\n \r\n")]),
        body("a chunk of no length", &[CHUNKED], vec![send(b"long\r\n")]),
        body("a body of a byte a second", &[], vec![slowly]),
        body("a body that never comes", &[LONGER], vec![Act::Hold]),
        body("a length longer than the body", &[LONGER], vec![send(MESSAGE), Act::Hold]).says(["Not today."]),
        body("a length longer than the body, then a hang-up", &[LONGER], vec![send(MESSAGE)])
            .says(["Not today."]),
        body("a length shorter than the body", &["content-length: 9"], vec![send(MESSAGE)]),
    ]
}

fn endless_frames() -> Vec<Row> {
    let flooded = |beginning: &[u8], rest: &[u8], row| flood(Stage::Connect, beginning, rest)(row);
    let refused = |name| row(name).exits(7);
    let zeros = [0; 1000];
    let partial = frame(BINARY, false, &[0x20, 0xFF, 0x7F]);
    vec![
        flooded(b"", &frame(PING, true, b"there?"), late("pings without end", "phase MQTT")),
        // With `Resume` at the end, the gateway does not read during the flood.
        late("pings without end, and nobody reads the answers", "phase MQTT")
            .at(Stage::Connect, [Act::Flood(frame(PING, true, &[b'?'; 125])), Act::Resume]),
        flooded(b"", &frame(BINARY, true, b""), late("empty frames without end", "phase MQTT")),
        flooded(
            b"",
            &frame(BINARY, true, b"").repeat(3000),
            late("empty frames without end, logged", "phase MQTT"),
        )
        .flag("--log-level", "trace"),
        flooded(b"", &frame(PONG, true, b"").repeat(3000), late("pongs without end, logged", "phase MQTT"))
            .flag("--log-level", "trace"),
        flooded(
            b"",
            &frame(BINARY, true, &publish("topic", b"payload")),
            refused("PUBLISH without end instead of CONNACK"),
        ),
        flooded(
            &frame(BINARY, true, &[0x20, 0xFF, 0xFF, 0xFF, 0x7F]),
            &frame(BINARY, true, &zeros),
            refused("a packet of 256 MiB that comes"),
        ),
        flooded(&[0x82, 127, 0, 0, 0, 0, 0x10, 0, 0, 0], &zeros, refused("a frame of 256 MiB that comes")),
        flooded(&partial, &frame(CONTINUATION, false, &zeros), refused("fragments without end")),
    ]
}

/// The session was accepted, so every run succeeds. It only ends a little later.
fn goodbyes() -> Vec<Row> {
    const GONE_BY: u64 = 5;
    let good = |name| row(name).within(GONE_BY);
    let more = frame(BINARY, true, &publish("topic", &[0; 1000]));
    let accepted = frame(BINARY, true, &connack(0, None));
    vec![
        good("never answers the Close").at(Stage::Close, [Act::Hold]),
        good("never answers DISCONNECT or the Close").at(Stage::Disconnect, [Act::Hold]),
        good("answers the Close a byte a second")
            .at(Stage::Close, [Act::Drip(frame(8, true, &[3; 100]), Duration::from_secs(1)), Act::Hold]),
        good("pings instead of answering the Close")
            .at(Stage::Close, [Act::Flood(frame(PING, true, b"there?"))]),
        good("publishes without end from DISCONNECT on").at(Stage::Disconnect, [Act::Flood(more.clone())]),
        good("pongs without end from CONNACK on, logged")
            .at(
                Stage::Connect,
                [Act::Send(accepted.clone()), Act::Flood(frame(PONG, true, b"").repeat(3000))],
            )
            .flag("--log-level", "trace")
            .within(15),
        good("publishes without end from CONNACK on")
            .at(Stage::Connect, [Act::Send(accepted.clone()), Act::Flood(more)]),
        good("sends half a packet after CONNACK").at(
            Stage::Connect,
            [Act::Send(accepted.clone()), Act::Send(frame(BINARY, true, &[0x30])), Act::Hold],
        ),
        good("sends garbage after CONNACK")
            .at(Stage::Connect, [Act::Send(accepted.clone()), Act::Send(packet(0xF0, &[0xFF; 9]))]),
        good("hangs up at CONNACK").at(Stage::Connect, [Act::Send(accepted.clone()), Act::Fin]),
        good("resets at DISCONNECT").at(Stage::Disconnect, [Act::Reset]),
        good("resets at the Close").at(Stage::Close, [Act::Reset]),
    ]
}
