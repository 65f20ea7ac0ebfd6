//! Random servers: whatever one says after TLS, the program ends in time with a code that fits, it never
//! panics, and it never takes for a success what was none.

use std::cell::Cell;
use std::io::{Write, sink};
use std::panic;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::Duration;

use clap::Parser;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use rustls::ServerConfig;
use sigv4_websocket_connect::program::cli::Cli;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::gateway::certificates::Authority;
use crate::gateway::listener::Listener;
use crate::gateway::{Certificate, Request};
use crate::judge::accepts;
use crate::play::{Ending, Layer, Play, play};

const FLAGS: &str = "random --region eu-central-1 --access-key AKIARANDOMEXAMPLE000 --secret made-up \
    --timeout 2 --attempts 1";

/// `--timeout`, two seconds for the goodbye, and some for a machine that is busy.
const ENDED_BY: Duration = Duration::from_secs(10);

/// What a client that understands the answer takes to send CONNECT, at the most.
const CONNECT_BY: Duration = Duration::from_millis(50);

/// The program's own `run`.
#[allow(dead_code)]
#[path = "../../src/main.rs"]
mod lesson;

static AUTHORITY: LazyLock<(Arc<ServerConfig>, NamedTempFile)> = LazyLock::new(|| {
    let authority = Authority::new("The random servers' test authority");
    let mut ca_file = NamedTempFile::new().expect("a temporary file can be made");
    ca_file.write_all(authority.pem().as_bytes()).expect("the temporary file can be written");
    (authority.server(Certificate::Trusted, false), ca_file)
});

/// What was sent on each connection, and the `sec-websocket-accept` that was due there.
type Sent = Arc<Mutex<Vec<(Vec<u8>, String)>>>;

proptest! {
    // For a long run, set PROPTEST_CASES to more than the 256 of an ordinary one.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_http_answers_are_survived(play in play(Layer::Http)) {
        survive(&play)?;
    }

    #[test]
    fn random_frames_are_survived(play in play(Layer::Frames)) {
        survive(&play)?;
    }

    #[test]
    fn random_packets_are_survived(play in play(Layer::Packets)) {
        survive(&play)?;
    }
}

fn survive(play: &Play) -> TestCaseResult {
    let panics_before = panics_on_this_thread();
    // All of the program's tasks run on this thread, and so do their panics.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sent = Sent::default();
    let outcome = runtime.block_on(async {
        let server = serve(play.clone(), sent.clone()).await;
        let endpoint = format!("127.0.0.1:{}", server.port);
        timeout(ENDED_BY, connect(&endpoint)).await
    });
    prop_assert!(outcome.is_ok(), "no end");
    let (code, report) = outcome.unwrap_or_default();
    prop_assert_eq!(panics_on_this_thread(), panics_before, "a panic");
    prop_assert!([0, 6, 7, 8].contains(&code), "exit code {}: {}", code, report);
    prop_assert_eq!(code != 0, report.starts_with("error: "), "{}", report);
    let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    let accepted = sent.iter().any(|(bytes, accept)| accepts(bytes, accept));
    prop_assert!(code != 0 || accepted, "a success that was none");
    let honest = play.edits.is_empty() && play.ending != Ending::Reset && !play.disconnects();
    prop_assert!(code == 0 || !(accepted && honest), "an honest server, but {}", report);
    Ok(())
}

/// The exit code, and what would stand in stderr.
async fn connect(endpoint: &str) -> (u8, String) {
    let ca_file = AUTHORITY.1.path().to_str().expect("a temporary path in UTF-8");
    let cli = Cli::parse_from(FLAGS.split(' ').chain(["--endpoint", endpoint, "--ca-file", ca_file]));
    match lesson::run(&cli, sink()).await {
        Ok(()) => (0, String::new()),
        Err(error) => (error.exit_code(), error.report()),
    }
}

async fn serve(play: Play, sent: Sent) -> Listener {
    Listener::start(move |tcp| {
        let (play, sent) = (play.clone(), sent.clone());
        async move {
            // The client may end the connection at any time.
            let _ = converse(tcp, &play, &sent).await;
        }
    })
    .await
}

async fn converse(tcp: TcpStream, play: &Play, sent: &Sent) -> std::io::Result<()> {
    let mut tls = TlsAcceptor::from(AUTHORITY.0.clone()).accept(tcp).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if tls.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let request = Request::parse(&head).expect("the program sends HTTP");
    let accept = request.accept_key().expect("the program asks for a WebSocket");
    let (answer, frames) = play.bytes(&accept);
    let both = [&answer[..], &frames].concat();
    sent.lock().unwrap_or_else(PoisonError::into_inner).push((both.clone(), accept));
    if play.at_once {
        tls.write_all(&both).await?;
    } else {
        tls.write_all(&answer).await?;
        tls.flush().await?;
        let _ = timeout(CONNECT_BY, tls.read_buf(&mut head)).await;
        tls.write_all(&frames).await?;
    }
    tls.flush().await?;
    match play.ending {
        Ending::Reset => tls.get_ref().0.set_zero_linger()?,
        Ending::Fin => {
            tls.shutdown().await?;
            copy(&mut tls, &mut tokio::io::sink()).await?;
        }
        Ending::Hold => {
            copy(&mut tls, &mut tokio::io::sink()).await?;
        }
    }
    Ok(())
}

fn panics_on_this_thread() -> usize {
    thread_local!(static PANICS: Cell<usize> = const { Cell::new(0) });
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            report(info);
        }));
    });
    PANICS.get()
}
