//! The upgrade request, and the two answers to it: 101, or a refusal in the form of AWS IoT Core's.
//!
//! RFC 6455, section 4.2 (the server's side of the opening handshake); AWS IoT developer guide, "Device
//! communication protocols" (the subprotocol `mqtt`). The form of a refusal is taken from logs that users of
//! AWS IoT have published.

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
    pub fn parse(head: &[u8]) -> Result<Request, Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        let complete = parsed.parse(head).is_ok_and(|status| status.is_complete());
        let (Some(method), Some(target), true) = (parsed.method, parsed.path, complete) else {
            return Err(Refusal::invalid("The request is not HTTP/1.1."));
        };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = parsed.headers.iter();
        Ok(Request {
            method: method.into(),
            target: target.into(),
            headers: headers.map(|h| (h.name.into(), text(h.value))).collect(),
        })
    }

    /// The values of every header of that name.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// The value of a header that is there exactly once.
    pub fn only_header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.header(name);
        values.next().filter(|_| values.next().is_none())
    }

    fn lists(&self, name: &str, wanted: &str) -> bool {
        let mut items = self.header(name).flat_map(|value| value.split(','));
        items.any(|item| item.trim().eq_ignore_ascii_case(wanted))
    }

    /// The `Sec-WebSocket-Accept` to answer with, if the request asks for MQTT over WebSocket.
    pub fn accept_key(&self) -> Result<String, Refusal> {
        let key = self.only_header("sec-websocket-key");
        match key.filter(|key| key.len() == 24) {
            Some(key)
                if self.lists("upgrade", "websocket")
                    && self.lists("connection", "upgrade")
                    && self.only_header("sec-websocket-version") == Some("13")
                    && self.lists("sec-websocket-protocol", "mqtt") =>
            {
                Ok(derive_accept_key(key.as_bytes()))
            }
            _ => Err(Refusal::invalid("A WebSocket with the subprotocol mqtt is wanted.")),
        }
    }
}

/// Why the gateway does not answer 101.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
}

impl Refusal {
    /// The URL or the request is malformed.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { status: 400, message: message.into() }
    }

    /// The request is understood and not allowed.
    pub fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal { status: 403, message: message.into() }
    }

    pub fn response(&self, now: OffsetDateTime) -> String {
        let (reason, error_type) = match self.status {
            400 => ("Bad Request", "InvalidRequestException:"),
            _ => ("Forbidden", "ForbiddenException:"),
        };
        let message = self.message.replace('\\', "\\\\").replace('"', "\\\"");
        let body = format!(r#"{{"message":"{message}","traceId":"{}"}}"#, Uuid::new_v4());
        format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             date: {}\r\nx-amzn-RequestId: {}\r\nx-amzn-ErrorType: {error_type}\r\n\r\n{body}",
            self.status,
            body.len(),
            httpdate::fmt_http_date(SystemTime::from(now)),
            Uuid::new_v4(),
        )
    }
}

pub fn switching_protocols(accept_key: &str, subprotocol: Option<&str>) -> String {
    let subprotocol =
        subprotocol.map(|name| format!("sec-websocket-protocol: {name}\r\n")).unwrap_or_default();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept_key}\r\n{subprotocol}\r\n"
    )
}
