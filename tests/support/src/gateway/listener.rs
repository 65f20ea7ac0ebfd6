//! A listener on a free port of 127.0.0.1, inside the test's own process.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Dropping it ends the listener and its connections. It runs on the test's own runtime.
pub struct Listener {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Listener {
    /// `serve` is called for each connection, in the order they come in.
    pub async fn start<F>(mut serve: impl FnMut(TcpStream) -> F + Send + 'static) -> Listener
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let task = tokio::spawn(async move {
            // Dropping the set, when this task is ended, ends the connections.
            let mut connections = JoinSet::new();
            loop {
                // If the client has already reset the connection, Windows fails here, and macOS one line later.
                let Ok((tcp, _)) = listener.accept().await else { continue };
                let _ = tcp.set_nodelay(true);
                connections.spawn(serve(tcp));
            }
        });
        Listener { port, task }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}
