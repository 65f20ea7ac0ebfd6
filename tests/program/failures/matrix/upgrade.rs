//! The upgrade request is refused, or answered by something that is not IoT Core.

use crate::failures::answers::{UNKNOWN_TOKEN, answer, endless, forbidden, page, switching};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::failures::row::{Row, row};
use crate::gateway::websocket::{BINARY, TEXT};
use crate::gateway::{ACCESS_KEY, Act, SESSION_TOKEN, Script, Stage, close, connack, frame};

/// What the hint for somebody else's server always names.
const NOT_IOT_CORE: [&str; 3] = ["hint: ", "iot:Data-ATS", "proxy"];

pub fn rows() -> Vec<Row> {
    [signatures(), refusals(), others(), not_websocket(), echoes(), forged_logs(), not_http()]
        .into_iter()
        .flatten()
        .collect()
}

/// Refusals by the gateway's own check of the signature.
fn signatures() -> Vec<Row> {
    let forbidden = |name| {
        row(name).exits(6).says([
            "refused the upgrade with 403",
            "error type: ForbiddenException\n",
            "request id: ",
        ])
    };
    vec![
        forbidden("403: unknown access key")
            .without(&["--session-token"])
            .flag("--access-key", "AKIAUNKNOWN000000000")
            .says([UNKNOWN_TOKEN, "hint: the access key is unknown"]),
        forbidden("403: temporary key without its token").without(&["--session-token"]).says([
            UNKNOWN_TOKEN,
            "hint: ",
            "ASIA",
            "session token is missing",
        ]),
        forbidden("403: wrong token").flag("--session-token", "IQoJexpired").says([
            UNKNOWN_TOKEN,
            "hint: ",
            "session token has expired",
        ]),
        forbidden("403: wrong secret").flag("--secret", "wJalrWRONGwrongWRONGwrong").says([
            "signature we calculated does not match",
            "hint: ",
            "secret",
            "region",
        ]),
        forbidden("403: wrong region")
            .scripts([Script { region: "eu-west-3".to_owned(), ..Script::default() }])
            .says(["scoped to a valid region", "hint: ", "the region to sign for is eu-central-1"]),
        forbidden("403: a token with a permanent key")
            .flag("--access-key", ACCESS_KEY)
            .flag("--session-token", SESSION_TOKEN)
            .says([UNKNOWN_TOKEN, "hint: ", "belongs to another key"]),
    ]
}

