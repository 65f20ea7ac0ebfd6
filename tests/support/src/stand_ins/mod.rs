//! Stand-ins for the services that hand out credentials: small HTTP/1.1 servers in the test's own process. Each records
//! what it was asked. Each file names the documents that it follows.

pub mod metadata;
pub mod sts;

use crate::gateway::Request;
use crate::gateway::http::read_head;
use crate::gateway::listener::Listener;
use rustls::ServerConfig;
use std::sync::{Arc, Mutex};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio_rustls::TlsAcceptor;

/// The lifetime of credentials that must not expire during a test.
pub const LONG: Duration = Duration::hours(1);

/// What a stand-in answers.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Each with its line break.
    pub headers: String,
    pub body: String,
    /// Whether spaces follow the body for ever.
    pub endless: bool,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, headers: String::new(), body: body.into(), endless: false }
    }

    pub fn json(body: serde_json::Value) -> Answer {
        Answer::new(200, body.to_string()).header("content-type: application/json")
    }

    pub fn header(mut self, line: &str) -> Answer {
        self.headers += &format!("{line}\r\n");
        self
    }
}

/// A running stand-in.
pub struct StandIn {
    listener: Listener,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// Answers each request with the result of `answer`.
    pub async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> StandIn {
        StandIn::start_behind(None, answer).await
    }

    /// Gives these answers to these requests, and 404 to all others.
    pub async fn with(answers: Vec<(&'static str, Answer)>) -> StandIn {
        StandIn::start(move |asked| {
            let answer = answers.iter().find(|(wanted, _)| *wanted == line(asked));
            answer.map_or_else(|| Answer::new(404, ""), |(_, answer)| answer.clone())
        })
        .await
    }

    /// With TLS if there is a configuration for it.
    async fn start_behind(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> StandIn {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (record, answer) = (asked.clone(), Arc::new(answer));
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
        StandIn { listener: listener.await, asked }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// The requests so far, head and body, in the order they came in.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic while locked").clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    record: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(&str) -> Answer>,
) {
    // The client may go away before it has asked anything.
    let Ok(request) = read(&mut stream).await else { return };
    record.lock().expect("no panic while locked").push(request.clone());
    let Answer { status, mut headers, body, endless } = answer(&request);
    if !endless {
        headers += &format!("content-length: {}\r\n", body.len());
    }
    let answer = format!("HTTP/1.1 {status} -\r\nconnection: close\r\n{headers}\r\n{body}");
    // The client may already have closed the connection, and that is allowed.
    let mut sent = stream.write_all(answer.as_bytes()).await;
    while endless && sent.is_ok() {
        sent = stream.write_all(&[b' '; 10_000]).await;
    }
    stream.shutdown().await.ok();
    // If this closed at once, Windows would drop what the client has not read yet.
    copy(&mut stream, &mut sink()).await.ok();
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut request = read_head(stream).await?;
    let head = Request::parse(&request).expect("a request in HTTP/1.1");
    let length = head.only_header("content-length").map_or(0, |value| value.parse().expect("a length"));
    stream.take(length).read_to_end(&mut request).await?;
    Ok(String::from_utf8(request).expect("a request in UTF-8"))
}

/// What a request asks for: method and target.
pub fn line(request: &str) -> &str {
    request.split(" HTTP/1.1").next().unwrap_or_default()
}

/// The moment `lifetime` from now, as AWS writes it.
pub fn expiration(lifetime: Duration) -> String {
    (OffsetDateTime::now_utc() + lifetime).format(&Rfc3339).expect("a date of this century")
}
