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
    pub async fn to(routes: &[(&str, u16)]) -> Self {
        Self::answering("HTTP/1.1 200 Connection established\r\n\r\n", routes).await
    }

    /// Refuses every request with this status.
    pub async fn refusing(status: &str) -> Self {
        Self::answering(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"), &[]).await
    }

    /// Gives this answer to every request. Afterwards it connects the destinations that it knows, and ends the others.
    pub async fn answering(answer: impl Into<Vec<u8>>, routes: &[(&str, u16)]) -> Self {
        let routes = routes.iter().map(|(destination, port)| (format!("CONNECT {destination} "), *port));
        let (routes, answer): (Vec<_>, Vec<u8>) = (routes.collect(), answer.into());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let record = requests.clone();
        let serve = move |client| connect(client, answer.clone(), routes.clone(), record.clone());
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
    answer: Vec<u8>,
    routes: Vec<(String, u16)>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let Ok(head) = read_head(&mut client).await else { return };
    let head = String::from_utf8(head).expect("a head in ASCII");
    let route = routes.iter().find(|(request, _)| head.starts_with(request));
    requests.lock().expect("no panic").push(head.clone());
    // The client may go away at any time.
    client.write_all(&answer).await.ok();
    if let Some((_, port)) = route {
        let mut server = TcpStream::connect(("127.0.0.1", *port)).await.expect("somebody listens");
        copy_bidirectional(&mut client, &mut server).await.ok();
    } else {
        client.shutdown().await.ok();
        // If this closed at once, Windows would drop what the client has not read yet.
        copy(&mut client, &mut sink()).await.ok();
    }
}
