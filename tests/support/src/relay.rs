//! A relay between an application and the gateway. Its connections can be cut.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::gateway::Gateway;
use crate::gateway::listener::Listener;

pub struct Relay {
    listener: Listener,
    cut: Arc<Notify>,
}

impl Relay {
    pub async fn to(gateway: &Gateway) -> Self {
        let (cut, port) = (Arc::new(Notify::new()), gateway.port());
        let cutting = cut.clone();
        let listener = Listener::start(move |client| relay(client, port, cutting.clone())).await;
        Self { listener, cut }
    }

    pub fn endpoint(&self) -> String {
        format!("localhost:{}", self.listener.port)
    }

    /// Cuts the connection, or the next one if there is none.
    pub fn cut(&self) {
        self.cut.notify_one();
    }
}

async fn relay(mut client: TcpStream, port: u16, cut: Arc<Notify>) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("the gateway listens");
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        () = cut.notified() => {}
    }
}
