//! The upgrade request, and the two answers to it (RFC 6455, section 4.2): 101, or a refusal. Its form is taken from
//! logs that users of AWS IoT have published.

use std::io::Result as IoResult;
use std::time::SystemTime;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use uuid::Uuid;

/// Everything up to the empty line, and nothing after it. An error if the connection ends before that.
pub async fn read_head(reader: &mut (impl AsyncRead + Unpin)) -> IoResult<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(reader.read_u8().await?);
    }
    Ok(head)
}

/// A request head as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// `None` if this is not HTTP/1.1.
    pub fn parse(head: &[u8]) -> Option<Request> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        parsed.parse(head).ok().filter(httparse::Status::is_complete)?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = parsed.headers.iter().map(|header| (header.name.to_owned(), text(header.value)));
        Some(Request {
            method: parsed.method?.to_owned(),
            target: parsed.path?.to_owned(),
            headers: headers.collect(),
        })
    }

    /// The value of a header that is there exactly once.
    pub fn only_header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().filter(|_| named.next().is_none()).map(|(_, value)| value.as_str())
    }

    /// The `Sec-WebSocket-Accept` to answer with, if the request asks for MQTT over WebSocket.
    pub fn accept_key(&self) -> Result<String, Refusal> {
        let is = |name, wanted: &str| self.only_header(name).is_some_and(|v| v.eq_ignore_ascii_case(wanted));
        let key = self.only_header("sec-websocket-key").filter(|key| {
            key.len() == 24
                && is("upgrade", "websocket")
                && is("connection", "upgrade")
                && is("sec-websocket-version", "13")
                && is("sec-websocket-protocol", "mqtt")
        });
        key.map(|key| derive_accept_key(key.as_bytes()))
            .ok_or_else(|| Refusal::forbidden("A WebSocket with the subprotocol mqtt is wanted."))
    }
}

/// Why the gateway answers 403.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal(String);

impl Refusal {
    pub fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal(message.into())
    }

    pub fn response(&self, now: OffsetDateTime) -> String {
        let message = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        let body = format!(r#"{{"message":"{message}","traceId":"{}"}}"#, Uuid::new_v4());
        format!(
            "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             date: {}\r\nx-amzn-RequestId: {}\r\nx-amzn-ErrorType: ForbiddenException:\r\n\r\n{body}",
            body.len(),
            httpdate::fmt_http_date(SystemTime::from(now)),
            Uuid::new_v4(),
        )
    }
}

pub fn switching_protocols(accept_key: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept_key}\r\nsec-websocket-protocol: mqtt\r\n\r\n"
    )
}
