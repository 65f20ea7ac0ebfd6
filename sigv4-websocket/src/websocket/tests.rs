//! The byte stream over a connection in memory, with time that passes only where nothing else can happen.

use std::io::{self, ErrorKind};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::TaskTracker;

use super::stream::{ByteStream, MAX_UNSENT, Transport};
use super::{HangUp, StreamError};
use crate::Failure;
use crate::network::tcp::counted;

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(45);
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];
const PINGREQ: [u8; 2] = [0xC0, 0];
/// PUBLISH to the topic `t` with QoS 0, and with QoS 1 and the packet identifier 1.
const PUBLISH_0: [u8; 6] = [0x30, 4, 0, 1, b't', 0];
const PUBLISH_1: [u8; 8] = [0x32, 6, 0, 1, b't', 0, 1, 0];

type Server = WebSocketStream<DuplexStream>;

/// A byte stream and its server, with room for this many bytes between them.
async fn pair(room: usize) -> (ByteStream, Server) {
    with_limit(room, RESPONSE_TIMEOUT).await
}

async fn with_limit(room: usize, limit: Duration) -> (ByteStream, Server) {
    let (client, server) = duplex(room);
    let (client, traffic) = counted(client);
    let client: Box<dyn Transport> = Box::new(client);
    let config = WebSocketConfig::default().write_buffer_size(0).max_write_buffer_size(MAX_UNSENT);
    let client = WebSocketStream::from_raw_socket(client, Role::Client, Some(config)).await;
    let server = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
    (ByteStream::new(client, traffic, limit, TaskTracker::new()), server)
}

/// The same after CONNACK.
async fn session() -> (ByteStream, Server) {
    let (mut stream, mut server) = pair(1024).await;
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

/// The error of the next read, and how many seconds passed until then.
async fn dies(stream: &mut ByteStream) -> (StreamError, u64) {
    let began = Instant::now();
    let error = stream.read_u8().await.expect_err("no more bytes");
    (stream_error(error), began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_packet_that_demands_an_answer_and_gets_none_shows_that_the_connection_is_dead() {
    for packet in [&PUBLISH_1[..], &PINGREQ, &[0x82, 6, 0, 1, 0, 0, 1, b't', 0], &[0xA2, 5, 0, 1, 0, 0, 1]] {
        let (mut stream, _server) = session().await;
        send(&mut stream, packet).await;
        let (error, seconds) = dies(&mut stream).await;
        assert!(matches!(error, StreamError::NoAnswer), "{packet:?}: {error:?}");
        assert!((45..60).contains(&seconds), "{packet:?}: {seconds} s");
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
    let (error, seconds) = dies(&mut stream).await;
    assert!(matches!(error, StreamError::NoAnswer), "{error:?}");
    assert!((45..60).contains(&seconds), "{seconds} s");
    pinging.abort();
}

#[tokio::test(start_paused = true)]
async fn a_limit_without_end_is_never_reached() {
    let (stream, _server) = with_limit(1024, Duration::MAX).await;
    let mut stream = stream;
    send(&mut stream, &PINGREQ).await;
    assert!(timeout(Duration::from_secs(100_000), stream.read_u8()).await.is_err(), "an end");
}

#[tokio::test(start_paused = true)]
async fn silence_is_allowed_where_no_answer_is_owed() {
    let (mut stream, _server) = session().await;
    send(&mut stream, &PUBLISH_0).await;
    assert!(timeout(Duration::from_secs(100_000), stream.read_u8()).await.is_err(), "an end");
}

/// A laptop that slept finds its deadline in the past and the answer in the socket.
#[tokio::test(start_paused = true)]
async fn whoever_was_asleep_reads_before_it_judges() {
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
        while line.read(&mut piece).await.is_ok_and(|length| length > 0) {
            sleep(Duration::from_secs(10)).await;
        }
    });
    let began = Instant::now();
    // PUBLISH with QoS 1 of 128 KB, which takes twenty minutes here.
    let packet = [&[0x32, 0x80, 0x80, 0x08], &vec![0; 128 * 1024][..]].concat();
    send(&mut stream, &packet).await;
    assert!(began.elapsed() > Duration::from_secs(1000), "{:?}", began.elapsed());
    reading.abort();
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

#[tokio::test(start_paused = true)]
async fn what_ended_a_stream_is_a_failure_that_says_so() {
    for (message, kind, said, after_connack) in [
        (Some(Message::text("hello")), ErrorKind::InvalidData, "text frame", true),
        (None, ErrorKind::ConnectionAborted, "closed the WebSocket", true),
        (None, ErrorKind::ConnectionAborted, "hung up after CONNECT", false),
        (Some(Message::text("hello")), ErrorKind::InvalidData, "does not speak MQTT", false),
        (Some(Message::binary(vec![0x20, 3, 0, 0x87, 0])), ErrorKind::InvalidData, "(0x87)", false),
    ] {
        let (mut stream, mut server) = if after_connack { session().await } else { pair(1024).await };
        match message {
            Some(message) => server.send(message).await.expect("a client"),
            None => server.close(None).await.expect("a client"),
        }
        let error = stream.read_u8().await.expect_err("an end");
        assert_eq!(error.kind(), kind, "{said}");
        let failure = Failure::from(error);
        assert!(failure.summary().contains(said), "{said}: {}", failure.summary());
        assert_eq!(failure.retry_after().is_some(), after_connack, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_vanishes_before_connack_has_not_hung_up() {
    let (stream, _server) = pair(1024).await;
    let failure = Failure::from(stream.error(HangUp::Vanished(ErrorKind::TimedOut.into())));
    assert!(failure.summary().starts_with("the connection was lost"), "{}", failure.summary());
    assert!(failure.retry_after().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_closes_itself() {
    let (stream, mut server) = session().await;
    drop(stream);
    let Some(Ok(Message::Close(Some(frame)))) = server.next().await else { panic!("a Close") };
    assert_eq!(u16::from(frame.code), 1000);
    assert!(server.next().await.is_none(), "the end");
}
