//! Reads a connection until its very end, and records what arrives and how it ends.
//!
//! RFC 8446, section 6.1 (close_notify); RFC 6455, section 7.1.1 asks the server to close TCP first. But the client is
//! under test here, so the server always lets it close first.

use super::acts::{self, Act, perform};
use super::record::{ConnectionRecord, Event};
use super::websocket::{Decoder, Incoming};
use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink, split};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

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

pub struct Wire<'a, S> {
    pub stream: S,
    ear: Ear<'a>,
}

impl<'a, S: Socket> Wire<'a, S> {
    pub fn new(stream: S, record: &'a ConnectionRecord) -> Self {
        Wire { stream, ear: Ear { record, decoder: None } }
    }

    /// From now on the client's bytes are WebSocket frames.
    pub fn upgraded(&mut self) {
        self.ear.decoder = Some(Decoder::default());
    }

    /// If the client is gone, the next read shows how it left.
    pub async fn send(&mut self, bytes: &[u8]) {
        acts::send(&mut self.stream, bytes).await.ok();
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

    /// The gateway has nothing more to say: listens until the client ends the connection.
    pub async fn see_off(&mut self) {
        while self.next().await.is_some() {}
    }

    /// Performs the acts, and returns the last one. Meanwhile this reads what the client sends. If the gateway is to
    /// behave well afterwards, that stays unread until then.
    pub async fn misbehave<'b>(&mut self, acts: &'b [Act]) -> &'b Act {
        let last = if let Some(Act::Continue | Act::Resume) = acts.last() {
            perform(acts, &mut self.stream).await
        } else {
            let (mut reader, mut writer) = split(&mut self.stream);
            tokio::select! {
                biased;
                last = perform(acts, &mut writer) => last,
                end = self.ear.listen(&mut reader) => {
                    drop((reader, writer));
                    self.end(end).await;
                    return &Act::Fin;
                }
            }
        };
        match last {
            Ok(last @ (Act::Continue | Act::Resume)) => return last,
            Ok(Act::Reset) => {
                self.stream.tcp().set_zero_linger().ok();
                return &Act::Reset;
            }
            Ok(Act::Abort) => drop(self.stream.tcp().shutdown().await),
            Ok(_) => drop(self.stream.shutdown().await),
            Err(_) => {}
        }
        self.see_off().await;
        &Act::Fin
    }

    /// Records how the client ended the connection, then ends the gateway's side. The gateway sends close_notify only
    /// after the client's FIN: a close_notify that the client does not read would turn the FIN into a reset.
    async fn end(&mut self, mut end: Result<()>) {
        if S::TLS && end.is_ok() {
            self.ear.record.push(Event::CloseNotify);
            end = copy(self.stream.tcp(), &mut sink()).await.map(drop);
        }
        self.ear.record.push(end.map_or_else(|error| Event::Other(error.to_string()), |()| Event::Fin));
        self.stream.shutdown().await.ok();
    }
}

/// Decodes and records what arrives. It is separate from the stream, so that the gateway can read while it writes.
struct Ear<'a> {
    record: &'a ConnectionRecord,
    /// Without it, before the upgrade, the client's bytes are ignored.
    decoder: Option<Decoder>,
}

impl Ear<'_> {
    async fn next(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<Incoming>> {
        let Some(decoder) = &mut self.decoder else {
            return copy(reader, &mut sink()).await.map(|_| None);
        };
        loop {
            let next = decoder.next_incoming();
            if let Some(incoming) = next.map_err(|text| Error::new(ErrorKind::InvalidData, text))? {
                self.record.push(Event::from(&incoming));
                return Ok(Some(incoming));
            }
            if reader.read_buf(&mut decoder.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn listen(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<()> {
        while self.next(reader).await?.is_some() {}
        Ok(())
    }
}
