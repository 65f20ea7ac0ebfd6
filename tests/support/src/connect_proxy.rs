//! An HTTP proxy on 127.0.0.1 that resolves test names which nothing else can resolve.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::TcpStream;

use crate::gateway::http::read_head;
use crate::gateway::listener::Listener;

/// How the proxy answers CONNECT.
#[derive(Clone)]
pub enum Manner {
    /// Connects a client that sends this `Proxy-Authorization`.
    Password(&'static str),
    /// Gives this answer instead.
    Refusing(String),
}

pub struct ConnectProxy {
    listener: Listener,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// `routes` maps each destination, `host:port`, to a port of 127.0.0.1.
    pub async fn start(routes: &[(&'static str, u16)], manner: Manner) -> Self {
        let routes = routes.to_vec();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let record = requests.clone();
        let serve = move |tcp| connect(tcp, routes.clone(), manner.clone(), record.clone());
        Self { listener: Listener::start(serve).await, requests }
    }

    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.listener.port)
    }

    pub fn url(&self, user: &str) -> String {
        format!("http://{user}{}", self.authority())
    }

    /// The first line of every request.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn connect(
    mut client: TcpStream,
    routes: Vec<(&str, u16)>,
    manner: Manner,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let Ok(head) = read_head(&mut client).await else { return };
    let head = String::from_utf8(head).expect("a head in ASCII");
    let request = head.lines().next().unwrap_or_default();
    requests.lock().expect("no panic").push(request.to_owned());
    let route = routes.iter().find(|(name, _)| request == format!("CONNECT {name} HTTP/1.1"));
    let answer = match (manner, route) {
        (Manner::Refusing(answer), _) => answer,
        (Manner::Password(wanted), _)
            if !head.contains(&format!("\r\nproxy-authorization: {wanted}\r\n")) =>
        {
            "407 Proxy Authentication Required".to_owned()
        }
        (Manner::Password(_), None) => "502 Bad Gateway".to_owned(),
        (Manner::Password(_), Some((_, port))) => return tunnel(client, *port).await.unwrap_or_default(),
    };
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
    client.write_all(answer.as_bytes()).await.unwrap_or_default();
    client.shutdown().await.unwrap_or_default();
    // If this closed at once, Windows would drop what the client has not read yet.
    copy(&mut client, &mut sink()).await.map(drop).unwrap_or_default();
}

async fn tunnel(mut client: TcpStream, port: u16) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
