//! A wire with a delay: each chunk, and the end of the stream, leaves a fixed time after it came. The kernel
//! answers the SYN without a delay, so what the client sends in the first round trip is held as long as if it
//! had waited for the answer.
//!
//! Threads, since the timers of a Tokio runtime are good to a millisecond, and one connection passes eight
//! delays.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// One way; a round trip is two of them.
pub const DELAY: Duration = Duration::from_millis(25);

/// Relays each connection to that port of 127.0.0.1. Gives its own port, and the moment of each SYN.
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
            // Whoever does not listen any more has all that was wanted.
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
            // A reset goes on as an end of stream, which tells the other side as much.
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
            // Whoever is gone needs no bytes.
            let _ = if chunk.is_empty() { to.shutdown(Shutdown::Write) } else { to.write_all(&chunk) };
        }
    });
}
