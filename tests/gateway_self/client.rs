//! The client's side of a connection to the gateway.

use crate::gateway::{Event, Gateway, mqtt};
use crate::presigned::PERMANENT;
use futures_util::{SinkExt, StreamExt};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

pub type Tls = TlsStream<TcpStream>;

pub async fn open_tls(gateway: &Gateway) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(gateway.ca_file()).expect("a PEM file");
    roots.add(ca).expect("an authority's certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring serves them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(("127.0.0.1", gateway.port())).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// Sends the request and reads until nothing more comes.
pub async fn answer_to(gateway: &Gateway, request: &str) -> String {
    let mut tls = open_tls(gateway).await.expect("TLS");
    tls.write_all(request.as_bytes()).await.expect("the request goes out");
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_millis(200), tls.read_to_end(&mut answer)).await;
    tls.shutdown().await.expect("close_notify and FIN");
    String::from_utf8(answer).expect("text")
}

pub async fn upgraded(gateway: &Gateway) -> WebSocketStream<Tls> {
    let tls = open_tls(gateway).await.expect("TLS");
    let (socket, _) = client_async(PERMANENT.request(), tls).await.expect("101");
    socket
}

pub const CONNECT_PACKET: &[u8] = b"\x10\x14\0\x04MQTT\x05\x02\0\x3C\x03\x21\0\x0A\0\x04test";
pub const CONNACK_PACKET: &[u8] = b"\x20\x08\0\0\x05\x21\0\x64\x24\x01";

pub async fn send(socket: &mut WebSocketStream<Tls>, bytes: &[u8]) {
    let message = Message::binary(bytes.to_vec());
    socket.send(message).await.expect("a message goes out");
}

pub async fn receive(socket: &mut WebSocketStream<Tls>) -> Vec<u8> {
    let message = socket.next().await.expect("a message").expect("no error");
    message.into_data().to_vec()
}

/// The events after the upgrade.
pub fn after_upgrade(events: &[Event]) -> &[Event] {
    let at = events.iter().position(|event| *event == Event::Upgraded);
    &events[at.expect("an upgrade") + 1..]
}

pub fn connect_event() -> Event {
    Event::Connect(mqtt::Connect {
        client_id: "test".into(),
        protocol_level: 5,
        clean_start: true,
        keep_alive: 60,
        receive_maximum: Some(10),
    })
}
