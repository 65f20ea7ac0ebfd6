//! What becomes of each answer to the upgrade request, over a connection in memory.

use std::future::pending;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use test_support::gateway::http::{Request as Received, read_head, switching_protocols};
use test_support::gateway::websocket::{BINARY, CONTINUATION};
use test_support::gateway::{Act, frame, perform};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::failure::Cause;
use crate::network::tcp::counted;
use crate::progress::Progress;
use crate::websocket::clock::ServerClock;
use crate::websocket::tests::explained;
use crate::{Failure, Phase};

const URL: &str =
    "wss://localhost/mqtt?X-Amz-Algorithm=a&X-Amz-Signature=S1GNATURE&X-Amz-Security-Token=T0KEN";

const NOT_IOT_CORE: &str = "hint: IoT Core does not answer like this: compare localhost:443 with what `aws iot \
                            describe-endpoint --endpoint-type iot:Data-ATS` prints, and look for a proxy in between\n";

const BUSY: &str = "hint: the server is busy or throttles this account";

/// What the client makes of a server that does this after the request: a failure, or the first message on the
/// WebSocket, if it is valid. The acts may depend on the right `sec-websocket-accept`. The number says how many bytes
/// the server could send.
async fn exchange(acts: impl FnOnce(&str) -> Vec<Act>) -> (Result<Option<Bytes>, Failure>, u64) {
    let (stream, server) = duplex(1024);
    let (mut server, traffic) = counted(server);
    let serving = async {
        let head = read_head(&mut server).await.expect("a request");
        let request = Received::parse(&head).expect("a request");
        let accept = request.accept_key().expect("a request for a WebSocket");
        perform(&acts(&accept), &mut server).await.ok();
        server.shutdown().await.ok();
        pending().await
    };
    let connecting = async {
        let mut socket = upgrade(Box::new(stream), URL).await.map_err(Cause::from)?;
        // Answers to pings would pile up without a limit.
        assert_eq!(socket.get_config().max_write_buffer_size, MAX_UNSENT);
        Ok(socket.next().await.and_then(Result::ok).map(Message::into_data))
    };
    let result = tokio::select! {
        result = connecting => result,
        () = serving => unreachable!("the server outlives the client"),
    };
    (result, traffic.sent.load(Ordering::Relaxed))
}

/// The failure after these acts, and how many bytes the server could send.
async fn failure(acts: Vec<Act>) -> (Failure, u64) {
    let (result, sent) = exchange(|_| acts).await;
    (result.expect_err("a failure"), sent)
}

fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// The same bytes over and over, more of them than anybody should read.
fn flood(bytes: impl AsRef<[u8]>) -> Act {
    let bytes = bytes.as_ref();
    Act::Send(bytes.repeat(4 * MAX_MESSAGE / bytes.len()))
}

