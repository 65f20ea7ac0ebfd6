//! Servers behind TLS that send a good conversation, with random edits to its HTTP answer, its frames or its packets.

use std::io::Result;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::edit::{Edit, edited, edits};
use super::{await_end, run, survives};
use crate::credentials::source::Source;
use crate::failures::answers::{answer, endless, forbidden};
use crate::gateway::certificates::Authority;
use crate::gateway::http::{read_head, switching_protocols};
use crate::gateway::listener::Listener;
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, CONTINUATION, PING};
use crate::gateway::{Certificate, REGION, Request, connack, disconnect, frame, publish};
use crate::program::Program;

/// The longest time that a client needs to send CONNECT, if it understands the answer.
const CONNECT_BY: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
struct Conversation {
    /// The answer to the upgrade. `{accept}` and `{target}` stand for what depends on the request.
    answer: String,
    edits_of_answer: Vec<Edit>,
    frames: Vec<u8>,
    /// Whether the client must be connected in the end.
    honest: bool,
    /// Whether everything goes out at once, before the client has said CONNECT.
    at_once: bool,
}

/// The targets of the requests.
type Targets = Arc<Mutex<Vec<String>>>;

#[test]
fn random_servers_are_survived() {
    survives("servers", 48, conversation(), survive);
}

/// Either the answer, or the packets, or the frames are edited.
fn conversation() -> impl Strategy<Value = Conversation> {
    let answers = prop_oneof![2 => Just(switching_protocols("{accept}")), 1 => refusal()];
    let parts = (answers, packets(), 1..40_usize, any::<bool>(), 0..3_usize, edits(), any::<bool>());
    parts.prop_map(|(answer, packets, size, fragments, edited_part, edits, at_once)| {
        let disconnects = packets[1..].iter().any(|packet| packet[0] == 0xE0);
        let accepts = answer.starts_with("HTTP/1.1 101") && packets[0][0] == 0x20 && packets[0][3] == 0;
        let honest = edits.is_empty() && accepts && !disconnects;
        let mut edits_of = [const { Vec::new() }; 3];
        edits_of[edited_part] = edits;
        let [edits_of_answer, of_packets, of_frames] = edits_of;
        let packets = edited(&of_packets, packets.concat());
        let frames = edited(&of_frames, in_frames(&packets, size, fragments));
        Conversation { answer, edits_of_answer, frames, honest, at_once }
    })
}

/// Some hold characters that no terminal and no log may get.
fn refusal() -> impl Strategy<Value = String> {
    let refusals = [
        forbidden("The security token included in the request is invalid.", 0),
        answer("400 Bad Request", &["x-amzn-ErrorType: Invalid:"], "{\"message\":\"\\u001b[2J\u{2028}\"}"),
        answer("503 Service Unavailable", &["server: nginx\u{202E}\u{200B}"], "<html>"),
        endless("403 Forbidden", &["transfer-encoding: chunked"], "6\r\n{\"a\":1\r\n1\r\n}\r\n0\r\n\r\n"),
        endless("302 Found", &["location: https://login.invalid{target}"], ""),
        endless("403 Forbidden", &["content-type: text/plain"], "No {target} for you."),
        forbidden("The token is unknown in {target}.", 0),
    ];
    select(refusals.map(|bytes| String::from_utf8(bytes).expect("answers in UTF-8")).to_vec())
}

/// In most cases a successful CONNACK comes first.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Every property that may answer this CONNECT (MQTT 5 section 3.2.2.3), which has a client ID.
    let properties =
        b"\x11\0\0\0\x3C\x21\0\x64\x24\x01\x25\0\x27\0\x02\0\0\x22\0\x0A\x1F\0\x05ok\xE2\x80\xAE\
        \x26\0\x01k\0\x01v\x28\x01\x29\x01\x2A\0\x13\x02\x58\x1C\0\x01s";
    let full = |code| packet(0x20, &[&[0, code, properties.len() as u8], &properties[..]].concat());
    let first = prop_oneof![
        4 => Just(connack(0, None)),
        4 => Just(full(0)),
        2 => Just(full(0x87)),
        1 => Just(disconnect(0x8E)),
        1 => Just(publish("topic", b"payload")),
        1 => Just(packet(0xF0, &[0x18, 0])),
    ];
    let later =
        select(vec![connack(0, None), disconnect(0x8B), publish("topic", &[7; 300]), packet(0xD0, &[])]);
    (first, vec(later, 0..3)).prop_map(|(first, later)| [vec![first], later].concat())
}

/// Frames of this size, either fragments of one message or messages, with pings between them.
fn in_frames(packets: &[u8], size: usize, fragments: bool) -> Vec<u8> {
    let last = packets.chunks(size).count().saturating_sub(1);
    let frames = packets.chunks(size).enumerate().flat_map(|(nth, piece)| {
        let opcode = if fragments && nth > 0 { CONTINUATION } else { BINARY };
        [frame(PING, true, b"there?"), frame(opcode, !fragments || nth == last, piece)].concat()
    });
    frames.collect()
}

async fn survive(conversation: Conversation) -> TestCaseResult {
    let (honest, targets) = (conversation.honest, Targets::default());
    let authority = Authority::new("The random server's test authority");
    let (tls, seen) = (authority.server(Certificate::Trusted), targets.clone());
    // The client may end the connection at any time.
    let server =
        Listener::start(move |tcp| converse(tcp, tls.clone(), conversation.clone(), seen.clone()).map(drop));
    let server = server.await;
    let (program, _none) = Source::Flags.provide(Program::new().file("ca.pem", &authority.pem())).await;
    let ca_file = program.home("ca.pem");
    let program = program.aimed_at(&format!("127.0.0.1:{}", server.port), &ca_file, REGION);
    let signature = |target: &String| target.split("X-Amz-Signature=").nth(1)?.get(..64).map(str::to_owned);
    let outcome = run(program, &[0, 6, 7, 8], || {
        let targets = targets.lock().expect("no panic");
        let signatures = targets.iter().map(|target| signature(target).expect("a signature"));
        signatures.chain(Source::Flags.secrets().into_iter().map(|(_, secret)| secret)).collect()
    });
    let outcome = outcome.await?;
    prop_assert!(outcome.code == 0 || !honest, "an honest server, but {:#?}", outcome);
    Ok(())
}

async fn converse(
    tcp: TcpStream,
    tls: Arc<ServerConfig>,
    conversation: Conversation,
    targets: Targets,
) -> Result<()> {
    let Conversation { answer, edits_of_answer, frames, at_once, .. } = conversation;
    let mut tls = TlsAcceptor::from(tls).accept(tcp).await?;
    let request = Request::parse(&read_head(&mut tls).await?).expect("the program sends HTTP");
    let accept = request.accept_key().expect("the program asks for a WebSocket");
    let answer = answer.replace("{accept}", &accept).replace("{target}", &request.target);
    targets.lock().expect("no panic").push(request.target);
    let answer = edited(&edits_of_answer, answer.into_bytes());
    let (first, then) = if at_once { ([answer, frames].concat(), Vec::new()) } else { (answer, frames) };
    tls.write_all(&first).await?;
    tls.flush().await?;
    let _ = timeout(CONNECT_BY, tls.read_buf(&mut Vec::new())).await;
    tls.write_all(&then).await?;
    tls.flush().await?;
    await_end(tls).await
}
