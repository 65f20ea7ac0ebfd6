//! Random servers behind TLS.

use std::io::{Result, Write};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use rustls::ServerConfig;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::edit::{Ending, read_head};
use super::judge::accepts;
use super::play::{Layer, Play, play};
use super::{CASES, hides, run, survives};
use crate::gateway::certificates::Authority;
use crate::gateway::listener::Listener;
use crate::gateway::{Certificate, REGION, Request};
use crate::program::Program;

/// Made-up keys that look as random as real ones.
const ACCESS_KEY: &str = "ASIA3QEXAMPLEZ7RANDO";
const SECRET: &str = "q7Wm2ZkV9xTfB4nRdYc/Lp0sJhG6uEaKiX3o+5Mv";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJf0hY2u4Qd8Wk7Zr/1mNxPb6TgVs3LcAeKoUi9F5Rt+XyHwDj\
    8Bq2ZnEm4GvCaQsWtYxLkPf7/oR3uJiTdNh6bXzV5yMcgA0eKpSwF9rUqHlD1vOjZBt8E==";

const KEYS: [&str; 6] = ["--access-key", ACCESS_KEY, "--secret", SECRET, "--session-token", SESSION_TOKEN];

/// The longest time that a client needs to send CONNECT, if it understands the answer.
const CONNECT_BY: Duration = Duration::from_millis(50);

static AUTHORITY: LazyLock<(Arc<ServerConfig>, NamedTempFile)> = LazyLock::new(|| {
    let authority = Authority::new("The random servers' test authority");
    let mut ca_file = NamedTempFile::new().expect("a temporary file can be made");
    ca_file.write_all(authority.pem().as_bytes()).expect("the temporary file can be written");
    (authority.server(Certificate::Trusted), ca_file)
});

/// One connection: the target of the request, the right `sec-websocket-accept`, and what was sent.
struct Exchange {
    target: String,
    accept: String,
    sent: Vec<u8>,
}

type Exchanges = Arc<Mutex<Vec<Exchange>>>;

#[test]
fn random_http_answers_are_survived() {
    survives("HTTP answers", CASES, play(Layer::Http), survive);
}

#[test]
fn random_frames_are_survived() {
    survives("frames", CASES, play(Layer::Frames), survive);
}

#[test]
fn random_packets_are_survived() {
    survives("packets", CASES, play(Layer::Packets), survive);
}

async fn survive(play: Play) -> TestCaseResult {
    let exchanges = Exchanges::default();
    let honest = play.edits.is_empty() && play.ending != Ending::Reset && !play.disconnects();
    let server = serve(play, exchanges.clone()).await;
    let endpoint = format!("127.0.0.1:{}", server.port);
    let program = Program::against(&endpoint, AUTHORITY.1.path(), REGION).args(KEYS);
    let outcome = run(program, &[0, 6, 7, 8], &[SECRET.to_owned(), SESSION_TOKEN.to_owned()]).await?;
    let exchanges = exchanges.lock().unwrap_or_else(PoisonError::into_inner);
    let signature = |target: &str| target.split("X-Amz-Signature=").nth(1)?.get(..64).map(str::to_owned);
    let signatures: Vec<_> = exchanges.iter().filter_map(|exchange| signature(&exchange.target)).collect();
    prop_assert_eq!(signatures.len(), exchanges.len());
    hides(&outcome, &signatures)?;
    let accepted = exchanges.iter().any(|exchange| accepts(&exchange.sent, &exchange.accept));
    prop_assert!(outcome.code != 0 || accepted, "a success that was none: {:#?}", outcome);
    prop_assert!(outcome.code == 0 || !(accepted && honest), "an honest server, but {:#?}", outcome);
    Ok(())
}

async fn serve(play: Play, exchanges: Exchanges) -> Listener {
    Listener::start(move |tcp| {
        let (play, exchanges) = (play.clone(), exchanges.clone());
        async move {
            // The client may end the connection at any time.
            let _ = converse(tcp, &play, &exchanges).await;
        }
    })
    .await
}

async fn converse(tcp: TcpStream, play: &Play, exchanges: &Exchanges) -> Result<()> {
    let mut tls = TlsAcceptor::from(AUTHORITY.0.clone()).accept(tcp).await?;
    let Some(head) = read_head(&mut tls).await? else { return Ok(()) };
    let request = Request::parse(&head).expect("the program sends HTTP");
    let accept = request.accept_key().expect("the program asks for a WebSocket");
    let (answer, frames) = play.bytes(&accept, &request.target);
    let both = [&answer[..], &frames].concat();
    let exchange = Exchange { target: request.target, accept, sent: both.clone() };
    exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    if play.at_once {
        tls.write_all(&both).await?;
    } else {
        tls.write_all(&answer).await?;
        tls.flush().await?;
        let _ = timeout(CONNECT_BY, tls.read_buf(&mut Vec::new())).await;
        tls.write_all(&frames).await?;
    }
    tls.flush().await?;
    match play.ending {
        Ending::Reset => return tls.get_ref().0.set_zero_linger(),
        Ending::Fin => tls.shutdown().await?,
        Ending::Hold => {}
    }
    copy(&mut tls, &mut sink()).await.map(drop)
}