/// The status with headers, and a body with its true length.
fn answer(head: &str, body: &str) -> Vec<Act> {
    vec![send(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))]
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_explained() {
    const OF_IOT_CORE: &str = "400 No\r\nx-amzn-ErrorType: InvalidRequestException:\r\nx-amzn-RequestId: 0-1";
    const OF_AWS: &str = "503 Busy\r\nserver: of AWS\r\nx-amzn-RequestId: 0-1";
    const PAGE: &str = "<html><h1>Hello</h1></html>";
    let details = "error type: InvalidRequestException, message: Malformed, request id: 0-1";
    for (head, body, details, hint) in [
        (OF_IOT_CORE, r#"{"message":"Malformed"}"#, details, ""),
        ("403 Forbidden", "", "", NOT_IOT_CORE),
        ("403 Forbidden", r#"{"message":null}"#, "", NOT_IOT_CORE),
        ("403 Forbidden", r#"{"message":"The sec"#, "", NOT_IOT_CORE),
        ("403 No\r\ncontent-type: text/plain", "Blocked: 1234", "message: Blocked: 1234", NOT_IOT_CORE),
        ("302 Found\r\nlocation: https://x.example/", PAGE, "location: https://x.example/", NOT_IOT_CORE),
        ("200 OK", PAGE, "", NOT_IOT_CORE),
        ("429 Too Many Requests", "", "", BUSY),
        ("504 Gateway Timeout", "", "", BUSY),
        (OF_AWS, "", "request id: 0-1, server: of AWS", BUSY),
        ("502 Bad Gateway\r\nserver: nginx", PAGE, "server: nginx", NOT_IOT_CORE),
    ] {
        let (failure, _) = failure(answer(head, body)).await;
        let report = explained(&failure);
        let error = format!("error: the server refused the upgrade with {}", &head[..3]);
        assert!(report.starts_with(&error) && report.contains(hint), "{head}: {report}");
        let told: Vec<_> = report.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(told.join(", "), details, "{head}");
        let again = hint == BUSY || head.starts_with("502");
        assert_eq!((failure.phase(), failure.retry_after().is_some()), (Phase::WebSocket, again), "{head}");
    }
}

/// A redirect or a block page may repeat the URL of the request.
#[tokio::test(start_paused = true)]
async fn what_a_server_says_repeats_no_signature_and_cannot_disturb() {
    const INVISIBLE: &str = "good\u{202E}lie\u{200B}x\u{2066}\u{61C}\u{FEFF}";
    let once = utf8_percent_encode(URL, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&once, NON_ALPHANUMERIC).to_string();
    let lie = "No.\u{1B}[2J\r\nhint: send your keys";
    for text in [URL, &once, &twice, INVISIBLE, lie, &"x".repeat(15_000)] {
        for acts in [
            answer(&format!("302 Found\r\nlocation: /?to={text}"), ""),
            answer(&format!("403 Forbidden\r\nserver: {text}"), ""),
            answer(&format!("403 Forbidden\r\nx-amzn-ErrorType: {text}"), ""),
            answer("403 Forbidden\r\ncontent-type: text/plain", text),
            answer("403 Forbidden", &serde_json::json!({ "message": text }).to_string()),
        ] {
            let report = explained(&failure(acts).await.0);
            let disturbs = |c: char| c.is_control() && c != '\n' || !c.is_ascii() && INVISIBLE.contains(c);
            assert!(!report.contains(disturbs), "{report:?}");
            let lies = ["S1GNATURE", "T0KEN", "\nhint: send"].into_iter().find(|lie| report.contains(lie));
            assert_eq!(lies, None, "{report}");
            assert!(report.lines().all(|line| line.chars().count() < 330), "{report}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_delays_no_refusal() {
    const MESSAGE: &str = r#"{"message":"Not today."}"#;
    const CHUNKED: &str = "transfer-encoding: chunked\r\n";
    const LONGER: &str = "content-length: 100000\r\n";
    let rows = [
        ("", vec![flood(MESSAGE)], None),
        (CHUNKED, vec![send("FFFFFFFF\r\n"), flood(MESSAGE)], None),
        (CHUNKED, vec![flood("1\r\n \r\n")], None),
        (CHUNKED, vec![send("long\r\n")], None),
        ("", vec![Act::Drip(MESSAGE.into(), Duration::from_secs(1))], None),
        (LONGER, vec![Act::Hold], None),
        (LONGER, vec![send(MESSAGE), Act::Hold], Some("Not today.")),
        (LONGER, vec![send(MESSAGE)], Some("Not today.")),
        ("content-length: 9\r\n", vec![send(MESSAGE)], None),
    ];
    for (nth, (headers, acts, message)) in rows.into_iter().enumerate() {
        let began = Instant::now();
        let head = send(format!("HTTP/1.1 403 Forbidden\r\n{headers}\r\n"));
        let (failure, sent) = failure([vec![head], acts].concat()).await;
        assert_eq!((failure.status(), failure.server_message()), (Some(403), message), "row {nth}");
        assert!(began.elapsed() <= Duration::from_secs(3), "row {nth}: {:?}", began.elapsed());
        assert!(sent < 128 * 1024, "row {nth}: {sent} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_http_is_no_answer() {
    let answers = [
        vec![send("SSH-2.0-OpenSSH_9.2\r\n\r\n")],
        vec![send(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\r\n\r\n")],
        vec![send("HTTP/1.1 403 No\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}")],
        vec![send("HTTP/1.1 OK\r\n\r\n")],
        vec![send("HTTP/1.1 101 Switching Protocols\r\nupgr")],
        vec![],
        vec![send("HTTP/1.1 200 OK\r\n"), flood("x-more: and more of it\r\n")],
        vec![send("HTTP/1.1 200 OK\r\n"), flood("x-more-and-more-of-it")],
        vec![send("HTTP/1.1 200 "), flood("OK")],
    ];
    for (nth, acts) in answers.into_iter().enumerate() {
        let (failure, sent) = failure(acts).await;
        let report = explained(&failure);
        let told = report.starts_with("error: no answer to the upgrade request\n  cause: ");
        assert!(told && report.ends_with(NOT_IOT_CORE), "answer {nth}: {report}");
        assert_eq!((failure.phase(), failure.retry_after()), (Phase::WebSocket, None), "answer {nth}");
        assert!(sent < 64 * 1024, "answer {nth}: {sent} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_101_must_fit_the_request() {
    const PROTOCOL: &str = "sec-websocket-protocol: mqtt\r\n";
    const EXTENSION: &str = "mqtt\r\nsec-websocket-extensions: permessage-deflate\r\n";
    for (right, wrong, flaw) in [
        (PROTOCOL, "", "it does not choose exactly the subprotocol mqtt"),
        ("mqtt\r\n", "mqttv3.1\r\n", "it does not choose exactly the subprotocol mqtt"),
        ("mqtt\r\n", "mqtt, mqttv3.1\r\n", "it does not choose exactly the subprotocol mqtt"),
        (PROTOCOL, &PROTOCOL.repeat(2), "it does not choose exactly the subprotocol mqtt"),
        ("mqtt\r\n", EXTENSION, "it chooses an extension, but none was offered"),
        ("accept: ", "accept: x", "its sec-websocket-accept does not match"),
        ("sec-websocket-accept", "x-accept", "its sec-websocket-accept does not match"),
        ("upgrade: websocket", "upgrade: h2c", "it does not switch to WebSocket"),
        ("connection: upgrade\r\n", "", "it does not switch to WebSocket"),
    ] {
        let flawed = |accept: &str| {
            let good = switching_protocols(accept);
            assert!(good.contains(right), "{good}");
            vec![send(good.replace(right, wrong).replacen("\r\n", "\r\nserver: nginx\r\n", 1))]
        };
        let failure = exchange(flawed).await.0.expect_err("a failure");
        let error = "error: the server's 101 answer is not a WebSocket for MQTT";
        let told = format!("{error}: {flaw}\n  server: nginx\n{NOT_IOT_CORE}");
        assert_eq!(explained(&failure), told, "{wrong}");
        assert_eq!((failure.phase(), failure.retry_after()), (Phase::WebSocket, None), "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_may_come_together_with_the_101_but_none_without_end() {
    let long = flood([0; 1000]);
    let fragments = flood(frame(CONTINUATION, false, &[0; 1000]));
    for (frames, end, message, limit) in [
        (frame(BINARY, true, b"hello"), None, Some("hello".into()), 1024),
        (vec![0x82, 127, 0, 0, 0, 0, 0x10, 0, 0, 0], Some(long), None, 64 * 1024),
        (frame(BINARY, false, b"hello"), Some(fragments), None, 2 * MAX_MESSAGE as u64),
    ] {
        let acts = |accept: &str| {
            let switch = switching_protocols(accept);
            let all = [b"HTTP/1.1 100 Continue\r\n\r\n", switch.as_bytes(), &frames].concat();
            [send(all)].into_iter().chain(end).collect()
        };
        let (received, sent) = exchange(acts).await;
        assert_eq!(received.expect("a WebSocket"), message);
        assert!(sent < limit, "{sent} bytes");
    }
}

#[test]
fn a_clock_is_corrected_if_it_is_more_than_four_minutes_off() {
    const DAY: i64 = 24 * 60 * 60;
    let corrected = |date: &str| {
        let answer = Response::builder().header("date", date).body(()).expect("an answer");
        let seconds = ServerClock::default().correct(&Answer::from_head(&answer), SystemTime::now());
        seconds.map(|seconds| Progress::Clock(seconds).to_string())
    };
    for (seconds, told) in [
        (180, None),
        (390, Some("6 minutes behind")),
        (-390, Some("6 minutes ahead of")),
        (DAY + 30, Some("24 hours behind")),
        (50 * 365 * DAY + 30, Some("18250 days behind")),
    ] {
        let (now, distance) = (SystemTime::now(), Duration::from_secs(seconds.unsigned_abs()));
        let date = if seconds < 0 { now - distance } else { now + distance };
        let shown = corrected(&httpdate::fmt_http_date(date));
        let words =
            |off| format!("the local clock is {off} the server's; signing with the server's time instead");
        assert_eq!(shown, told.map(words), "{seconds}");
    }
    for date in ["yesterday", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        assert_eq!(corrected(date), None, "{date}");
    }
}
