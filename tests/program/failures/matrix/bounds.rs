//! Servers that are slow, silent or endless: the deadline holds in every phase, and memory stays flat.
//!
//! With a deadline of two seconds a run ends within eight, even if the machine is busy with other rows.

use std::time::Duration;

use crate::failures::row::{Row, row};
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, CLOSE, PING, PONG};
use crate::gateway::{Act, Stage, connack, frame, publish};

pub fn rows() -> Vec<Row> {
    [slow(), endless(), goodbyes()].into_iter().flatten().collect()
}

/// The deadline passes in this phase.
fn late(name: &'static str, phase: &'static str) -> Row {
    row(name)
        .flag("--timeout", "2")
        .exits(8)
        .says(["the deadline of 2 s passed in the phase", phase])
        .within(8)
}

fn slow() -> Vec<Row> {
    let slow = |name, phase, stage, bytes: &[u8]| {
        late(name, phase).at(stage, [Act::Drip(bytes.to_vec(), Duration::from_secs(1)), Act::Hold])
    };
    vec![
        slow("a byte a second at TLS", "TLS", Stage::Accept, &[0x16, 3, 3, 0, 0x7A, 2, 0, 0, 0x76]),
        slow("a byte a second at the upgrade", "WebSocket", Stage::Request, b"HTTP/1.1 101 Switching\r\n"),
        slow("a byte a second at CONNACK", "MQTT", Stage::Connect, &frame(BINARY, true, &connack(0, None))),
    ]
}

fn endless() -> Vec<Row> {
    let hint = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let pings = frame(PING, true, &[b'?'; 125]);
    let empty = frame(BINARY, true, b"").repeat(3000);
    vec![
        row("TLS records without end").at(Stage::Accept, [Act::Flood(vec![0x16, 3, 3, 0x40, 0])]).exits(5),
        late("100 without end", "WebSocket").at(Stage::Request, [Act::Flood(hint)]),
        late("pings without end", "MQTT").at(Stage::Connect, [Act::Flood(pings.clone())]),
        // With `Resume` at the end, the gateway does not read during the flood.
        late("pings without end, and nobody reads the answers", "MQTT")
            .at(Stage::Connect, [Act::Flood(pings), Act::Resume]),
        late("empty frames without end, logged", "MQTT")
            .at(Stage::Connect, [Act::Flood(empty)])
            .flag("--log-level", "trace"),
    ]
}

/// The session was accepted, so every run succeeds. It only ends a little later.
fn goodbyes() -> Vec<Row> {
    let good = |name| row(name).within(5);
    let accepted = Act::Send(frame(BINARY, true, &connack(0, None)));
    let after_connack = |name, act| good(name).at(Stage::Connect, [accepted.clone(), act]);
    let message = frame(BINARY, true, &publish("topic", &[0; 1000]));
    vec![
        good("never answers DISCONNECT or the Close").at(Stage::Disconnect, [Act::Hold]),
        good("answers the Close a byte a second")
            .at(Stage::Close, [Act::Drip(frame(CLOSE, true, &[3; 100]), Duration::from_secs(1)), Act::Hold]),
        good("pings instead of answering the Close")
            .at(Stage::Close, [Act::Flood(frame(PING, true, b"there?"))]),
        good("resets at the Close").at(Stage::Close, [Act::Reset]),
        after_connack("publishes without end from CONNACK on", Act::Flood(message)),
        after_connack(
            "pongs without end from CONNACK on, logged",
            Act::Flood(frame(PONG, true, b"").repeat(3000)),
        )
        .flag("--log-level", "trace")
        .within(15),
        after_connack(
            "sends garbage after CONNACK",
            Act::Send(frame(BINARY, true, &packet(0xF0, &[0xFF; 9]))),
        ),
        after_connack("hangs up at CONNACK", Act::Fin),
    ]
}

/// A server that does not even answer the TCP handshake: its queue is full, so the system drops further connections.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_is_silent_at_tcp_ends_as_its_row_says() {
    use tokio::net::{TcpSocket, TcpStream};
    use tokio::time::timeout;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("loopback has a free port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("a bound listener has an address");
    let mut queue = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        queue.push(connected.expect("a connection in the queue"));
    }
    let endpoint = format!("localhost:{}", address.port());
    late("silent at TCP", "TCP").flag("--endpoint", endpoint).connections(0).check().await;
}
