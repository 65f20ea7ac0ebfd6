//! One connection from its first byte to its last: TLS, the upgrade request, MQTT, the close. RFC 6455, section 7.1.1
//! asks the server to close TCP first. But the client is under test here, so the server always lets it close first.

use super::acts::{Act, Stage, perform, send};
use super::http::{Request, read_head, switching_protocols};
use super::mqtt::Broker;
use super::record::{ConnectionRecord, Event, event};
use super::sigv4::verify;
use super::websocket::{Decoder, Incoming};
use super::{REGION, Script, own_keys};
use rustls::ServerConfig;
use rustls::server::Acceptor;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, sink, split};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

pub async fn serve(mut tcp: TcpStream, tls: Arc<ServerConfig>, script: &Script, record: &ConnectionRecord) {
    record.push(Event::Accepted);
    if let Some((Stage::Accept, acts)) = &script.fault {
        match perform(acts, &mut tcp).await {
            Ok(Act::Reset) => return drop(tcp.set_zero_linger()),
            _ => {
                tcp.shutdown().await.ok();
                copy(&mut tcp, &mut sink()).await.ok();
                return;
            }
        }
    }
    let handshake = async {
        let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        let hello = start.client_hello();
        let server_name = hello.server_name().map(String::from);
        let alpn = hello.alpn().into_iter().flatten().map(Vec::from).collect();
        let stream = start.into_stream(tls).await?;
        record.push(Event::Tls { server_name, alpn });
        Ok::<_, Error>(stream)
    };
    match handshake.await {
        Ok(stream) => {
            Connection { stream, script, recorder: Recorder { record, decoder: Decoder::default() } }
                .serve()
                .await
        }
        // Most often because the client refused the certificate.
        Err(error) => record.push(Event::Other(error.to_string())),
    }
}

struct Connection<'a> {
    stream: TlsStream<TcpStream>,
    script: &'a Script,
    recorder: Recorder<'a>,
}

impl<'a> Connection<'a> {
    /// The upgrade request and its answer, then MQTT.
    async fn serve(mut self) {
        let head = read_head(&mut self.stream).await.unwrap_or_default();
        let Some(request) = Request::parse(&head) else {
            return self.recorder.record.push(Event::Other(String::from_utf8_lossy(&head).into_owned()));
        };
        self.recorder.record.push(Event::Request(request.clone()));
        if self.fault(Some(Stage::Request)).await.is_some() {
            return;
        }
        let now = OffsetDateTime::now_utc() + Duration::seconds(self.script.clock_offset_seconds);
        let keys = [&own_keys(), &self.script.keys[..]].concat();
        // If the client is gone, the next read shows how it left.
        let verified = verify(&request, &keys, REGION, now);
        match verified.and_then(|verified| Ok((verified, request.accept_key()?))) {
            Ok((verified, accept_key)) => {
                self.recorder.record.push(Event::Signed(verified));
                self.recorder.record.push(Event::Upgraded);
                let response = switching_protocols(&accept_key);
                send(&mut self.stream, response.as_bytes()).await.ok();
            }
            Err(refusal) => {
                let response = refusal.response(now);
                self.recorder.record.push(Event::Refused(refusal));
                send(&mut self.stream, response.as_bytes()).await.ok();
            }
        }
        let mut broker = Broker::new(self.script);
        while let Ok(Some((incoming, stage))) = self.recorder.next(&mut self.stream).await {
            match self.fault(stage).await {
                None => drop(send(&mut self.stream, &broker.answer(&incoming)).await),
                Some(Act::Resume) => {}
                Some(_) => return,
            }
        }
        self.await_end().await;
    }

    /// Performs the acts scripted for this stage, if there are any, and returns the last one. Meanwhile
    /// this reads what the client sends. If the gateway is to behave well afterwards, that stays unread until then.
    async fn fault(&mut self, stage: Option<Stage>) -> Option<&'a Act> {
        let acts = match &self.script.fault {
            Some((at, acts)) if Some(*at) == stage => acts,
            _ => return None,
        };
        let last = if acts.last() == Some(&Act::Resume) {
            perform(acts, &mut self.stream).await
        } else {
            let (mut reader, mut writer) = split(&mut self.stream);
            tokio::select! {
                biased;
                last = perform(acts, &mut writer) => last,
                end = self.recorder.listen(&mut reader) => end.and(Err(ErrorKind::UnexpectedEof.into())),
            }
        };
        match last {
            Ok(Act::Resume) => return Some(&Act::Resume),
            Ok(Act::Reset) => {
                self.stream.get_ref().0.set_zero_linger().ok();
                return Some(&Act::Reset);
            }
            Ok(Act::Abort) => drop(self.stream.get_mut().0.shutdown().await),
            Ok(_) => drop(self.stream.shutdown().await),
            // The client is gone.
            Err(_) => {}
        }
        self.await_end().await;
        Some(&Act::Fin)
    }

    /// Listens until the client ends the connection, records how it did, then ends the gateway's side. A close_notify
    /// before that, which the client would not read, would turn its FIN into a reset.
    async fn await_end(&mut self) {
        let mut end = self.recorder.listen(&mut self.stream).await;
        if end.is_ok() {
            self.recorder.record.push(Event::CloseNotify);
            end = copy(self.stream.get_mut().0, &mut sink()).await.map(drop);
        }
        self.recorder.record.push(end.map_or_else(|error| Event::Other(error.to_string()), |()| Event::Fin));
        self.stream.shutdown().await.ok();
    }
}

/// Decodes and records what arrives. It is separate from the stream, so that the gateway can read while it writes.
struct Recorder<'a> {
    record: &'a ConnectionRecord,
    decoder: Decoder,
}

impl Recorder<'_> {
    /// What the client says next, and the stage that begins with it; `None` after its last word.
    async fn next(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<(Incoming, Option<Stage>)>> {
        loop {
            let next = self.decoder.next_incoming();
            let next = next.inspect_err(|error| self.record.push(Event::Other(error.to_string())))?;
            if let Some(incoming) = next {
                let (event, stage) = event(&incoming);
                self.record.push(event);
                return Ok(Some((incoming, stage)));
            }
            if reader.read_buf(&mut self.decoder.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn listen(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<()> {
        while self.next(reader).await?.is_some() {}
        Ok(())
    }
}
