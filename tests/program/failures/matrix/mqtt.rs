//! CONNECT is refused, answered with nonsense, or not answered at all.

use crate::failures::answers::page;
use crate::failures::row::{CLIENT_ID, Row, row};
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, CONTINUATION, PING, TEXT};
use crate::gateway::{
    ACCESS_KEY, Act, REGION, SECRET, Script, Stage, close, connack, disconnect, frame, publish,
};

/// Parts of the hint which says that a policy is missing.
const POLICY: [&str; 5] = ["hint: ", "5134", r#""Effect":"Allow""#, r#""Action":"iot:Connect""#, "Cognito"];
const RESOURCE: &str = r#""Resource":"arn:aws:iot:eu-central-1:<account>:client/sensor-7""#;
/// What the hint about a server that is not IoT Core always contains.
const NOT_IOT_CORE: [&str; 3] = ["hint: ", "iot:Data-ATS", "proxy"];

pub fn rows() -> Vec<Row> {
    [
        refusals(),
        busy(),
        disconnects(),
        behind_connack(),
        hang_ups(),
        resources(),
        bad_frames(),
        bad_packets(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn answered(name: &'static str, packet: &[u8]) -> Row {
    row(name).sends(Stage::Connect, frame(BINARY, true, packet)).exits(7)
}

fn refusals() -> Vec<Row> {
    let refused = |name, code| answered(name, &connack(code, None)).says(["refused CONNECT"]);
    vec![
        refused("CONNACK 0x80", 0x80).says(["Unspecified error (0x80)"]),
        refused("CONNACK 0x85", 0x85).says(["Client identifier not valid (0x85)", "hint: ", "128 bytes"]),
        refused("CONNACK 0x86", 0x86).says(["Bad user name or password (0x86)"]),
        refused("CONNACK 0x87", 0x87).says(["Not authorized (0x87)", RESOURCE]).says(POLICY),
        answered("CONNACK 0x87 with a reason", &connack(0x87, Some("No policy for this.")))
            .says(["Not authorized (0x87)", "reason: No policy for this.", RESOURCE])
            .says(POLICY),
        answered("CONNACK 0x87 whose reason holds an escape", &connack(0x87, Some("\u{1B}[2J\nhint: lie")))
            .never_says(["\u{1B}", "\nhint: lie"]),
        refused("CONNACK 0xF0, which there is not", 0xF0).says(["0xF0"]),
        refused("CONNACK 0x42, which there is not", 0x42).says(["0x42"]),
    ]
}

fn busy() -> Vec<Row> {
    let busy = |name, code| answered(name, &connack(code, None)).connections(3).says(["hint: "]);
    vec![
        busy("CONNACK 0x88, three times", 0x88)
            .warns(["Server unavailable (0x88)"; 2])
            .says(["trying again in", "busy"]),
        busy("CONNACK 0x89, three times", 0x89)
            .warns(["Server busy (0x89)"; 2])
            .says(["trying again in", "busy"]),
        busy("CONNACK 0x97, three times", 0x97).warns(["Quota exceeded (0x97)"; 2]).says([
            "trying again in",
            "Quota",
            "500",
        ]),
        busy("CONNACK 0x9F, three times", 0x9F).warns(["Connection rate exceeded (0x9F)"; 2]).says([
            "trying again in",
            "Quota",
            "1 CONNECT per second",
        ]),
    ]
}

fn disconnects() -> Vec<Row> {
    vec![
        answered("DISCONNECT 0x8E instead of CONNACK", &disconnect(0x8E)).says([
            "Session taken over (0x8E)",
            "hint: another client",
            CLIENT_ID,
        ]),
        answered("DISCONNECT 0x87 instead of CONNACK", &disconnect(0x87))
            .says(["Not authorized (0x87)", RESOURCE])
            .says(POLICY),
        answered("DISCONNECT 0x84 instead of CONNACK", &disconnect(0x84))
            .says(["answered CONNECT with DISCONNECT: Unsupported protocol version (0x84)"]),
        answered("DISCONNECT 0x8A instead of CONNACK", &disconnect(0x8A))
            .says(["answered CONNECT with DISCONNECT: Banned (0x8A)"]),
        answered("DISCONNECT 0x92 instead of CONNACK", &disconnect(0x92))
            .says(["answered CONNECT with DISCONNECT: unknown reason code (0x92)"]),
        answered("DISCONNECT 0xA3 instead of CONNACK", &disconnect(0xA3))
            .says(["answered CONNECT with DISCONNECT: unknown reason code (0xA3)"]),
        answered("DISCONNECT 0x8B instead of CONNACK, three times", &disconnect(0x8B))
            .connections(3)
            .warns(["Server shutting down (0x8B)"; 2]),
    ]
}

/// What arrives in the same TCP segment as CONNACK counts as part of the answer.
fn behind_connack() -> Vec<Row> {
    let followed = |name, packets: Vec<Vec<u8>>| {
        row(name).sends(Stage::Connect, frame(BINARY, true, &packets.concat())).exits(7)
    };
    let in_frames = |name, packets: Vec<Vec<u8>>| {
        let frames: Vec<u8> = packets.iter().flat_map(|packet| frame(BINARY, true, packet)).collect();
        row(name).sends(Stage::Connect, frames).exits(7)
    };
    vec![
        followed("DISCONNECT 0x87 in one frame with CONNACK", vec![connack(0, None), disconnect(0x87)])
            .says(["the server ended the session: Not authorized (0x87)", "hint: "]),
        in_frames("DISCONNECT 0x8E in one segment with CONNACK", vec![connack(0, None), disconnect(0x8E)])
            .says(["the server ended the session: Session taken over (0x8E)", "hint: another client"]),
        row("PUBLISH in one frame with CONNACK").at(
            Stage::Connect,
            [
                Act::Send(frame(BINARY, true, &[connack(0, None), publish("topic", b"payload")].concat())),
                Act::Resume,
            ],
        ),
    ]
}

fn hang_ups() -> Vec<Row> {
    let hung_up = |name, act: Act| {
        row(name)
            .at(Stage::Connect, [act])
            .exits(7)
            .says(["hung up after CONNECT", RESOURCE, "a broker that knows only MQTT 3.1.1"])
            .says(POLICY)
    };
    vec![
        hung_up("hung up after CONNECT", Act::Fin),
        hung_up("hung up after CONNECT without close_notify", Act::Abort),
        hung_up("reset after CONNECT", Act::Reset),
        hung_up("Close after CONNECT", Act::Send(frame(8, true, b""))),
        hung_up("Close after CONNECT with code and reason", Act::Send(close(1008, "policy violation")))
            .says(["1008", "policy violation"]),
        hung_up("Close after CONNECT with a code alone", Act::Send(close(1011, "")))
            .says(["closed the WebSocket (1011)\n"]),
        hung_up("Close after CONNECT whose reason holds an escape", Act::Send(close(1008, "\u{1B}[2J")))
            .never_says(["\u{1B}"]),
        hung_up("hung up in the middle of CONNACK", Act::Send(frame(BINARY, true, &[0x20, 3, 0]))),
    ]
}

fn resources() -> Vec<Row> {
    let denied = |name, region: &str| {
        let script = Script { region: region.to_owned(), ..Script::fault(Stage::Connect, [Act::Fin]) };
        row(name).scripts([script]).flag("--region", region).exits(7)
    };
    vec![
        denied("hung up after CONNECT in China", "cn-north-1").says(["arn:aws-cn:iot:cn-north-1:<account>:"]),
        denied("hung up after CONNECT in GovCloud", "us-gov-west-1")
            .says(["arn:aws-us-gov:iot:us-gov-west-1:<account>:"]),
        denied("hung up after CONNECT, and the account is known", REGION)
            .without(&["--access-key", "--secret", "--session-token"])
            .environment("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .environment("AWS_SECRET_ACCESS_KEY", SECRET)
            .environment("AWS_ACCOUNT_ID", "123456789012")
            .says(["arn:aws:iot:eu-central-1:123456789012:client/sensor-7"]),
    ]
}

fn bad_frames() -> Vec<Row> {
    let sent = |name, bytes: Vec<u8>| row(name).sends(Stage::Connect, bytes).exits(7).says(NOT_IOT_CORE);
    let masked = [&[0x82, 0x85, 0, 0, 0, 0], &connack(0, None)[..5]].concat();
    vec![
        sent("CONNACK in a text frame", frame(TEXT, true, &connack(0, None))).says(["text frame"]),
        sent("text frame", frame(TEXT, true, b"hello")).says(["text frame"]),
        sent("frame with a mask", masked),
        sent("frame of an unknown kind", frame(3, true, b"hello")),
        sent("frame with a reserved bit", frame(0x40 | BINARY, true, b"hello")),
        sent("continuation of nothing", frame(CONTINUATION, true, &connack(0, None))),
        sent("ping of 126 bytes", frame(PING, true, &[0; 126])),
        sent("frame of more bytes than there can be", [&[0x82, 127][..], &[0x7F; 8]].concat()),
        sent("HTTP instead of frames", page("200 OK").repeat(2)),
    ]
}

fn bad_packets() -> Vec<Row> {
    let sent = |name, packet: &[u8]| answered(name, packet).says(NOT_IOT_CORE);
    let before_a_good_one = |name, packet: &[u8]| {
        let frames = [frame(BINARY, true, packet), frame(BINARY, true, &connack(0, None))].concat();
        row(name).sends(Stage::Connect, frames).exits(7)
    };
    vec![
        sent("packet of type 0", &packet(0x00, b"hello")).says(["malformed"]),
        sent("CONNACK of MQTT 3.1.1, which knows no MQTT 5", &packet(0x20, &[0, 1])),
        sent("CONNACK with a property cut short", &packet(0x20, &[0, 0, 3, 0x21, 0])),
        sent("CONNACK with a property that there is not", &packet(0x20, &[0, 0, 2, 0x7E, 0]))
            .says(["the server sent a malformed MQTT 5 packet", "cause: "]),
        sent("packet whose length never ends", &[0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).says(["malformed"]),
        sent("packet of 256 MiB", &[0x20, 0xFF, 0xFF, 0xFF, 0x7F, 0]),
        sent("PUBLISH instead of CONNACK", &publish("topic", b"payload"))
            .says(["first packet is not a CONNACK of MQTT 5"]),
        sent("PINGRESP instead of CONNACK", &packet(0xD0, b""))
            .says(["first packet is not a CONNACK of MQTT 5"]),
        before_a_good_one("packet cut short before a good CONNACK", &packet(0xF0, &[0x18, 0x80])),
        before_a_good_one("CONNACK 0x87 cut short before a good one", &packet(0x20, &[0, 0x87])),
        answered("CONNACK cut short, then silence", b"")
            .at(Stage::Connect, [Act::Send(frame(BINARY, true, &packet(0x20, &[0, 0]))), Act::Hold])
            .flag("--timeout", "4"),
        answered("CONNACK of a session that CONNECT did not want", &packet(0x20, &[1, 0, 0]))
            .says(["error: "]),
    ]
}