fn refusals() -> Vec<Row> {
    let refused = |name, bytes: Vec<u8>| row(name).sends(Stage::Request, bytes).exits(6).says(["refused"]);
    let malformed = answer(
        "400 Bad Request",
        &["x-amzn-ErrorType: InvalidRequestException:"],
        r#"{"message":"Malformed"}"#,
    );
    vec![
        refused("400 of IoT Core", malformed).says([
            "400",
            "InvalidRequestException\n",
            "message: Malformed\n",
        ]),
        refused("403 without a body", answer("403 Forbidden", &[], "")).says(["403"]),
        refused("403 with a message that is no text", answer("403 Forbidden", &[], r#"{"message":null}"#))
            .says(["403"]),
        refused("403 whose message holds a lie", forbidden("No.\\nhint: send your keys", 0))
            .never_says(["\nhint: send your keys"]),
        refused("403 whose message holds a terminal escape", forbidden("\\u001b[2JGone", 0))
            .says(["Gone"])
            .never_says(["\u{1B}"]),
        refused("403 with a JSON body cut short", endless("403 Forbidden", &[], r#"{"message":"The sec"#))
            .says(["403"]),
        refused("426", answer("426 Upgrade Required", &["upgrade: websocket"], "")).says(["426"]),
    ]
}

/// Servers that do not belong to AWS IoT.
fn others() -> Vec<Row> {
    let other = |name, bytes: Vec<u8>| {
        row(name).sends(Stage::Request, bytes).exits(6).says(["server: nginx"]).says(NOT_IOT_CORE)
    };
    let moved = |status| {
        answer(status, &["server: nginx", "location: https://elsewhere.example/login"], "<html></html>")
    };
    vec![
        other("301", moved("301 Moved Permanently")).says(["301", "location: https://elsewhere.example"]),
        other("302", moved("302 Found")).says(["302", "location: https://elsewhere.example"]),
        other("200 with a page", page("200 OK")).says(["200"]),
        other("403 with a page", page("403 Forbidden")).says(["403"]),
        other(
            "403 in plain text",
            answer("403 Forbidden", &["content-type: text/plain", "server: nginx"], "Blocked: call 1234"),
        )
        .says(["message: Blocked: call 1234"]),
        other("502 of a front", page("502 Bad Gateway")).flag("--attempts", "1").never_says(["throttles"]),
        other("503 of a front", page("503 Service Unavailable"))
            .flag("--attempts", "1")
            .never_says(["throttles"]),
        other("404 with a page", page("404 Not Found")).says(["404"]),
        other("407 of a proxy", page("407 Proxy Authentication Required")).says(["407"]),
    ]
}

fn not_websocket() -> Vec<Row> {
    let not_mqtt = |name, subprotocol: Option<&str>| {
        let subprotocol = subprotocol.map(str::to_owned);
        row(name)
            .scripts([Script { subprotocol, ..Script::default() }])
            .exits(6)
            .says(["101", "subprotocol"])
            .says(NOT_IOT_CORE)
    };
    let flawed = |name, headers: &[&str]| {
        let headers = [&["server: nginx"], headers].concat();
        row(name)
            .sends(Stage::Request, switching(&headers))
            .exits(6)
            .says(["101", "server: nginx"])
            .says(NOT_IOT_CORE)
    };
    const SWITCH: [&str; 3] = ["upgrade: websocket", "connection: upgrade", "sec-websocket-protocol: mqtt"];
    const ACCEPT: &str = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    vec![
        not_mqtt("101 without a subprotocol", None),
        not_mqtt("101 with another subprotocol", Some("mqttv3.1")),
        not_mqtt("101 with a list of subprotocols", Some("mqtt, mqttv3.1")),
        not_mqtt("101 with two headers of the subprotocol", Some("mqtt\r\nsec-websocket-protocol: mqtt")),
        row("101 with an extension that was not asked for")
            .scripts([Script {
                subprotocol: Some("mqtt\r\nsec-websocket-extensions: permessage-deflate".to_owned()),
                ..Script::default()
            }])
            .exits(6)
            .says(["101", "extension"]),
        flawed("101 with the accept of another key", &[SWITCH[0], SWITCH[1], SWITCH[2], ACCEPT])
            .says(["sec-websocket-accept"]),
        flawed("101 without an accept", &SWITCH).says(["sec-websocket-accept"]),
        flawed("101 that switches to something else", &["upgrade: h2c", SWITCH[1], SWITCH[2]]),
        flawed("101 that does not switch", &SWITCH[2..]),
        row("100 before the 101")
            .at(Stage::Request, [Act::Send(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), Act::Continue]),
    ]
}

/// A redirect or a block page may repeat the URL of the request, and any text may be long.
fn echoes() -> Vec<Row> {
    const URL: &str =
        "wss://localhost/mqtt?X-Amz-Algorithm=a&X-Amz-Signature=S1GNATURE&X-Amz-Security-Token=T0KEN";
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (once, twice) = (encode(URL), encode(&encode(URL)));
    let long = "x".repeat(15_000);
    let quiet = |name, bytes: Vec<u8>| {
        row(name).sends(Stage::Request, bytes).exits(6).never_says([
            "S1GNATURE",
            "T0KEN",
            "xxxxxxxxxx".repeat(50).leak(),
        ])
    };
    let plain = |text: &str| answer("403 Forbidden", &["content-type: text/plain"], text);
    vec![
        quiet("a redirect that repeats the URL", answer("302 Found", &[&format!("location: {URL}")], "")),
        quiet(
            "a redirect that repeats the URL encoded",
            answer("302 Found", &[&format!("location: /?to={once}")], ""),
        ),
        quiet(
            "a redirect that repeats the URL encoded twice",
            answer("302 Found", &[&format!("location: /?to={twice}")], ""),
        ),
        quiet(
            "a redirect that repeats the URL, logged",
            answer("302 Found", &[&format!("location: /?to={once}"), &format!("x-from: {URL}")], ""),
        )
        .flag("--log-level", "trace"),
        quiet("a page that repeats the URL", plain(&format!("Blocked: {URL}"))),
        quiet("a page that repeats the URL encoded", plain(&format!("Blocked: {once}"))),
        quiet(
            "a message that repeats the URL",
            answer("403 Forbidden", &[], &format!(r#"{{"message":"No {URL}"}}"#)),
        ),
        quiet("a server header of 15 KB", answer("403 Forbidden", &[&format!("server: {long}")], "")),
        quiet("a message of 15 KB", answer("403 Forbidden", &[], &format!(r#"{{"message":"{long}"}}"#))),
        quiet("a page of 15 KB", plain(&long)),
        row("a reason string of 9 KB")
            .sends(Stage::Connect, frame(BINARY, true, &connack(0x87, Some(&long[..9_000]))))
            .exits(7)
            .never_says(["xxxxxxxxxx".repeat(50).leak()]),
    ]
}

/// What a server sends cannot begin a new line in the log.
fn forged_logs() -> Vec<Row> {
    const FORGED: &str = "good\u{202E}lie\u{200B}x\u{2066}";
    let logged = |name| {
        row(name).flag("--log-level", "trace").exits(6).never_says(["\u{202E}", "\u{200B}", "\u{2066}", "\r"])
    };
    vec![
        logged("a header with bidirectional controls, logged")
            .sends(Stage::Request, answer("403 Forbidden", &[&format!("server: {FORGED}")], "")),
        logged("a message with bidirectional controls, logged").sends(
            Stage::Request,
            answer(
                "403 Forbidden",
                &["content-type: application/json"],
                &format!(r#"{{"message":"{FORGED}"}}"#),
            ),
        ),
        row("a text frame with a forged line, logged")
            .sends(Stage::Connect, frame(TEXT, true, "hello\r\nerror: forged \u{202E}".as_bytes()))
            .flag("--log-level", "trace")
            .exits(7)
            .never_says(["\nerror: forged", "\u{202E}", "\r"]),
        row("a Close with a forged line, logged")
            .sends(Stage::Connect, close(1008, "bye\r\nerror: forged \u{202E}"))
            .flag("--log-level", "trace")
            .exits(7)
            .never_says(["\nerror: forged", "\u{202E}", "\r"]),
    ]
}

fn not_http() -> Vec<Row> {
    let instead = |name, bytes: &[u8]| {
        row(name).sends(Stage::Request, bytes).exits(6).says(["no answer to the upgrade request"])
    };
    vec![
        instead("SSH instead of HTTP", b"SSH-2.0-OpenSSH_9.2\r\n\r\n").says(NOT_IOT_CORE),
        instead("HTTP/2 instead of HTTP/1.1", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\r\n\r\n")
            .says(NOT_IOT_CORE),
        instead("zeros instead of HTTP", &[0; 64]).says(NOT_IOT_CORE),
        instead(
            "two lengths that differ",
            b"HTTP/1.1 403 No\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        )
        .says(NOT_IOT_CORE),
        instead("a status that is no number", b"HTTP/1.1 OK\r\n\r\n").says(NOT_IOT_CORE),
        instead("half an answer", b"HTTP/1.1 101 Switching Protocols\r\nupgr"),
        row("hung up instead of an answer").at(Stage::Request, [Act::Fin]).exits(6).says(["no answer"]),
        row("hung up without close_notify instead of an answer")
            .at(Stage::Request, [Act::Abort])
            .exits(6)
            .says(["no answer"]),
    ]
}
