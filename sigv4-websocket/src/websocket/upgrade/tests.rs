//! What becomes of each answer to the upgrade request, over a connection in memory.

use std::future::pending;
use std::ops::Range;

use futures_util::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use test_support::gateway::http::{Request as Received, read_head, switching_protocols};
use test_support::gateway::websocket::{BINARY, CONTINUATION};
use test_support::gateway::{Act, frame, perform};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::Instant;

use super::*;
use crate::network::tcp::Counted;
use crate::progress::Progress;
use crate::websocket::clock::ServerClock;
use crate::websocket::tests::explained;
use crate::{Failure, Phase};

const URL: &str =
    "wss://localhost/mqtt?X-Amz-Algorithm=a&X-Amz-Signature=S1GNATURE&X-Amz-Security-Token=T0KEN";

const NOT_IOT_CORE: &str = "hint: IoT Core does not answer like this: compare localhost:443 with what `aws iot \
                            describe-endpoint --endpoint-type iot:Data-ATS` prints, and look for a proxy in between\n";

const BUSY: &str = "hint: the server is busy or throttles this account";

/// What `client` makes of a server that acts like this after the request, and how many bytes that server could send. The acts
/// may depend on the right `sec-websocket-accept`.
async fn with_server<T>(
    acts: impl FnOnce(&str) -> Vec<Act>,
    client: impl AsyncFnOnce(Result<Socket, UpgradeError>) -> T,
) -> (T, u64) {
    let (stream, server) = duplex(1024);
    let mut server = Counted::new(server);
    let serving = async {
        let head = read_head(&mut server).await.expect("a request");
        let accept = Received::parse(&head).and_then(|request| request.accept_key());
        perform(&acts(&accept.expect("a request for a WebSocket")), &mut server).await.ok();
        server.shutdown().await.ok();
        pending().await
    };
    let connecting = async { client(upgrade(Box::new(Counted::new(stream)), URL).await).await };
    let made = tokio::select! {
        made = connecting => made,
        () = serving => unreachable!("the server outlives the client"),
    };
    (made, server.sent())
}

/// The failure after these acts, and how many bytes the server could send.
async fn failure(acts: Vec<Act>) -> (Failure, u64) {
    let failing = async |result: Result<Socket, UpgradeError>| result.err().expect("a failure");
    let (error, sent) = with_server(|_| acts, failing).await;
    (crate::failure::Cause::from(error).into(), sent)
}

fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

fn flood(bytes: impl AsRef<[u8]>) -> Act {
    Act::Flood(bytes.as_ref().to_vec())
}

