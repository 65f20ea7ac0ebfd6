//! The byte stream over a connection in memory, with time that passes only where nothing else can happen.

use std::io::{self, ErrorKind};
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::SinkExt;
use test_support::gateway::mqtt::packet;
use test_support::gateway::websocket::{BINARY, CONTINUATION, PING, TEXT};
use test_support::gateway::{close, connack, disconnect, frame, publish};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::TaskTracker;

use super::stream::{ByteStream, MAX_UNSENT, Transport};
use super::{HangUp, StreamError};
use crate::network::tcp::counted;
use crate::{Connector, Credentials, Failure, Phase};

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(45);
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];
const PINGREQ: [u8; 2] = [0xC0, 0];
/// PUBLISH to the topic `t` with QoS 0, and with QoS 1 and the packet identifier 1.
const PUBLISH_0: [u8; 6] = [0x30, 4, 0, 1, b't', 0];
const PUBLISH_1: [u8; 8] = [0x32, 6, 0, 1, b't', 0, 1, 0];

type Server = WebSocketStream<DuplexStream>;

/// What a person is told, if the endpoint is localhost and the client ID is sensor-7.
pub(super) fn explained(failure: &Failure) -> String {
    static CONNECTOR: LazyLock<Connector> = LazyLock::new(|| {
        let keys = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
        let settings = Connector::builder("localhost".parse().expect("an endpoint"));
        settings.region("eu-central-1").credentials(keys).build().expect("a connector")
    });
    CONNECTOR.explain(failure, "sensor-7")
}

/// A byte stream and its server.
async fn pair() -> (ByteStream, Server) {
    with_limit(RESPONSE_TIMEOUT).await
}

async fn with_limit(limit: Duration) -> (ByteStream, Server) {
    let (client, server) = duplex(1024);
    let (client, traffic) = counted(client);
    let client: Box<dyn Transport> = Box::new(client);
    let config = WebSocketConfig::default().write_buffer_size(0).max_write_buffer_size(MAX_UNSENT);
    let client = WebSocketStream::from_raw_socket(client, Role::Client, Some(config)).await;
    let server = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
    (ByteStream::new(client, traffic, limit, TaskTracker::new()), server)
}

/// The same after CONNACK.
async fn session() -> (ByteStream, Server) {
    let (mut stream, mut server) = pair().await;
    server.send(Message::binary(CONNACK.to_vec())).await.expect("a client");
    stream.read_exact(&mut [0; CONNACK.len()]).await.expect("CONNACK");
    (stream, server)
}

async fn send(stream: &mut ByteStream, packet: &[u8]) {
    stream.write_all(packet).await.expect("a server that reads");
    stream.flush().await.expect("a server that reads");
}

fn stream_error(error: io::Error) -> StreamError {
    error.downcast().expect("an error of the stream")
}

