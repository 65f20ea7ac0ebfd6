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
        let listener = Listener::start(move |mut client: TcpStream| {
            let cut = cutting.clone();
            async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("the gateway listens");
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    () = cut.notified() => {}
                }
            }
        });
        Self { listener: listener.await, cut }
    }

    pub fn endpoint(&self) -> String {
        format!("localhost:{}", self.listener.port)
    }

    /// Cuts the connection, or the next one if there is none.
    pub fn cut(&self) {
        self.cut.notify_one();
    }
}
