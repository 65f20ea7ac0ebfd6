//! An HTTP proxy on 127.0.0.1 that resolves test names which nothing else can resolve.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::TcpStream;

use crate::gateway::http::read_head;
use crate::gateway::listener::Listener;

/// How the proxy answers a CONNECT.
#[derive(Clone)]
pub enum Manner {
    /// Connects.
    Open,
    /// Connects a client that sends this `Proxy-Authorization`.
    Password(&'static str),
    /// Gives this answer to the first requests, as many as the number says, then connects.
    Refusing(String, usize),
}

pub struct ConnectProxy {
    listener: Listener,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// `routes` maps each destination, `host:port`, to a port of 127.0.0.1.
    pub async fn start(routes: &[(&str, u16)], manner: Manner) -> Self {
        let routes: Vec<(String, u16)> =
            routes.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let record = heads.clone();
        let serve = move |tcp| connect(tcp, routes.clone(), manner.clone(), record.clone());
        Self { listener: Listener::start(serve).await, heads }
    }

    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.listener.port)
    }

    pub fn url(&self, user: &str) -> String {
        format!("http://{user}{}", self.authority())
    }

    /// The first line of every request.
    pub fn requests(&self) -> Vec<String> {
        let heads = self.heads.lock().expect("no panic");
        heads.iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

async fn connect(
    mut client: TcpStream,
    routes: Vec<(String, u16)>,
    manner: Manner,
    heads: Arc<Mutex<Vec<String>>>,
) {
    let Ok(head) = read_head(&mut client).await else { return };
    let head = String::from_utf8(head).expect("a head in ASCII");
    let destination =
        head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    let nth = {
        let mut heads = heads.lock().expect("no panic");
        heads.push(head.clone());
        heads.len()
    };
    let refusal = match manner {
        Manner::Open => None,
        Manner::Password(wanted) => {
            let shown = format!("\r\nproxy-authorization: {wanted}\r\n").to_lowercase();
            let known = head.to_lowercase().contains(&shown);
            (!known).then(|| "407 Proxy Authentication Required\r\nproxy-authenticate: Basic".to_owned())
        }
        Manner::Refusing(status, times) => (nth <= times).then_some(status),
    };
    let route = routes.iter().find(|(name, _)| Some(name) == destination.as_ref());
    let (answer, route) = match (refusal, route) {
        (Some(refusal), _) => (format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n"), None),
        (None, None) => ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n".to_owned(), None),
        (None, Some((_, port))) => ("HTTP/1.1 200 Connection established\r\n\r\n".to_owned(), Some(*port)),
    };
    client.write_all(answer.as_bytes()).await.unwrap_or_default();
    if let Some(port) = route {
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("somebody listens");
        copy_bidirectional(&mut client, &mut server).await.map(drop).unwrap_or_default();
    } else {
        client.shutdown().await.unwrap_or_default();
        // If this closed at once, Windows would drop what the client has not read yet.
        copy(&mut client, &mut sink()).await.map(drop).unwrap_or_default();
    }
}
