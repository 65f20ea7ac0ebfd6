//! One connection from its first byte to its last: TLS, the upgrade request, MQTT, the close.
//!
//! AWS IoT developer guide, "Device communication protocols" (MQTT over WebSocket, signed with
//! Signature Version 4, on port 443).

use super::Script;
use super::acts::Stage;
use super::broker::Broker;
use super::http::{Refusal, Request, switching_protocols};
use super::mqtt::Packet;
use super::record::{ConnectionRecord, Event};
use super::sigv4::verify;
use super::websocket::{BINARY, CLOSE, Incoming, PONG, frame};
use super::wire::{Socket, Then, Wire};
use rustls::server::Acceptor;
use rustls::{HandshakeKind, ServerConfig};
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

pub async fn serve(tcp: TcpStream, tls: Arc<ServerConfig>, script: &Script, record: &ConnectionRecord) {
    record.push(Event::Accepted);
    let mut wire = Wire::new(tcp, record);
    if fault(&mut wire, script, Stage::Accept).await == Then::Ended {
        return;
    }
    let stream = match handshake(wire.stream, tls, record).await {
        Ok(stream) => stream,
        Err(error) => return record.push(Event::TlsFailed(error.to_string())),
    };
    let mut connection = Connection { wire: Wire::new(stream, record), script, record };
    if connection.upgrade().await.is_some() {
        connection.speak_mqtt().await;
    }
}

async fn handshake(
    tcp: TcpStream,
    tls: Arc<ServerConfig>,
    record: &ConnectionRecord,
) -> std::io::Result<TlsStream<TcpStream>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
    let hello = start.client_hello();
    let server_name = hello.server_name().map(String::from);
    let offered = hello.alpn().into_iter().flatten();
    let alpn = offered.map(Vec::from).collect();
    let stream = start.into_stream(tls).await?;
    record.push(Event::Tls { server_name, alpn });
    if stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed) {
        record.push(Event::Resumed);
    }
    Ok(stream)
}

/// Performs the acts scripted for this stage, if there are any.
async fn fault<S: Socket>(wire: &mut Wire<'_, S>, script: &Script, stage: Stage) -> Then {
    match &script.fault {
        Some((at, acts)) if *at == stage => wire.misbehave(acts).await,
        _ => Then::Continue,
    }
}

struct Connection<'a> {
    wire: Wire<'a, TlsStream<TcpStream>>,
    script: &'a Script,
    record: &'a ConnectionRecord,
}

impl Connection<'_> {
    async fn fault(&mut self, stage: Stage) -> Then {
        fault(&mut self.wire, self.script, stage).await
    }

    /// Reads the upgrade request and answers it; None if that was the end.
    async fn upgrade(&mut self) -> Option<()> {
        let head = self.wire.read_head().await?;
        let request = Request::parse(&head);
        if let Ok(request) = &request {
            self.record.push(Event::Request(request.clone()));
        }
        match self.fault(Stage::Request).await {
            Then::Ended => return None,
            Then::Resume => self.record.push(Event::Upgraded),
            Then::Continue => {
                let now = self.script.now();
                match request.and_then(|request| self.admit(&request, now)) {
                    Ok(response) => self.wire.send(response.as_bytes()).await,
                    Err(refusal) => return self.refuse(refusal, now).await,
                }
            }
        }
        self.wire.upgraded();
        Some(())
    }

    fn admit(&self, request: &Request, now: OffsetDateTime) -> Result<String, Refusal> {
        let (keys, region) = (self.script.known_keys(), &self.script.region);
        let accept_key = request.accept_key()?;
        let verified = verify(request, &keys, region, now)?;
        self.record.push(Event::Signed(verified));
        self.record.push(Event::Upgraded);
        let subprotocol = self.script.subprotocol.as_deref();
        Ok(switching_protocols(&accept_key, subprotocol))
    }

    async fn refuse(&mut self, refusal: Refusal, now: OffsetDateTime) -> Option<()> {
        let response = refusal.response(now);
        let Refusal { status, message } = refusal;
        self.record.push(Event::Refused { status, message });
        self.wire.send(response.as_bytes()).await;
        self.wire.see_off().await;
        None
    }

    async fn speak_mqtt(&mut self) {
        let mut session = Broker::new(self.script);
        while let Some(incoming) = self.wire.next().await {
            match incoming {
                Incoming::Packet(packet) => match self.fault_on(&packet).await {
                    Then::Ended => return,
                    Then::Resume => {}
                    Then::Continue => {
                        for answer in session.answer(&packet) {
                            self.wire.send(&frame(BINARY, true, &answer)).await;
                        }
                    }
                },
                Incoming::Ping(payload) => self.wire.send(&frame(PONG, true, &payload)).await,
                Incoming::Pong(_) => {}
                Incoming::Close(code) => return self.close(code).await,
            }
        }
    }

    async fn fault_on(&mut self, packet: &Packet) -> Then {
        match packet {
            Packet::Connect(_) => self.fault(Stage::Connect).await,
            Packet::Subscribe { .. } => self.fault(Stage::Subscribe).await,
            Packet::Publish { .. } => self.fault(Stage::Publish).await,
            Packet::Disconnect { .. } => self.fault(Stage::Disconnect).await,
            _ => Then::Continue,
        }
    }

    /// Answers the client's Close with its own code, then lets the client close TLS and TCP.
    async fn close(&mut self, code: Option<u16>) {
        let then = self.fault(Stage::Close).await;
        if then == Then::Continue {
            let code: Vec<u8> = code.into_iter().flat_map(u16::to_be_bytes).collect();
            self.wire.send(&frame(CLOSE, true, &code)).await;
        }
        if then != Then::Ended {
            self.wire.see_off().await;
        }
    }
}
