//! Round trips from the first SYN to CONNACK, and to the end of the process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use test_support::gateway::own_keys;
use test_support::stand_ins::{LONG, StandIn, metadata};

use crate::process::command;
use crate::server::Server;
use crate::{print_head, print_row};

const RUNS: usize = 11;

/// One way; a round trip is two of them.
const DELAY: Duration = Duration::from_millis(25);

// The stand-in for a container sleeps on the worker; this function blocks another thread.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
pub async fn run() {
    let server = Server::start();
    let (port, syns) = relay(&server.endpoint);
    let endpoint = format!("localhost:{port}");
    // A container's keys come with a token.
    let [.., key] = &own_keys()[..] else { panic!("the gateway knows keys") };
    let document = metadata::document(key, LONG);
    let container = StandIn::start(move |_| {
        thread::sleep(4 * DELAY);
        document.clone()
    })
    .await;
    let url = container.url();
    print_head(&format!("Round trips from the first SYN ({RUNS} runs)"), &["to CONNACK", "to exit"]);
    for (name, container) in [("keys by flag", None), ("keys from a container", Some(url.as_str()))] {
        let run = |_| measure(command(&server, &endpoint, container), &syns);
        print_row(name, (0..RUNS).map(run).collect());
    }
    println!(
        "A round trip is 50 ms: a relay holds every chunk, and the FIN, for 25 ms each way, and the first for 50 ms more,\n\
         since ClientHello would have had to wait for the answer to the SYN. The container takes 100 ms to answer."
    );
}

/// From the SYN to the line that reports CONNACK, and to the end of the process.
fn measure(mut command: Command, syns: &mpsc::Receiver<Instant>) -> [f64; 2] {
    let mut child = command.spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
    let mut connected = None;
    for line in lines.map_while(Result::ok) {
        connected = connected.or(line.starts_with("Connected").then(Instant::now));
    }
    let status = child.wait().expect("the program ends");
    let exit = Instant::now();
    assert!(status.success(), "the program failed: {status}");
    let syn = syns.recv().expect("the relay saw it");
    [connected.expect("a line that says Connected"), exit]
        .map(|time| (time - syn).div_duration_f64(2 * DELAY))
}

/// A wire with a delay before this endpoint: each chunk, and the end of the stream, leaves a fixed time after it came.
/// The kernel answers the SYN without a delay, so the first data of the client is held for as long as a delayed answer
/// would have taken. Returns the port of the wire, and the time of each SYN.
///
/// It uses threads, since Tokio's timers are accurate only to a millisecond, and one connection passes eight delays.
fn relay(endpoint: &str) -> (u16, mpsc::Receiver<Instant>) {
    let endpoint = endpoint.replace("localhost", "127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    let (sender, syns) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let syn = Instant::now();
            let client = client.expect("a listener accepts");
            let server = TcpStream::connect(&endpoint).expect("the server listens");
            for socket in [&client, &server] {
                socket.set_nodelay(true).expect("a socket takes TCP_NODELAY");
            }
            // This fails if nobody receives any more, who then needs no more times.
            let _ = sender.send(syn);
            let twin = |socket: &TcpStream| socket.try_clone().expect("a second descriptor");
            pump(twin(&client), twin(&server), syn + 2 * DELAY);
            pump(server, client, syn);
        }
    });
    (port, syns)
}

/// Reading and writing are apart, so that a chunk on its way does not hold up the next one. Nothing leaves `from`
/// before it is `open`.
fn pump(mut from: TcpStream, mut to: TcpStream, open: Instant) {
    let (sender, chunks) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            // A reset is passed on as an end of stream, which is enough for the other side.
            let length = from.read(&mut buffer).unwrap_or(0);
            let due = Instant::now().max(open) + DELAY;
            if sender.send((due, buffer[..length].to_vec())).is_err() || length == 0 {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, chunk) in chunks {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // If the other side is gone, it needs no more bytes.
            let _ = if chunk.is_empty() { to.shutdown(Shutdown::Write) } else { to.write_all(&chunk) };
        }
    });
}
