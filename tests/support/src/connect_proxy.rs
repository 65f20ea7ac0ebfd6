//! An HTTP proxy on 127.0.0.1 that resolves test names which nothing else can resolve.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::TcpStream;

use crate::gateway::http::read_head;
use crate::gateway::listener::Listener;

pub struct ConnectProxy {
    listener: Listener,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Connects each destination, `host:port`, to a port of 127.0.0.1.
    pub async fn to(routes: &[(&'static str, u16)]) -> Self {
        Self::start(routes, "502 Bad Gateway").await
    }

    /// Gives this answer to every request.
    pub async fn refusing(answer: &str) -> Self {
        Self::start(&[], answer).await
    }

    async fn start(routes: &[(&'static str, u16)], refusal: &str) -> Self {
        let refusal = format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n");
        let (routes, requests) = (routes.to_vec(), Arc::<Mutex<Vec<String>>>::default());
        let record = requests.clone();
        let serve = move |client| connect(client, routes.clone(), refusal.clone(), record.clone());
        Self { listener: Listener::start(serve).await, requests }
    }

    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.listener.port)
    }

    pub fn url(&self, user: &str) -> String {
        format!("http://{user}{}", self.authority())
    }

    /// The whole head of every request.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn connect(
    mut client: TcpStream,
    routes: Vec<(&str, u16)>,
    refusal: String,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let Ok(head) = read_head(&mut client).await else { return };
    let head = String::from_utf8(head).expect("a head in ASCII");
    requests.lock().expect("no panic").push(head.clone());
    let route = routes.iter().find(|(name, _)| head.starts_with(&format!("CONNECT {name} HTTP/1.1\r\n")));
    // The client may go away at any time.
    if let Some((_, port)) = route {
        let mut server = TcpStream::connect(("127.0.0.1", *port)).await.expect("somebody listens");
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok();
        copy_bidirectional(&mut client, &mut server).await.ok();
    } else {
        client.write_all(refusal.as_bytes()).await.ok();
        client.shutdown().await.ok();
        // If this closed at once, Windows would drop what the client has not read yet.
        copy(&mut client, &mut sink()).await.ok();
    }
}