/// The status with headers, and a body with its true length.
fn answer(head: &str, body: &str) -> Vec<Act> {
    vec![send(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))]
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_explained() {
    const PAGE: &str = "<html><h1>Hello</h1></html>";
    for (head, body, details, hint, again) in [
        (
            "400 Bad Request\r\nx-amzn-ErrorType: InvalidRequestException:\r\nx-amzn-RequestId: 0-1",
            r#"{"message":"Malformed"}"#,
            &["error type: InvalidRequestException", "message: Malformed", "request id: 0-1"][..],
            "",
            false,
        ),
        ("403 Forbidden", "", &[], NOT_IOT_CORE, false),
        ("403 Forbidden", r#"{"message":null}"#, &[], NOT_IOT_CORE, false),
        ("403 Forbidden", r#"{"message":"The sec"#, &[], NOT_IOT_CORE, false),
        (
            "403 Forbidden\r\nserver: nginx\r\ncontent-type: text/html",
            PAGE,
            &["server: nginx"],
            NOT_IOT_CORE,
            false,
        ),
        (
            "403 Forbidden\r\nserver: nginx\r\ncontent-type: text/plain",
            "Blocked: call 1234",
            &["message: Blocked: call 1234", "server: nginx"],
            NOT_IOT_CORE,
            false,
        ),
        (
            "301 Moved Permanently\r\nlocation: https://elsewhere.example/login",
            PAGE,
            &["location: https://elsewhere.example/login"],
            NOT_IOT_CORE,
            false,
        ),
        ("200 OK", PAGE, &[], NOT_IOT_CORE, false),
        ("426 Upgrade Required\r\nupgrade: websocket", "", &[], NOT_IOT_CORE, false),
        ("429 Too Many Requests", "", &[], BUSY, true),
        ("500 Internal Server Error", "", &[], BUSY, true),
        ("503 Service Unavailable", "", &[], BUSY, true),
        (
            "503 Busy\r\nserver: of AWS\r\nx-amzn-RequestId: 0-1",
            "",
            &["request id: 0-1", "server: of AWS"],
            BUSY,
            true,
        ),
        ("502 Bad Gateway\r\nserver: nginx", PAGE, &["server: nginx"], NOT_IOT_CORE, true),
    ] {
        let (failure, _) = failure(answer(head, body)).await;
        let report = explained(&failure);
        let status = &head[..3];
        assert!(
            report.starts_with(&format!("error: the server refused the upgrade with {status}")),
            "{report}"
        );
        let told: Vec<_> = report.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(told, details, "{head}");
        assert!(report.contains(hint), "{head}: {report}");
        assert_eq!((failure.phase(), failure.retry_after().is_some()), (Phase::WebSocket, again), "{head}");
    }
}

/// A redirect or a block page may repeat the URL of the request.
#[tokio::test(start_paused = true)]
async fn what_a_server_says_repeats_no_signature_and_cannot_disturb() {
    let once = utf8_percent_encode(URL, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&once, NON_ALPHANUMERIC).to_string();
    for text in [
        URL,
        &once,
        &twice,
        "good\u{202E}lie\u{200B}x\u{2066}\u{61C}\u{FEFF}",
        "No.\u{1B}[2J\r\nhint: send your keys",
        &"x".repeat(15_000),
    ] {
        for acts in [
            answer(&format!("302 Found\r\nlocation: /?to={text}"), ""),
            answer(&format!("403 Forbidden\r\nserver: {text}"), ""),
            answer(&format!("403 Forbidden\r\nx-amzn-ErrorType: {text}"), ""),
            answer("403 Forbidden\r\ncontent-type: text/plain", text),
            answer("403 Forbidden", &serde_json::json!({ "message": text }).to_string()),
        ] {
            let report = explained(&failure(acts).await.0);
            let disturbs = |c: char| {
                c.is_control() && c != '\n' || "\u{202E}\u{200B}\u{2066}\u{61C}\u{FEFF}".contains(c)
            };
            assert!(!report.contains(disturbs), "{report:?}");
            assert!(
                !["S1GNATURE", "T0KEN", "\nhint: send"].iter().any(|lie| report.contains(lie)),
                "{report}"
            );
            assert!(report.lines().all(|line| line.chars().count() < 330), "{report}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_delays_no_refusal() {
    const MESSAGE: &str = r#"{"message":"Not today."}"#;
    const CHUNKED: &str = "transfer-encoding: chunked\r\n";
    const LONGER: &str = "content-length: 100000\r\n";
    for (headers, acts, message) in [
        ("", vec![flood(MESSAGE)], None),
        (CHUNKED, vec![send("FFFFFFFF\r\n"), flood(MESSAGE)], None),
        (CHUNKED, vec![flood("1\r\n \r\n")], None),
        (CHUNKED, vec![send("long\r\n")], None),
        ("", vec![Act::Drip(MESSAGE.into(), Duration::from_secs(1))], None),
        (LONGER, vec![Act::Hold], None),
        (LONGER, vec![send(MESSAGE), Act::Hold], Some("Not today.")),
        (LONGER, vec![send(MESSAGE)], Some("Not today.")),
        ("content-length: 9\r\n", vec![send(MESSAGE)], None),
    ] {
        let shown = format!("{headers}{acts:?}");
        let began = Instant::now();
        let head = send(format!("HTTP/1.1 403 Forbidden\r\n{headers}\r\n"));
        let (failure, sent) = failure([vec![head], acts].concat()).await;
        assert_eq!((failure.status(), failure.server_message()), (Some(403), message), "{shown}");
        assert!(began.elapsed() <= BODY_TIME + Duration::from_secs(1), "{shown}: {:?}", began.elapsed());
        assert!(sent < 128 * 1024, "{shown}: {sent} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_http_is_no_answer() {
    for acts in [
        vec![send("SSH-2.0-OpenSSH_9.2\r\n\r\n")],
        vec![send(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\r\n\r\n")],
        vec![send("HTTP/1.1 403 No\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}")],
        vec![send("HTTP/1.1 OK\r\n\r\n")],
        vec![send("HTTP/1.1 101 Switching Protocols\r\nupgr")],
        vec![],
        vec![send("HTTP/1.1 200 OK\r\n"), flood("x-more: and more of it\r\n")],
        vec![send("HTTP/1.1 200 OK\r\n"), flood("x-more-and-more-of-it")],
        vec![send("HTTP/1.1 200 "), flood("OK")],
    ] {
        let shown = format!("{acts:?}");
        let (failure, sent) = failure(acts).await;
        let report = explained(&failure);
        assert!(
            report.starts_with("error: no answer to the upgrade request\n  cause: "),
            "{shown}: {report}"
        );
        assert!(report.ends_with(NOT_IOT_CORE), "{shown}: {report}");
        assert_eq!((failure.phase(), failure.retry_after()), (Phase::WebSocket, None), "{shown}");
        assert!(sent < 64 * 1024, "{shown}: {sent} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_101_must_fit_the_request() {
    const PROTOCOL: &str = "sec-websocket-protocol: mqtt\r\n";
    for (right, wrong, flaw) in [
        (PROTOCOL, "", "it does not choose exactly the subprotocol mqtt"),
        ("mqtt\r\n", "mqttv3.1\r\n", "it does not choose exactly the subprotocol mqtt"),
        ("mqtt\r\n", "mqtt, mqttv3.1\r\n", "it does not choose exactly the subprotocol mqtt"),
        (PROTOCOL, &PROTOCOL.repeat(2), "it does not choose exactly the subprotocol mqtt"),
        (
            "mqtt\r\n",
            "mqtt\r\nsec-websocket-extensions: permessage-deflate\r\n",
            "it chooses an extension, but none was offered",
        ),
        ("accept: ", "accept: x", "its sec-websocket-accept does not match"),
        ("sec-websocket-accept", "x-accept", "its sec-websocket-accept does not match"),
        ("upgrade: websocket", "upgrade: h2c", "it does not switch to WebSocket"),
        ("connection: upgrade\r\n", "", "it does not switch to WebSocket"),
    ] {
        let acts = |accept: &str| {
            let good = switching_protocols(accept, Some("mqtt"));
            assert!(good.contains(right), "{good}");
            vec![send(good.replace(right, wrong).replacen("\r\n", "\r\nserver: nginx\r\n", 1))]
        };
        let failing = async |result: Result<Socket, UpgradeError>| result.err().expect("a failure");
        let failure = Failure::from(crate::failure::Cause::from(with_server(acts, failing).await.0));
        let told =
            format!("error: the server's 101 answer is not a WebSocket for MQTT: {flaw}\n  server: nginx\n");
        assert_eq!(explained(&failure), told + NOT_IOT_CORE, "{wrong}");
        assert_eq!(
            (failure.phase(), failure.status(), failure.retry_after()),
            (Phase::WebSocket, Some(101), None)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn frames_may_come_at_once_after_the_101_but_none_without_end() {
    let zeros = [0; 1000];
    for (frames, end, limit) in [
        (frame(BINARY, true, b"hello"), None, 0..1),
        (vec![0x82, 127, 0, 0, 0, 0, 0x10, 0, 0, 0], Some(flood(zeros)), 0..64 * 1024),
        (
            frame(BINARY, false, b"hello"),
            Some(flood(frame(CONTINUATION, false, &zeros))),
            MAX_MESSAGE as u64 / 2..MAX_MESSAGE as u64 * 2,
        ),
    ] {
        let good = end.is_none();
        let acts = |accept: &str| {
            let switch = switching_protocols(accept, Some("mqtt"));
            let all = [b"HTTP/1.1 100 Continue\r\n\r\n", switch.as_bytes(), &frames].concat();
            [send(all)].into_iter().chain(end).collect()
        };
        let first = async |result: Result<Socket, UpgradeError>| result.expect("a WebSocket").next().await;
        let (message, sent) = with_server(acts, first).await;
        let message = message.expect("a message or an error");
        assert_eq!(message.ok().map(|message| message.into_data()).as_deref(), good.then_some(&b"hello"[..]));
        let Range { start, end } = limit;
        assert!(good || (start..end).contains(&sent), "{sent} bytes");
    }
}

#[test]
fn a_clock_that_is_more_than_four_minutes_off_is_corrected() {
    const DAY: i64 = 24 * 60 * 60;
    let answer = |date: String| {
        Answer::from_head(&Response::builder().header("date", date).body(()).expect("an answer"))
    };
    for (ahead, told) in [
        (180, None),
        (-180, None),
        (390, Some("the local clock is 6 minutes behind")),
        (-390, Some("the local clock is 6 minutes ahead of")),
        (DAY + 30, Some("the local clock is 24 hours behind")),
        (-DAY - 30, Some("the local clock is 24 hours ahead of")),
        (50 * 365 * DAY, Some("the local clock is 18250 days behind")),
    ] {
        let distance = Duration::from_secs(ahead.unsigned_abs());
        let server = |now: SystemTime| if ahead < 0 { now - distance } else { now + distance };
        let (clock, local) = (ServerClock::default(), SystemTime::now());
        let corrected = clock.correct(&answer(httpdate::fmt_http_date(server(local))), local);
        let shown = corrected.map(|seconds| Progress::Clock(seconds).to_string());
        assert_eq!(shown.is_some(), told.is_some(), "{ahead}");
        assert!(shown.unwrap_or_default().starts_with(told.unwrap_or_default()), "{ahead}: {corrected:?}");
        let expected = if told.is_some() { server(local) } else { local };
        let off = clock.now().duration_since(expected).unwrap_or_else(|error| error.duration());
        assert!(off < Duration::from_secs(60), "{ahead}: {off:?}");
    }
    for date in ["yesterday", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        assert_eq!(
            ServerClock::default().correct(&answer(date.to_owned()), SystemTime::now()),
            None,
            "{date}"
        );
    }
}
