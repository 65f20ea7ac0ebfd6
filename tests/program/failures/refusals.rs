//! One way to fail in each phase, and what only a process, TLS or rumqttc can show.

use crate::failures::answers::answer;
use crate::failures::row::{Row, row};
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, TEXT};
use crate::gateway::{Act, Certificate, Script, Stage, connack, disconnect, frame, publish};

const NOT_IOT_CORE: &str = "hint: IoT Core does not answer like this";
const RESOURCE: &str = r#""Resource":"arn:aws:iot:eu-central-1:<account>:client/sensor-7""#;

pub fn rows() -> Vec<Row> {
    [tls(), upgrade(), mqtt(), logged()].into_iter().flatten().collect()
}

fn tls() -> Vec<Row> {
    let http = answer("400 Bad Request", &["server: nginx"], "");
    // The alert handshake_failure (RFC 8446 section 6).
    let alert = vec![0x15, 3, 3, 0, 2, 2, 40];
    let shown = |name, certificate, says: [_; 2]| {
        row(name, 5, says).scripts([Script { certificate, ..Script::default() }])
    };
    vec![
        row(
            "nobody listens",
            4,
            ["127.0.0.1:9: ", "refused", "; trying again in ", "hint: is the port right"],
        )
        .flag("--endpoint", "localhost:9")
        .flag("--attempts", "2")
        .warns(["no TCP connection: "]),
        // The proxy would resolve the name, if there were one.
        row(
            "another region than the endpoint's",
            4,
            ["warning: the endpoint is in us-east-1, but the region"],
        )
        .flag("--endpoint", "abc-ats.iot.us-east-1.amazonaws.com")
        .flag("--proxy", "http://127.0.0.1:9")
        .flag("--attempts", "1")
        .any_attempts(),
        row("plain HTTP on the port", 5, ["cause: the server does not speak TLS", NOT_IOT_CORE])
            .at(Stage::Accept, [Act::Send(http)]),
        row("a TLS alert", 5, ["the TLS handshake failed", "cause: "]).at(Stage::Accept, [Act::Send(alert)]),
        row("hung up in the TLS handshake", 5, ["the connection ended during the TLS handshake"])
            .at(Stage::Accept, [Act::Fin])
            .flag("--attempts", "1"),
        shown(
            "certificate of an unknown issuer",
            Certificate::UnknownIssuer,
            ["UnknownIssuer", "not in the CA file"],
        ),
        shown("certificate expired", Certificate::Expired, ["valid until Wed, 01 Jan 2020", "local clock"]),
        shown(
            "certificate too new",
            Certificate::NotYetValid,
            ["valid from Tue, 01 Jan 2999", "local clock"],
        ),
        shown("certificate of an authority", Certificate::Authority, ["of an authority", "hint: `openssl"]),
        shown(
            "certificate for no name",
            Certificate::NoName,
            ["for other names", "for no name at all, not for"],
        ),
        shown(
            "certificate for two thousand other names",
            Certificate::ManyNames,
            ["for other names", "elsewhere-3.example, elsewhere-4.example and 1995 more, not for localhost"],
        ),
    ]
}

fn upgrade() -> Vec<Row> {
    const FORBIDDEN: &str = "with 403 Forbidden\n  error type: ForbiddenException\n  message: ";
    vec![
        row("403: wrong secret", 6, [FORBIDDEN, "does not match", "hint: the secret key"])
            .flag("--secret", "wJalrWRONGwrongWRONGwrong"),
        row("403: wrong region", 6, [FORBIDDEN, "valid region", "hint: the region to sign for is eu-west-3"])
            .flag("--region", "eu-west-3"),
        row("hung up without close_notify instead of an answer", 6, ["no answer to the upgrade request"])
            .at(Stage::Request, [Act::Abort]),
    ]
}

fn mqtt() -> Vec<Row> {
    let accepted = connack(0, None);
    let in_frame = |packets: &[&[u8]]| frame(BINARY, true, &packets.concat());
    let answered = |name, says: [_; 2], frames| row(name, 7, says).at(Stage::Connect, [Act::Send(frames)]);
    let hung_up = |name, act| row(name, 7, ["hung up after CONNECT", RESOURCE]).at(Stage::Connect, [act]);
    let denied = in_frame(&[&connack(0x87, Some("No policy."))]);
    let unknown_property = in_frame(&[&packet(0x20, &[0, 0, 2, 0x7E, 0])]);
    let old_session = in_frame(&[&packet(0x20, &[1, 0, 0])]);
    // What arrives in the same TCP segment as CONNACK counts as part of the answer.
    let published = in_frame(&[&accepted, &publish("topic", b"payload")]);
    let ended = in_frame(&[&accepted, &disconnect(0x87)]);
    let taken_over = [in_frame(&[&accepted]), in_frame(&[&disconnect(0x8E)])].concat();
    vec![
        hung_up("hung up after CONNECT without close_notify", Act::Abort),
        hung_up("reset after CONNECT", Act::Reset),
        answered("CONNACK 0x87", ["Not authorized (0x87)\n  reason: No policy.\n", RESOURCE], denied),
        answered("unknown property", ["malformed MQTT 5 packet\n  cause: ", NOT_IOT_CORE], unknown_property),
        answered("CONNACK of an old session", ["the MQTT session failed", "cause: "], old_session),
        answered("DISCONNECT in one frame with CONNACK", ["session: Not authorized (0x87)", "hint: "], ended),
        answered("DISCONNECT in one segment with CONNACK", ["(0x8E)", "hint: another client"], taken_over),
        row("PUBLISH in CONNACK's frame", 0, []).at(Stage::Connect, [Act::Send(published), Act::Resume]),
    ]
}

/// What a server sends cannot disturb the log either, forge a line there, or repeat a signature.
fn logged() -> Vec<Row> {
    let location = "location: wss://localhost/mqtt?X-Amz-Signature=S1GNATURE";
    let redirect = answer("302 Found", &[location, "server: good\u{202E}lie\u{200B}"], "");
    let text = frame(TEXT, true, "hello\r\nerror: forged \u{202E}".as_bytes());
    [
        row("a redirect that repeats the URL, logged", 6, []).at(Stage::Request, [Act::Send(redirect)]),
        row("a text frame with a forged line, logged", 7, []).at(Stage::Connect, [Act::Send(text)]),
    ]
    .map(|row| row.flag("--log-level", "trace"))
    .into()
}
