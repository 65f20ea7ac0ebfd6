//! A wire with a delay: each chunk, and the end of the stream, leaves a fixed time after it came.
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

/// What the relay saw of one connection.
pub struct Seen {
    /// When it was accepted.
    pub accepted: Instant,
    /// When the client's first bytes came.
    pub first_bytes: Instant,
}

/// Relays each connection to that port of 127.0.0.1. Gives its own port, and word of each connection.
pub fn start(to: u16) -> (u16, mpsc::Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    let (word, words) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let accepted = Instant::now();
            let client = client.expect("a listener accepts");
            let server = TcpStream::connect(("127.0.0.1", to)).expect("the server listens");
            for socket in [&client, &server] {
                socket.set_nodelay(true).expect("a socket takes TCP_NODELAY");
            }
            let word = word.clone();
            let tell = move |first_bytes| drop(word.send(Seen { accepted, first_bytes }));
            pump(twin(&client), twin(&server), tell);
            pump(server, client, |_| {});
        }
    });
    (port, words)
}

fn twin(socket: &TcpStream) -> TcpStream {
    socket.try_clone().expect("a second descriptor")
}

/// Reading and writing are apart, so that a chunk on its way does not hold up the next one.
fn pump(mut from: TcpStream, mut to: TcpStream, tell: impl FnOnce(Instant) + Send + 'static) {
    let (sender, chunks) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let (mut tell, mut buffer) = (Some(tell), vec![0; 64 * 1024]);
        loop {
            // A reset goes on as an end of stream, which tells the other side as much.
            let length = from.read(&mut buffer).unwrap_or(0);
            let now = Instant::now();
            if let Some(tell) = tell.take() {
                tell(now);
            }
            if sender.send((now + DELAY, buffer[..length].to_vec())).is_err() || length == 0 {
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
