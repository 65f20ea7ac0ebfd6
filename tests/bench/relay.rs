//! A wire with a delay: each chunk, and the end of the stream, leaves a fixed time after it came. The kernel
//! answers the SYN without a delay. To make up for that, the first data of the client is held for as long as
//! a delayed answer would have taken.
//!
//! It uses threads, since Tokio's timers are accurate only to a millisecond, and one connection passes eight
//! delays.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// One way; a round trip is two of them.
pub const DELAY: Duration = Duration::from_millis(25);

/// Relays each connection to the port `to` of 127.0.0.1. Returns its own port, and the time of each SYN.
pub fn start(to: u16) -> (u16, mpsc::Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    let (sender, syns) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let syn = Instant::now();
            let client = client.expect("a listener accepts");
            let server = TcpStream::connect(("127.0.0.1", to)).expect("the server listens");
            for socket in [&client, &server] {
                socket.set_nodelay(true).expect("a socket takes TCP_NODELAY");
            }
            // This fails if nobody receives any more, who then needs no more times.
            let _ = sender.send(syn);
            pump(twin(&client), twin(&server), syn + 2 * DELAY);
            pump(server, client, syn);
        }
    });
    (port, syns)
}

fn twin(socket: &TcpStream) -> TcpStream {
    socket.try_clone().expect("a second descriptor")
}

/// Reading and writing are apart, so that a chunk on its way does not hold up the next one. Nothing leaves
/// `from` before it is `open`.
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
