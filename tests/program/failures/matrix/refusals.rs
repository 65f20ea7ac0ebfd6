//! One way to fail in each phase, and what only TLS or rumqttc can refuse.

use crate::failures::answers::answer;
use crate::failures::row::{Row, row};
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, TEXT};
use crate::gateway::{Act, Certificate, Script, Stage, connack, disconnect, frame, publish};

/// What the hint about a server that is not IoT Core always contains.
const NOT_IOT_CORE: [&str; 3] = ["hint: ", "iot:Data-ATS", "proxy"];

pub fn rows() -> Vec<Row> {
    [tls(), upgrade(), mqtt(), logged()].into_iter().flatten().collect()
}

fn tls() -> Vec<Row> {
    // The alert handshake_failure (RFC 8446 section 6).
    let alert = vec![0x15, 3, 3, 0, 2, 2, 40];
    let mut rows = vec![
        row("nobody listens")
            .flag("--endpoint", "localhost:9")
            .flag("--attempts", "2")
            .connections(0)
            .exits(4)
            .warns(["no TCP connection: 127.0.0.1:9: "])
            .says(["refused", "; trying again in ", "hint: is the port right"]),
        row("plain HTTP on the port")
            .at(Stage::Accept, [Act::Send(answer("400 Bad Request", &["server: nginx"], ""))])
            .exits(5)
            .says(["cause: the server does not speak TLS"])
            .says(NOT_IOT_CORE),
        row("a TLS alert").at(Stage::Accept, [Act::Send(alert)]).exits(5).says(["TLS handshake", "cause: "]),
        row("hung up in the TLS handshake")
            .at(Stage::Accept, [Act::Fin])
            .flag("--attempts", "1")
            .exits(5)
            .says(["TLS handshake"]),
    ];
    for (name, certificate, said, hint) in [
        ("certificate of an unknown issuer", Certificate::UnknownIssuer, "unknown issuer", "the CA file"),
        ("certificate expired", Certificate::Expired, "expired", "valid until Wed, 01 Jan 2020"),
        (
            "certificate not yet valid",
            Certificate::NotYetValid,
            "not valid yet",
            "valid from Tue, 01 Jan 2999",
        ),
        (
            "certificate of an authority",
            Certificate::Authority,
            "that of an authority",
            "`openssl req -x509`",
        ),
        (
            "certificate for two thousand other names",
            Certificate::ManyNames,
            "for other names",
            "elsewhere-3.example, elsewhere-4.example and 1995 more, not for localhost",
        ),
        (
            "certificate for no name",
            Certificate::NoName,
            "for other names",
            "no name at all, not for localhost",
        ),
    ] {
        let script = Script { certificate, ..Script::default() };
        rows.push(row(name).scripts([script]).exits(5).says(["TLS handshake failed", said, "hint: ", hint]));
    }
    rows
}

fn upgrade() -> Vec<Row> {
    let forbidden = |name| {
        row(name).exits(6).says([
            "refused the upgrade with 403",
            "error type: ForbiddenException\n",
            "request id: ",
        ])
    };
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
    const RESOURCE: &str = r#""Resource":"arn:aws:iot:eu-central-1:<account>:client/sensor-7""#;
    let answered = |name, frames: Vec<u8>| row(name).at(Stage::Connect, [Act::Send(frames)]).exits(7);
    let in_frame = |packet: &[u8]| frame(BINARY, true, packet);
    let (accepted, published) = (connack(0, None), publish("topic", b"payload"));
    let hung_up = |name, act| {
        row(name).at(Stage::Connect, [act]).exits(7).says(["hung up after CONNECT", RESOURCE]).within(3)
    };
    vec![
        hung_up("hung up after CONNECT", Act::Fin),
        hung_up("hung up after CONNECT without close_notify", Act::Abort),
        hung_up("reset after CONNECT", Act::Reset),
        answered("CONNACK 0x87 with a reason", in_frame(&connack(0x87, Some("No policy for this.")))).says([
            "Not authorized (0x87)",
            "reason: No policy for this.",
            RESOURCE,
        ]),
        answered("CONNACK with a property that there is not", in_frame(&packet(0x20, &[0, 0, 2, 0x7E, 0])))
            .says(["the server sent a malformed MQTT 5 packet", "cause: "])
            .says(NOT_IOT_CORE),
        answered("CONNACK of a session that CONNECT did not want", in_frame(&packet(0x20, &[1, 0, 0])))
            .says(["error: the MQTT session failed"]),
        // What arrives in the same TCP segment as CONNACK counts as part of the answer.
        answered(
            "DISCONNECT in one frame with CONNACK",
            in_frame(&[&accepted[..], &disconnect(0x87)].concat()),
        )
        .says(["the server ended the session: Not authorized (0x87)", "hint: "]),
        answered(
            "DISCONNECT in one segment with CONNACK",
            [in_frame(&accepted), in_frame(&disconnect(0x8E))].concat(),
        )
        .says(["the server ended the session: Session taken over (0x8E)", "hint: another client"]),
        row("PUBLISH in one frame with CONNACK")
            .at(Stage::Connect, [Act::Send(in_frame(&[accepted, published].concat())), Act::Resume]),
    ]
}

/// What a server sends cannot begin a new line in the log, turn text around, or repeat a signature there.
fn logged() -> Vec<Row> {
    const URL: &str = "wss://localhost/mqtt?X-Amz-Signature=S1GNATURE";
    let logged = |name, stage, bytes: Vec<u8>| {
        row(name).at(stage, [Act::Send(bytes)]).flag("--log-level", "trace").never_says([
            "S1GNATURE",
            "\nerror: forged",
            "\u{202E}",
            "\u{200B}",
            "\r",
        ])
    };
    let location = format!("location: {URL}");
    let redirect = answer("302 Found", &[&location, "server: good\u{202E}lie\u{200B}"], "");
    let text = frame(TEXT, true, "hello\r\nerror: forged \u{202E}".as_bytes());
    vec![
        logged("a redirect that repeats the URL, logged", Stage::Request, redirect).exits(6),
        logged("a text frame with a forged line, logged", Stage::Connect, text).exits(7),
    ]
}
