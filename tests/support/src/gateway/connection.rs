//! One connection from its first byte to its last: TLS, the upgrade request, MQTT, the close.
//!
//! AWS IoT developer guide, "Device communication protocols" (MQTT over WebSocket, signed with Signature Version 4, on
//! port 443).

use super::Script;
use super::acts::{Act, Stage};
use super::http::{Refusal, Request, read_head, switching_protocols};
use super::mqtt::Broker;
use super::record::{ConnectionRecord, Event};
use super::sigv4::verify;
use super::websocket::Incoming;
use super::wire::{Socket, Wire};
use rumqttc::Packet;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use std::io::Result;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

pub async fn serve(tcp: TcpStream, tls: Arc<ServerConfig>, script: &Script, record: &ConnectionRecord) {
    record.push(Event::Accepted);
    let mut wire = Wire::new(tcp, record);
    if *fault(&mut wire, script, Stage::Accept).await != Act::Continue {
        return;
    }
    match handshake(wire.stream, tls, record).await {
        Ok(stream) => speak(Wire::new(stream, record), script, record).await,
        // Most often because the client refused the certificate.
        Err(error) => record.push(Event::Other(error.to_string())),
    }
}

async fn handshake(
    tcp: TcpStream,
    tls: Arc<ServerConfig>,
    record: &ConnectionRecord,
) -> Result<TlsStream<TcpStream>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
    let hello = start.client_hello();
    let server_name = hello.server_name().map(String::from);
    let alpn = hello.alpn().into_iter().flatten().map(Vec::from).collect();
    let stream = start.into_stream(tls).await?;
    record.push(Event::Tls { server_name, alpn });
    Ok(stream)
}

/// Performs the acts scripted for this stage. `Act::Continue` if there are none.
async fn fault<'a, S: Socket>(wire: &mut Wire<'_, S>, script: &'a Script, stage: Stage) -> &'a Act {
    match &script.fault {
        Some((at, acts)) if *at == stage => wire.misbehave(acts).await,
        _ => &Act::Continue,
    }
}

/// The upgrade request and its answer, then MQTT.
async fn speak(mut wire: Wire<'_, TlsStream<TcpStream>>, script: &Script, record: &ConnectionRecord) {
    let head = match read_head(&mut wire.stream).await {
        Ok(head) => head,
        Err(error) => return record.push(Event::Other(error.to_string())),
    };
    let request = Request::parse(&head);
    if let Ok(request) = &request {
        record.push(Event::Request(request.clone()));
    }
    if *fault(&mut wire, script, Stage::Request).await != Act::Continue {
        return;
    }
    let now = script.now();
    match request.and_then(|request| admit(&request, script, now, record)) {
        Ok(response) => wire.send(response.as_bytes()).await,
        Err(refusal) => {
            let response = refusal.response(now);
            record.push(Event::Refused(refusal));
            wire.send(response.as_bytes()).await;
            return wire.see_off().await;
        }
    }
    wire.upgraded();
    let mut broker = Broker::new(script);
    while let Some(incoming) = wire.next().await {
        let then = match stage(&incoming) {
            Some(stage) => fault(&mut wire, script, stage).await,
            None => &Act::Continue,
        };
        match then {
            Act::Continue => wire.send(&broker.answer(&incoming)).await,
            Act::Resume => {}
            _ => return,
        }
    }
}

fn admit(
    request: &Request,
    script: &Script,
    now: OffsetDateTime,
    record: &ConnectionRecord,
) -> std::result::Result<String, Refusal> {
    let accept_key = request.accept_key()?;
    let verified = verify(request, &script.known_keys(), &script.region, now)?;
    record.push(Event::Signed(verified));
    record.push(Event::Upgraded);
    Ok(switching_protocols(&accept_key, script.subprotocol.as_deref()))
}

fn stage(incoming: &Incoming) -> Option<Stage> {
    match incoming {
        Incoming::Packet(Packet::Connect(..)) => Some(Stage::Connect),
        Incoming::Packet(Packet::Subscribe(_)) => Some(Stage::Subscribe),
        Incoming::Packet(Packet::Publish(_)) => Some(Stage::Publish),
        Incoming::Packet(Packet::Disconnect(_)) => Some(Stage::Disconnect),
        Incoming::Close(_) => Some(Stage::Close),
        _ => None,
    }
}