/// The next read fails after the response timeout.
async fn assert_dies(stream: &mut ByteStream) {
    let began = Instant::now();
    let error = stream_error(stream.read_u8().await.expect_err("no more bytes"));
    assert!(matches!(error, StreamError::NoAnswer), "{error:?}");
    assert!((45..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_packet_that_demands_an_answer_and_gets_none_shows_that_the_connection_is_dead() {
    for packet in [&PUBLISH_1[..], &PINGREQ, &[0x82, 6, 0, 1, 0, 0, 1, b't', 0], &[0xA2, 5, 0, 1, 0, 0, 1]] {
        let (mut stream, _server) = session().await;
        send(&mut stream, packet).await;
        assert_dies(&mut stream).await;
    }
}

#[tokio::test(start_paused = true)]
async fn later_packets_do_not_move_the_deadline_of_the_first() {
    let (mut stream, _server) = session().await;
    let began = Instant::now();
    let error = loop {
        send(&mut stream, &PUBLISH_1).await;
        if let Ok(read) = timeout(Duration::from_secs(10), stream.read_u8()).await {
            break stream_error(read.expect_err("no bytes"));
        }
    };
    assert!(matches!(error, StreamError::NoAnswer), "{error:?}");
    assert!((45..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn any_byte_of_mqtt_shows_that_the_connection_lives() {
    let (mut stream, mut server) = session().await;
    for _ in 0..10 {
        send(&mut stream, &PUBLISH_1).await;
        sleep(Duration::from_secs(40)).await;
        server.send(Message::binary(vec![0x30])).await.expect("a client");
        assert_eq!(stream.read_u8().await.expect("a byte"), 0x30);
    }
}

/// A reader and a writer in tasks of their own: nobody polls the reader when the writer asks something.
#[tokio::test(start_paused = true)]
async fn a_reader_that_waited_before_the_question_is_told() {
    let (stream, _server) = session().await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = tokio::spawn(async move { reader.read_u8().await });
    sleep(Duration::from_secs(1)).await;
    writer.write_all(&PINGREQ).await.expect("a server that reads");
    writer.flush().await.expect("a server that reads");
    let read = timeout(Duration::from_secs(60), reading).await.expect("an end").expect("no panic");
    let error = stream_error(read.expect_err("no bytes"));
    assert!(matches!(error, StreamError::NoAnswer), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_message_over_a_slow_line_shows_that_the_connection_lives() {
    let (mut stream, mut server) = session().await;
    send(&mut stream, &PINGREQ).await;
    let sending = tokio::spawn(async move {
        // A binary frame of 200 bytes (RFC 6455 section 5.2).
        let frame = [&[0x82, 126, 0, 200][..], &[0x30; 200]].concat();
        for byte in frame {
            sleep(Duration::from_secs(1)).await;
            server.get_mut().write_all(&[byte]).await.expect("a client");
        }
        server
    });
    assert_eq!(stream.read_u8().await.expect("a byte"), 0x30);
    drop(sending.await);
}

#[tokio::test(start_paused = true)]
async fn pings_of_the_server_are_no_answer() {
    let (mut stream, mut server) = session().await;
    send(&mut stream, &PUBLISH_1).await;
    let pinging = tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(5)).await;
            if server.send(Message::Ping(Vec::new().into())).await.is_err() {
                break;
            }
        }
    });
    assert_dies(&mut stream).await;
    pinging.abort();
}

#[tokio::test(start_paused = true)]
async fn silence_is_allowed_where_no_answer_is_owed_or_the_limit_has_no_end() {
    for (packet, limit) in [(&PUBLISH_0[..], RESPONSE_TIMEOUT), (&PINGREQ, Duration::MAX)] {
        let (mut stream, _server) = with_limit(limit).await;
        send(&mut stream, packet).await;
        assert!(timeout(Duration::from_secs(100_000), stream.read_u8()).await.is_err(), "an end");
    }
}

/// A laptop that slept finds its deadline in the past and the answer in the socket.
#[tokio::test(start_paused = true)]
async fn after_a_sleep_what_has_arrived_counts_first() {
    let (mut stream, mut server) = session().await;
    send(&mut stream, &PUBLISH_1).await;
    assert!(timeout(Duration::from_secs(1), stream.read_u8()).await.is_err(), "a byte too early");
    let answering = tokio::spawn(async move {
        sleep(Duration::from_secs(3600)).await;
        server.send(Message::binary(vec![0x40])).await.expect("a client");
        server
    });
    tokio::task::yield_now().await;
    advance(Duration::from_secs(3600)).await;
    let read = stream.read_u8().await;
    assert_eq!(read.expect("the answer"), 0x40);
    drop(answering.await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_shows_that_the_connection_is_dead() {
    let (mut stream, _server) = session().await;
    let began = Instant::now();
    let error = stream.write_all(&[0; 128 * 1024]).await.expect_err("a server that does not read");
    let error = stream_error(error);
    assert!(matches!(error, StreamError::NotTaken), "{error:?}");
    assert!((45..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_no_dead_one() {
    let (mut stream, server) = session().await;
    let mut line = server.into_inner();
    let reading = tokio::spawn(async move {
        let mut piece = [0; 1000];
        while let Ok(Ok(1..)) = timeout(Duration::from_secs(20), line.read(&mut piece)).await {
            sleep(Duration::from_secs(10)).await;
        }
        line.write_all(&frame(BINARY, true, &[0x40])).await.expect("a client");
        line
    });
    let began = Instant::now();
    // PUBLISH with QoS 1 of 128 KB, which takes twenty minutes here.
    let packet = [&[0x32, 0x80, 0x80, 0x08], &vec![0; 128 * 1024][..]].concat();
    send(&mut stream, &packet).await;
    assert!(began.elapsed() > Duration::from_secs(1000), "{:?}", began.elapsed());
    // The whole packet was written only now, so the time for its answer begins now.
    assert_eq!(stream.read_u8().await.expect("an answer"), 0x40);
    drop(reading.await);
}

#[tokio::test(start_paused = true)]
async fn pings_without_end_take_no_more_memory_than_may_wait() {
    let (mut stream, server) = session().await;
    let mut line = server.into_inner();
    let pinging = tokio::spawn(async move {
        let ping = [&[0x89, 125][..], &[b'?'; 125]].concat();
        for _ in 0..10_000 {
            line.write_all(&ping).await?;
        }
        Ok::<_, io::Error>(line)
    });
    // Nobody reads the answers, so nobody can write after them either.
    let read = timeout(Duration::from_secs(5), stream.read_u8()).await;
    assert!(read.is_err(), "{read:?}");
    let _line = pinging.await.expect("no panic").expect("every ping was read");
    let error = stream.write_all(&PUBLISH_1).await.expect_err("no room");
    assert!(matches!(stream_error(error), StreamError::NotTaken));
}

/// MQTT 5 section 6.
#[tokio::test(start_paused = true)]
async fn packets_may_be_spread_over_frames_in_any_way() {
    let ping = frame(PING, true, b"?");
    for frames in [
        [frame(BINARY, true, b""), frame(BINARY, true, &CONNACK)].concat(),
        CONNACK.iter().flat_map(|byte| frame(BINARY, true, &[*byte])).collect(),
        [frame(BINARY, false, &CONNACK[..3]), ping, frame(CONTINUATION, true, &CONNACK[3..])].concat(),
        frame(BINARY, true, &[&CONNACK[..], &PUBLISH_0].concat()),
    ] {
        let (mut stream, mut server) = pair().await;
        server.get_mut().write_all(&frames).await.expect("a client");
        let mut connack = [0; CONNACK.len()];
        stream.read_exact(&mut connack).await.expect("CONNACK");
        assert_eq!(connack, CONNACK, "{frames:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_answers_connect_is_explained() {
    const RESOURCE: &str = r#""Resource":"arn:aws:iot:eu-central-1:<account>:client/sensor-7""#;
    const NOT_IOT_CORE: &str = "hint: IoT Core does not answer like this";
    const POLICY: [&str; 3] = [r#""Effect":"Allow""#, r#""Action":"iot:Connect""#, "Cognito"];
    let in_frame = |packet: &[u8]| frame(BINARY, true, packet);
    let refused = |code, reason| in_frame(&connack(code, reason));
    let disconnected = |code| in_frame(&disconnect(code));
    let broken = "not WebSocket, or too long";
    for (bytes, error, hint, again) in [
        (refused(0x85, None), "not valid (0x85)", "IoT Core accepts client IDs of 1 to 128 bytes", false),
        (refused(0x87, Some("No policy.")), "(0x87)\n  reason: No policy.\n", RESOURCE, false),
        (refused(0x87, Some("\u{1B}[2J\nhint: lie\u{202E}")), "reason:  [2J hint: lie\n", "", false),
        (refused(0x87, Some(&"x".repeat(9_000))), "xxx…\n", "", false),
        (refused(0x88, None), "Server unavailable (0x88)", "busy", true),
        (refused(0x97, None), "Quota exceeded (0x97)", "500 for an account: see Service Quotas", true),
        (refused(0x9F, None), "Connection rate exceeded (0x9F)", "1 CONNECT per second", true),
        (refused(0x42, None), "refused CONNECT: unknown reason code (0x42)", "", false),
        (disconnected(0x87), "Not authorized (0x87)", RESOURCE, false),
        (disconnected(0x8B), "with DISCONNECT: Server shutting down (0x8B)", "", true),
        (disconnected(0x8E), "Session taken over (0x8E)", "another client connected as sensor-7", false),
        (in_frame(&publish("t", b"")), "first packet is not a CONNACK of MQTT 5", NOT_IOT_CORE, false),
        (in_frame(&packet(0, b"hello")), "malformed MQTT packet", NOT_IOT_CORE, false),
        (in_frame(&[0x20, 3, 0]), "hung up after CONNECT", "knows only MQTT 3.1.1 hangs up as well", false),
        (frame(8, true, b""), "the server closed the WebSocket\n", RESOURCE, false),
        (close(1011, ""), "the server closed the WebSocket (1011)\n", RESOURCE, false),
        (close(1008, "policy\u{1B}"), "closed the WebSocket (1008): policy\n", RESOURCE, false),
        (frame(TEXT, true, b"hello"), "the server sent a text frame", NOT_IOT_CORE, false),
        (vec![0x82, 0x85, 0, 0, 0, 0, 0x20, 3, 0, 0, 0], broken, NOT_IOT_CORE, false),
        ([&[0x82, 127][..], &[0x7F; 8]].concat(), broken, NOT_IOT_CORE, false),
        (b"HTTP/1.1 200 OK\r\n".repeat(9), broken, NOT_IOT_CORE, false),
    ] {
        let (mut stream, server) = pair().await;
        let mut line = server.into_inner();
        let sending = tokio::spawn(async move { line.write_all(&bytes).await });
        let failure = Failure::from(stream.read_u8().await.expect_err("no session"));
        let report = explained(&failure);
        assert!(report.contains(error) && report.contains(hint), "{error}: {report}");
        assert!(!report.contains("xxxxxxxxxx".repeat(40).as_str()), "{report}");
        assert!(hint != RESOURCE || POLICY.iter().all(|part| report.contains(part)), "{report}");
        assert_eq!((failure.phase(), failure.retry_after().is_some()), (Phase::Mqtt, again), "{error}");
        sending.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_a_session_is_a_failure_that_says_so() {
    for (message, kind, said) in [
        (Message::text("hello"), ErrorKind::InvalidData, "the server stopped speaking MQTT over WebSocket: "),
        (Message::Close(None), ErrorKind::ConnectionAborted, "the connection was lost: the server closed"),
    ] {
        let (mut stream, mut server) = session().await;
        server.send(message).await.expect("a client");
        let error = stream.read_u8().await.expect_err("an end");
        assert_eq!(error.kind(), kind, "{said}");
        let summary = Failure::from(error).summary();
        assert!(summary.starts_with(said), "{said}: {summary}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_vanishes_before_connack_has_not_hung_up() {
    let (stream, _server) = pair().await;
    let failure = Failure::from(stream.error(HangUp::Vanished(ErrorKind::TimedOut.into())));
    assert!(failure.summary().starts_with("the connection was lost"), "{}", failure.summary());
    assert!(failure.retry_after().is_some());
}

/// A client that reads and writes in two tasks learns the same from both.
#[tokio::test(start_paused = true)]
async fn a_writer_is_told_of_a_close_as_the_reader_is() {
    let (mut stream, mut server) = session().await;
    server.send(Message::Close(None)).await.expect("a client");
    stream.read_u8().await.expect_err("an end");
    let error = stream.write_all(&PUBLISH_1).await.expect_err("an end");
    assert!(matches!(stream_error(error), StreamError::Lost(_)));
}
