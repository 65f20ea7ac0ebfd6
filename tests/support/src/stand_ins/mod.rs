//! Stand-ins for the services that hand out credentials: small HTTP/1.1 servers on 127.0.0.1, inside the
//! test's own process. Each records what it was asked. Each file names the documents that it follows.

pub mod container;
pub mod metadata;
pub mod portal;
pub mod signin;
pub mod sts;

use crate::gateway::Request;
use crate::gateway::http::read_head;
use crate::gateway::listener::Listener;
use percent_encoding::percent_decode_str;
use rustls::ServerConfig;
use std::sync::{Arc, Mutex};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio_rustls::TlsAcceptor;

/// The lifetime of credentials that must not expire during a test.
pub const LONG: Duration = Duration::hours(1);

/// A request with its body.
#[derive(Debug, Clone)]
pub struct Asked {
    pub head: Request,
    pub body: String,
}

impl Asked {
    /// A field of the query, or of a form in the body.
    pub fn field(&self, name: &str) -> Option<String> {
        let query = self.head.target.split_once('?').map_or("", |(_, query)| query);
        let mut fields = query.split('&').chain(self.body.split('&')).filter_map(|f| f.split_once('='));
        let (_, value) = fields.find(|(key, _)| *key == name)?;
        let value = percent_decode_str(value).decode_utf8().expect("a field in UTF-8");
        Some(value.into_owned())
    }

    /// What is asked for: method and path.
    pub fn line(&self) -> String {
        let path = self.head.target.split('?').next().unwrap_or_default();
        format!("{} {path}", self.head.method)
    }
}

/// What a stand-in answers.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Whether spaces follow the body for ever.
    pub endless: bool,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into(), endless: false }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    fn bytes(&self) -> String {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (status, length, body) = (self.status, self.body.len(), &self.body);
        let length = if self.endless { String::new() } else { format!("content-length: {length}\r\n") };
        format!("HTTP/1.1 {status} -\r\nconnection: close\r\n{headers}{length}\r\n{body}")
    }
}

/// A running stand-in.
pub struct StandIn {
    listener: Listener,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Answers each request with the result of `answer`.
    pub async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> StandIn {
        StandIn::start_behind(None, answer).await
    }

    /// The same, with TLS if there is a configuration for it.
    async fn start_behind(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> StandIn {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (record, answer) = (asked.clone(), Arc::new(answer));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = Listener::start(move |tcp| {
            let (record, answer, tls) = (record.clone(), answer.clone(), tls.clone());
            async move {
                let Some(tls) = tls else { return serve(tcp, record, answer).await };
                // A client that does not trust the certificate breaks off here.
                if let Ok(stream) = TlsAcceptor::from(tls).accept(tcp).await {
                    serve(stream, record, answer).await;
                }
            }
        });
        StandIn { listener: listener.await, asked, scheme }
    }

    /// Answers with a body that never ends.
    pub async fn endless() -> StandIn {
        StandIn::answering(Answer { endless: true, ..Answer::new(200, "{ \"endless\": ") }).await
    }

    /// Always the same answer.
    pub async fn answering(answer: Answer) -> StandIn {
        StandIn::start(move |_| answer.clone()).await
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port())
    }

    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// The requests so far, in the order they came in.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic while locked").clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    record: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<impl Fn(&Asked) -> Answer>,
) {
    // The client may go away before it has asked anything.
    let Ok(request) = read(&mut stream).await else { return };
    record.lock().expect("no panic while locked").push(request.clone());
    let answer = answer(&request);
    // The client may already have closed the connection, and that is allowed.
    let mut sent = stream.write_all(answer.bytes().as_bytes()).await;
    while answer.endless && sent.is_ok() {
        sent = stream.write_all(&[b' '; 10_000]).await;
    }
    stream.shutdown().await.ok();
    // If this closed at once, Windows would drop what the client has not read yet.
    copy(&mut stream, &mut sink()).await.ok();
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Asked> {
    let head = Request::parse(&read_head(stream).await?).expect("a request in HTTP/1.1");
    let length = head.only_header("content-length").map_or(0, |value| value.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Asked { head, body: String::from_utf8(body).expect("a body in UTF-8") })
}

/// The moment `lifetime` from now, as AWS writes it.
pub fn expiration(lifetime: Duration) -> String {
    (OffsetDateTime::now_utc() + lifetime).format(&Rfc3339).expect("a date of this century")
}
