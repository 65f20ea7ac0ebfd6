//! Servers that are slow, silent or endless: the deadline holds in every phase, and memory stays flat.
//!
//! With a deadline of two seconds a run ends within eight, even if the machine is busy with other rows.

use std::time::Duration;

use crate::failures::row::{Row, row};
use crate::gateway::websocket::{BINARY, PING, PONG};
use crate::gateway::{Act, Stage, connack, frame, publish};

pub fn rows() -> Vec<Row> {
    let flood = |bytes: &[u8]| [Act::Flood(bytes.to_vec())];
    let slowly = |bytes: &[u8]| [Act::Drip(bytes.to_vec(), Duration::from_secs(1)), Act::Hold];
    let connack = frame(BINARY, true, &connack(0, None));
    let pings = frame(PING, true, &[b'?'; 125]).repeat(3000);
    let empty = frame(BINARY, true, b"").repeat(3000);
    let pongs = frame(PONG, true, b"").repeat(3000);
    let message = frame(BINARY, true, &publish("topic", &[0; 1000]));
    // The session was accepted, so these runs succeed. They only end a little later.
    let good = |name| row(name, 0, []).within(5);
    let good_at_first = |name, act| good(name).at(Stage::Connect, [Act::Send(connack.clone()), act]);
    vec![
        late("a byte a second at TLS", "TLS").at(Stage::Accept, slowly(&[0x16, 3, 3, 0, 0x7A])),
        late("a byte a second at the upgrade", "WebSocket").at(Stage::Request, slowly(b"HTTP/1.1 101 No")),
        late("a byte a second at CONNACK", "MQTT").at(Stage::Connect, slowly(&connack)),
        row("TLS records without end", 5, ["TLS"]).at(Stage::Accept, flood(&[0x16, 3, 3, 0x40, 0])),
        late("100 without end", "WebSocket").at(Stage::Request, flood(b"HTTP/1.1 100 Continue\r\n\r\n")),
        late("pings without end", "MQTT").at(Stage::Connect, flood(&pings)),
        // With `Resume` at the end, the gateway does not read during the flood.
        late("pings without end, and nobody reads the answers", "MQTT")
            .at(Stage::Connect, [Act::Flood(pings.clone()), Act::Resume]),
        late("empty frames without end, logged", "MQTT")
            .at(Stage::Connect, flood(&empty))
            .flag("--log-level", "trace"),
        good("never answers DISCONNECT or the Close").at(Stage::Disconnect, [Act::Hold]),
        good("pings instead of answering the Close").at(Stage::Close, flood(&pings)),
        good("resets at DISCONNECT").at(Stage::Disconnect, [Act::Reset]),
        good("resets at the Close").at(Stage::Close, [Act::Reset]),
        good_at_first("sends garbage after CONNACK", Act::Send(frame(BINARY, true, &[0xF0, 9, 0xFF]))),
        good_at_first("hangs up at CONNACK", Act::Fin),
        good_at_first("publishes without end from CONNACK on", Act::Flood(message)),
        good_at_first("pongs without end from CONNACK on, logged", Act::Flood(pongs))
            .flag("--log-level", "trace")
            .within(15),
    ]
}

/// The deadline passes in this phase.
fn late(name: &'static str, phase: &'static str) -> Row {
    row(name, 8, ["the deadline of 2 s passed in the phase", phase]).flag("--timeout", "2").within(8)
}

/// A server that does not even answer the TCP handshake: its queue is full, so the system drops further connections.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_deadline_passes_in_the_phase_tcp() {
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
    late("silent at TCP", "TCP").flag("--endpoint", endpoint).check().await;
}
