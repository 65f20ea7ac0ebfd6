//! One way to fail in each phase, and what only a process, TLS or rumqttc can show.

use crate::failures::answers::answer;
use crate::failures::row::{Row, row};
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, TEXT};
use crate::gateway::{Act, Certificate, Script, Stage, connack, disconnect, frame, publish};

const RESOURCE: &str = r#""Resource":"arn:aws:iot:eu-central-1:<account>:client/sensor-7""#;

pub fn rows() -> Vec<Row> {
    [tcp_and_tls(), certificates(), upgrade(), mqtt(), logged()].into_iter().flatten().collect()
}

fn tcp_and_tls() -> Vec<Row> {
    // The alert handshake_failure (RFC 8446 section 6).
    let alert = vec![0x15, 3, 3, 0, 2, 2, 40];
    let http = answer("400 Bad Request", &["server: nginx"], "");
    vec![
        row("nobody listens")
            .flag("--endpoint", "localhost:9")
            .flag("--attempts", "2")
            .connections(0)
            .exits(4)
            .warns(["no TCP connection: 127.0.0.1:9: "])
            .says(["refused", "; trying again in ", "hint: is the port right"]),
        row("plain HTTP on the port")
            .at(Stage::Accept, [Act::Send(http)])
            .exits(5)
            .says(["cause: the server does not speak TLS", "hint: IoT Core does not answer like this"]),
        row("a TLS alert").at(Stage::Accept, [Act::Send(alert)]).exits(5).says(["TLS handshake", "cause: "]),
        row("hung up in the TLS handshake")
            .at(Stage::Accept, [Act::Fin])
            .flag("--attempts", "1")
            .exits(5)
            .says(["the connection ended during the TLS handshake"]),
    ]
}

fn certificates() -> Vec<Row> {
    let shown = |name, certificate| {
        let script = Script { certificate, ..Script::default() };
        row(name).scripts([script]).exits(5).says(["TLS handshake failed", "hint: "])
    };
    vec![
        shown("certificate expired", Certificate::Expired)
            .says(["valid until Wed, 01 Jan 2020", "local clock says"]),
        shown("certificate not yet valid", Certificate::NotYetValid)
            .says(["valid from Tue, 01 Jan 2999", "local clock says"]),
        shown("certificate of the authority itself", Certificate::Authority)
            .says(["is that of an authority, not of a server", "hint: `openssl req -x509`"]),
        shown("certificate for two thousand other names", Certificate::ManyNames)
            .says(["elsewhere-3.example, elsewhere-4.example and 1995 more, not for localhost"]),
        shown("certificate for no name", Certificate::NoName).says(["no name at all, not for localhost"]),
    ]
}

fn upgrade() -> Vec<Row> {
    let forbidden =
        |name| row(name).exits(6).says(["with 403", "type: ForbiddenException\n", "request id: "]);
    vec![
        forbidden("403: wrong secret")
            .flag("--secret", "wJalrWRONGwrongWRONGwrong")
            .says(["signature we calculated does not match", "hint: the secret key"]),
        forbidden("403: wrong region")
            .scripts([Script { region: "eu-west-3".to_owned(), ..Script::default() }])
            .says(["scoped to a valid region", "hint: the region to sign for is eu-central-1"]),
        row("hung up without close_notify instead of an answer")
            .at(Stage::Request, [Act::Abort])
            .exits(6)
            .says(["no answer to the upgrade request"]),
    ]
}

fn mqtt() -> Vec<Row> {
    let accepted = connack(0, None);
    let in_frame = |packets: &[&[u8]]| frame(BINARY, true, &packets.concat());
    let answered = |name, frames| row(name).at(Stage::Connect, [Act::Send(frames)]).exits(7);
    let hung_up = |name, act| {
        row(name).at(Stage::Connect, [act]).exits(7).says(["hung up after CONNECT", RESOURCE]).within(3)
    };
    // What arrives in the same TCP segment as CONNACK counts as part of the answer.
    let published = in_frame(&[&accepted, &publish("topic", b"payload")]);
    let denied = in_frame(&[&accepted, &disconnect(0x87)]);
    let taken_over = [in_frame(&[&accepted]), in_frame(&[&disconnect(0x8E)])].concat();
    vec![
        hung_up("hung up after CONNECT", Act::Fin),
        hung_up("hung up after CONNECT without close_notify", Act::Abort),
        hung_up("reset after CONNECT", Act::Reset),
        answered("CONNACK 0x87 with a reason", in_frame(&[&connack(0x87, Some("No policy for this."))]))
            .says(["Not authorized (0x87)", "reason: No policy for this.", RESOURCE]),
        answered("CONNACK with an unknown property", in_frame(&[&packet(0x20, &[0, 0, 2, 0x7E, 0])])).says([
            "sent a malformed MQTT 5 packet",
            "cause: ",
            "hint: IoT Core does not answer like this",
        ]),
        answered("CONNACK of a session that CONNECT did not want", in_frame(&[&packet(0x20, &[1, 0, 0])]))
            .says(["error: the MQTT session failed"]),
        answered("DISCONNECT in one frame with CONNACK", denied)
            .says(["the server ended the session: Not authorized (0x87)", "hint: "]),
        answered("DISCONNECT in one segment with CONNACK", taken_over)
            .says(["the server ended the session: Session taken over (0x8E)", "hint: another client"]),
        row("PUBLISH in one frame with CONNACK").at(Stage::Connect, [Act::Send(published), Act::Resume]),
    ]
}

/// What a server sends cannot begin a new line in the log, turn text around, or repeat a signature there.
fn logged() -> Vec<Row> {
    const NEVER: [&str; 5] = ["S1GNATURE", "\nerror: forged", "\u{202E}", "\u{200B}", "\r"];
    let location = "location: wss://localhost/mqtt?X-Amz-Signature=S1GNATURE";
    let redirect = answer("302 Found", &[location, "server: good\u{202E}lie\u{200B}"], "");
    let text = frame(TEXT, true, "hello\r\nerror: forged \u{202E}".as_bytes());
    let logged = |name| row(name).flag("--log-level", "trace").never_says(NEVER);
    vec![
        logged("a redirect that repeats the URL").at(Stage::Request, [Act::Send(redirect)]).exits(6),
        logged("a text frame with a forged line").at(Stage::Connect, [Act::Send(text)]).exits(7),
    ]
}
