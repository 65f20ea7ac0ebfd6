//! Reads a connection until its very end, and records what arrives and how it ends.
//!
//! RFC 8446, section 6.1 (close_notify); RFC 6455, section 7.1.1 asks the server to close TCP first. But the
//! client is under test here, so the server always lets it close first.

use super::acts::{self, Act, perform};
use super::mqtt::Packet;
use super::record::{ConnectionRecord, Event};
use super::websocket::{Decoder, Incoming};
use bytes::Bytes;
use std::io::{Error, ErrorKind, Result};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long the client may take to end a connection the gateway is done with.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_HEAD: usize = 16 * 1024;

/// TCP, with or without TLS.
pub trait Socket: AsyncRead + AsyncWrite + Unpin {
    const TLS: bool;
    fn tcp(&mut self) -> &mut TcpStream;
}

impl Socket for TcpStream {
    const TLS: bool = false;
    fn tcp(&mut self) -> &mut TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    const TLS: bool = true;
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

/// Whether the other side has reset the connection, for which Windows has two kinds of error.
pub fn is_reset(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

/// What is left to do after the acts.
#[derive(PartialEq)]
pub enum Then {
    Continue,
    Resume,
    Ended,
}

pub struct Wire<'a, S> {
    pub stream: S,
    ear: Ear<'a>,
    was_reset: bool,
}

impl<'a, S: Socket> Wire<'a, S> {
    pub fn new(stream: S, record: &'a ConnectionRecord) -> Self {
        let ear = Ear { record, decoder: Decoder::default(), upgraded: false };
        Wire { stream, ear, was_reset: false }
    }

    /// From now on the client's bytes are WebSocket frames.
    pub fn upgraded(&mut self) {
        self.ear.upgraded = true;
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        if let Err(error) = acts::send(&mut self.stream, bytes).await {
            self.write_failed(error);
        }
    }

    /// Usually a later read shows how the client left. But the system reports a reset only once, and a read
    /// after that would see only an end of stream. So the reset is noted here.
    fn write_failed(&mut self, error: Error) {
        self.was_reset |= is_reset(&error);
    }

    /// Everything up to the empty line; None if the connection ended, which is then recorded.
    pub async fn read_head(&mut self) -> Option<Bytes> {
        loop {
            let bytes = &mut self.ear.decoder.bytes;
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                return Some(bytes.split_to(at + 4).freeze());
            }
            if bytes.len() > LONGEST_HEAD {
                return Some(bytes.split().freeze());
            }
            match self.stream.read_buf(bytes).await {
                Ok(1..) => {}
                end => {
                    self.end(end.map(drop)).await;
                    return None;
                }
            }
        }
    }

    /// What the client says next; None if the connection ended, which is then recorded.
    pub async fn next(&mut self) -> Option<Incoming> {
        match self.ear.next(&mut self.stream).await {
            Ok(Some(incoming)) => Some(incoming),
            end => {
                self.end(end.map(drop)).await;
                None
            }
        }
    }

    /// Performs the acts. Meanwhile this reads what the client sends. If the gateway is to behave well
    /// afterwards, it stays unread until then.
    pub async fn misbehave(&mut self, acts: &[Act]) -> Then {
        let outcome = if acts::go_on(acts) {
            perform(acts, &mut self.stream).await
        } else {
            let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
            tokio::select! {
                biased;
                outcome = perform(acts, &mut writer) => outcome,
                end = self.ear.listen(&mut reader) => {
                    drop((reader, writer));
                    self.end(end).await;
                    return Then::Ended;
                }
            }
        };
        match outcome {
            Ok(Act::Continue) => return Then::Continue,
            Ok(Act::Resume) => return Then::Resume,
            Ok(Act::Reset) => {
                drop(self.stream.tcp().set_zero_linger());
                return Then::Ended;
            }
            Ok(Act::Abort) => drop(self.stream.tcp().shutdown().await),
            Ok(_) => drop(self.stream.shutdown().await),
            Err(error) => self.write_failed(error),
        }
        self.see_off().await;
        Then::Ended
    }

    /// The gateway has nothing more to say: listens until the client ends the connection.
    pub async fn see_off(&mut self) {
        match timeout(PATIENCE, self.ear.listen(&mut self.stream)).await {
            Ok(end) => self.end(end).await,
            Err(_) => self.ear.record.push(Event::LeftOpen),
        }
    }

    /// Records how the client ended the connection, then ends the gateway's side. The gateway sends
    /// close_notify only after the client's FIN: a close_notify that the client does not read would turn the
    /// FIN into a reset.
    async fn end(&mut self, end: Result<()>) {
        if timeout(PATIENCE, self.record_end(end)).await.is_err() {
            self.ear.record.push(Event::LeftOpen);
        }
        drop(timeout(PATIENCE, self.stream.shutdown()).await);
    }

    async fn record_end(&mut self, end: Result<()>) {
        let record = self.ear.record;
        let end = match end {
            Ok(()) if S::TLS => {
                record.push(Event::CloseNotify);
                let rest = tokio::io::copy(self.stream.tcp(), &mut tokio::io::sink()).await;
                rest.map(drop)
            }
            end => end,
        };
        record.push(match end {
            _ if self.was_reset => Event::Reset,
            Ok(()) => Event::Fin,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Event::EndedWithoutCloseNotify,
            Err(error) if error.kind() == ErrorKind::InvalidData => Event::Violation(error.to_string()),
            Err(_) => Event::Reset,
        });
    }
}

/// Decodes and records what arrives. It is separate from the stream, so that the gateway can read while it
/// writes.
struct Ear<'a> {
    record: &'a ConnectionRecord,
    decoder: Decoder,
    upgraded: bool,
}

impl Ear<'_> {
    async fn next(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<Incoming>> {
        loop {
            if !self.upgraded {
                self.decoder.bytes.clear();
            }
            let next = self.decoder.next_incoming();
            if let Some(incoming) = next.map_err(|text| Error::new(ErrorKind::InvalidData, text))? {
                self.record.push(event(&incoming));
                return Ok(Some(incoming));
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

fn event(incoming: &Incoming) -> Event {
    match incoming {
        Incoming::Packet(Packet::Connect(connect)) => Event::Connect(connect.clone()),
        &Incoming::Packet(Packet::Disconnect { reason_code }) => Event::Disconnect { reason_code },
        Incoming::Packet(Packet::Publish { topic, properties_and_payload, .. }) => {
            Event::Publish { topic: topic.clone(), properties_and_payload: properties_and_payload.to_vec() }
        }
        Incoming::Packet(packet) => Event::Packet(packet.packet_type()),
        Incoming::Ping(payload) => Event::Ping(payload.clone()),
        Incoming::Pong(payload) => Event::Pong(payload.clone()),
        &Incoming::Close(code) => Event::Close { code },
    }
}
