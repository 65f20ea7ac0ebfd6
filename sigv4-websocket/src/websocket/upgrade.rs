//! The upgrade request (RFC 6455 section 4.1), and whatever the server answers instead of a proper 101.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::{StatusCode, uri::Uri};
use hyper::{Request, Response};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::stream::{MAX_UNSENT, Socket, Transport};
use crate::network::http;
use crate::text::printable;

/// The subprotocol IoT Core requires (MQTT 5 section 6).
const SUBPROTOCOL: &str = "mqtt";

/// The most that is read of a refusal's body, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// How long to wait for a refusal's body. The head has said the essential by then.
const BODY_TIME: Duration = Duration::from_secs(2);

/// The beginning of the year 2999, since 1970. A server that says that it is later is not believed.
const END_OF_TIME: Duration = Duration::from_secs(32_472_144_000);

/// tungstenite allocates its read buffer at once, and MQTT packets are small here. In bytes.
const READ_BUFFER: usize = 4 * 1024;

/// The longest message, in bytes. IoT Core accepts payloads of up to 128 KiB ("AWS IoT Core message broker and protocol
/// limits and quotas").
const MAX_MESSAGE: usize = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum UpgradeError {
    #[error("the server refused the upgrade with {}", .0.status)]
    Refused(Box<Answer>),
    /// The server answered 101, but the answer does not fit the request (RFC 6455 section 4.1).
    #[error("the server's 101 answer is not a WebSocket for MQTT: {1}")]
    NotWebSocket(Box<Answer>, &'static str),
    /// The answer is not HTTP or too long, or the connection ended before it.
    #[error("no answer to the upgrade request")]
    NoAnswer(#[source] hyper::Error),
    #[error("the upgrade request is not valid HTTP")]
    Request(#[from] hyper::http::Error),
}

/// What the server said in place of a proper 101.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    /// `x-amzn-ErrorType` without its trailing colon.
    pub error_type: Option<String>,
    pub request_id: Option<String>,
    /// `message` of a JSON body, or the body if it is plain text. Only the first 16 KiB of the body are read.
    pub message: Option<String>,
    /// The server's clock. `None` if it says that the year is 2999 or later.
    pub date: Option<SystemTime>,
    /// The local clock when the answer came.
    pub received: SystemTime,
    pub server: Option<String>,
    pub location: Option<String>,
}

/// Sends the upgrade request for the presigned `url` over `stream` and returns the open WebSocket.
pub(crate) async fn upgrade(stream: Box<dyn Transport>, url: &str) -> Result<Socket, UpgradeError> {
    let key = generate_key();
    let request = request(url, &key)?;
    log_head(&format!("> {} {}", request.method(), redacted_target(request.uri())), ">", request.headers());
    let (response, connection) = http::send(stream, request).await.map_err(UpgradeError::NoAnswer)?;
    log_head(&format!("< {}", response.status()), "<", response.headers());
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(UpgradeError::Refused(Box::new(Answer::read(response).await)));
    }
    if let Some(flaw) = flaw(response.headers(), &key) {
        return Err(UpgradeError::NotWebSocket(Box::new(Answer::from_head(&response)), flaw));
    }
    let (stream, early) = connection.take_back().await.map_err(UpgradeError::NoAnswer)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT)
        .max_frame_size(Some(MAX_MESSAGE))
        .max_message_size(Some(MAX_MESSAGE));
    Ok(WebSocketStream::from_partially_read(stream, early.to_vec(), Role::Client, Some(config)).await)
}

fn request(url: &str, key: &str) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    Request::get(target)
        .header(header::HOST, authority)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key)
        .header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
        .body(Empty::new())
}

fn log_head(first: &str, mark: &str, headers: &HeaderMap) {
    tracing::debug!("{first}");
    for (name, value) in headers {
        tracing::debug!("{mark} {name}: {}", printable(&String::from_utf8_lossy(value.as_bytes())));
    }
}

/// The target of the request without the signature and the session token. The names of the parameters lose their
/// `X-Amz-`, because [`printable`] removes what follows that mark.
fn redacted_target(target: &Uri) -> String {
    let parameters = target.query().unwrap_or_default().split('&').filter_map(|p| p.strip_prefix("X-Amz-"));
    let secret =
        |parameter: &&str| ["Signature=", "Security-Token="].iter().any(|name| parameter.starts_with(name));
    let shown: Vec<_> = parameters.filter(|parameter| !secret(parameter)).collect();
    format!("{}, presigned with {}", target.path(), shown.join(", "))
}

/// Why a 101 is not a valid answer to this request.
fn flaw(headers: &HeaderMap, key: &str) -> Option<&'static str> {
    let is = |name: HeaderName, wanted: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|list| list.split(',')).any(|item| item.trim().eq_ignore_ascii_case(wanted))
    };
    let accept = headers.get(header::SEC_WEBSOCKET_ACCEPT).map(|value| value.as_bytes());
    let subprotocols: Vec<_> = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().collect();
    if !is(header::UPGRADE, "websocket") || !is(header::CONNECTION, "upgrade") {
        Some("it does not switch to WebSocket")
    } else if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        Some("its sec-websocket-accept does not match")
    } else if subprotocols != [SUBPROTOCOL] {
        Some("it does not choose exactly the subprotocol mqtt")
    } else if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        Some("it chooses an extension, but none was offered")
    } else {
        None
    }
}

impl Answer {
    async fn read(response: Response<Incoming>) -> Self {
        let mut answer = Self::from_head(&response);
        let kind = response.headers().get(header::CONTENT_TYPE);
        let plain = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
        let mut body = Vec::new();
        let mut incoming = response.into_body();
        // If the time is up, what was read may still hold a whole message.
        let all = async {
            while let Some(Ok(frame)) = incoming.frame().await {
                body.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                if body.len() > MAX_BODY {
                    break;
                }
            }
        };
        let _ = timeout(BODY_TIME, all).await;
        body.truncate(MAX_BODY);
        answer.message = match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(json) => json.get("message").and_then(|message| message.as_str()).map(str::to_owned),
            // A proxy's message in plain text is kept, its web page is not.
            Err(_) if plain => Some(String::from_utf8_lossy(&body).into_owned()),
            Err(_) => None,
        };
        answer
    }

    /// Whether the server is busy or throttles: 429 or 5xx.
    pub(crate) fn is_busy(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.status.is_server_error()
    }

    /// Whether this is the answer of a proxy or a load balancer in front of IoT Core: it names a server, and has no
    /// header of AWS.
    pub(crate) fn is_from_intermediary(&self) -> bool {
        self.server.is_some() && self.error_type.is_none() && self.request_id.is_none()
    }

    /// By how many seconds the server's clock is ahead of `local`.
    pub(crate) fn clock_skew(&self, local: SystemTime) -> Option<i64> {
        let seconds = |time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs().cast_signed());
        Some(seconds(self.date?)? - seconds(local)?)
    }

    fn from_head<B>(response: &Response<B>) -> Self {
        let text = |name: &str| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            status: response.status(),
            error_type: text("x-amzn-errortype").map(|kind| kind.trim_end_matches(':').to_owned()),
            request_id: text("x-amzn-requestid"),
            message: None,
            date: text("date")
                .and_then(|date| httpdate::parse_http_date(&date).ok())
                .filter(|date| *date < UNIX_EPOCH + END_OF_TIME),
            received: SystemTime::now(),
            server: text("server"),
            location: text("location"),
        }
    }
}
