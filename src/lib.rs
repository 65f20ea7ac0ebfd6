//! Connect to AWS IoT Core over MQTT 5 on a WebSocket whose upgrade request is signed with SigV4, and
//! disconnect cleanly.
//!
//! The steps, in the order in which they happen:
//!
//! 1. [`cli`] reads the flags and refuses what cannot work; [`endpoint`] is the host and port.
//! 2. [`connector`] makes one attempt. [`tcp`] resolves the name and connects, unless there is a
//!    [`proxy`] to do so; [`tls`] adds TLS, and [`credentials`] are fetched meanwhile.
//! 3. [`presign`] signs the upgrade request, [`upgrade`] sends it, and [`stream`] makes the WebSocket a
//!    stream of MQTT bytes.
//! 4. [`session`] sends CONNECT on it, waits for CONNACK, sends DISCONNECT and closes every layer.
//! 5. If a step fails, [`error`] tells what happened and [`hint`] what to do; [`log`] shows the rest.
//!
//! To reuse the transport, take [`connector`] and the modules it names: none of them knows this program.

#![warn(clippy::expect_used)]

pub mod cli;
pub mod connector;
pub mod credentials;
pub mod endpoint;
pub mod error;
pub mod hint;
pub mod log;
pub mod presign;
pub mod profile;
pub mod proxy;
pub mod reason;
pub mod session;
pub mod stream;
pub mod tcp;
pub mod timeline;
pub mod tls;
pub mod upgrade;

use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use futures_util::FutureExt;
use tokio::time::timeout;

use crate::cli::Cli;
use crate::connector::Connector;
use crate::error::{Error, Failure};
use crate::hint::Facts;
use crate::session::{Session, SessionError};
use crate::timeline::Phase;

/// The longest wait before the second attempt; it doubles from there.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// The longest wait before any attempt.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// Connects and disconnects, telling the story on `out`; warnings and retries go to stderr.
///
/// # Errors
///
/// A [`Failure`]: the error and the hints for it.
pub async fn run(cli: &Cli, out: &mut impl Write) -> Result<(), Failure> {
    let mut connector = Connector::new(cli.endpoint.clone(), cli.scope(), cli.credentials(), cli.tls());
    if let Some(proxies) = cli.proxies() {
        connector = connector.through(proxies);
    }
    let connector = Arc::new(connector);
    tell_story(cli, &connector, out).await.map_err(|error| {
        let found = connector.credentials().latest();
        let hints = hint::hints(&error, &Facts { cli, credentials: found.as_ref().map(|f| &f.credentials) });
        Failure { error: Box::new(error), hints }
    })
}

async fn tell_story(cli: &Cli, connector: &Arc<Connector>, out: &mut impl Write) -> Result<(), Error> {
    // A reader that has gone must not keep the session from a clean end, nor hide what went wrong.
    let mut told = Ok(());
    let mut tell = |line: String| {
        if told.is_ok() {
            told = writeln!(out, "{line}");
        }
    };
    cli.warnings().iter().for_each(|warning| warn(warning));
    tell(format!("Connecting to {} as {}", cli.endpoint, cli.client_id));
    let mut interrupted = pin!(interrupted());
    let result = tokio::select! {
        result = connect(cli, connector) => result,
        () = &mut interrupted => Err(Error::Interrupted),
    };
    if let Some(found) = connector.credentials().latest() {
        tell(format!(
            "Credentials: {} from the {}",
            shorten(found.credentials.access_key_id()),
            found.source
        ));
    }
    if let Some(seconds) = connector.clock_offset() {
        warn(&format!("{}; signed with the server's time instead", error::clock(seconds)));
    }
    let session = result?;
    tell(format!("Connected ({})", times(connector)));
    session.disconnect().await;
    tell("Disconnected".to_owned());
    if interrupted.now_or_never().is_some() {
        return Err(Error::Interrupted);
    }
    tell("Sample complete.".to_owned());
    Ok(told?)
}

/// Attempts until one succeeds, fails for good, or the deadline passes.
async fn connect(cli: &Cli, connector: &Arc<Connector>) -> Result<Session, Error> {
    let deadline = Instant::now() + cli.timeout;
    let attempt = async || Ok(Session::connect(connector.clone(), &cli.client_id, cli.timeout).await?);
    // Full jitter keeps many clients that failed together from coming back together.
    let waits = ExponentialBuilder::new()
        .with_min_delay(FIRST_BACKOFF)
        .with_max_delay(LONGEST_BACKOFF)
        .with_max_times(cli.attempts as usize - 1)
        .build()
        .map(|longest| longest.mul_f64(fastrand::f64()))
        // An attempt that cannot be made any more must not take the place of the error before it.
        .take_while(|wait| Instant::now() + *wait < deadline);
    let attempts = attempt.retry(waits).when(Error::is_transient).notify(|error, wait| {
        let cause = error::causes(error).last().map(|cause| format!(": {}", error::words(cause)));
        let cause = cause.unwrap_or_default();
        warn(&format!("{error}{cause}; trying again in {} ms", wait.as_millis()));
    });
    match timeout(cli.timeout, attempts).await {
        Ok(Err(Error::Session(SessionError::TimedOut))) | Err(_) => {
            let phase = connector.timeline().current().unwrap_or(Phase::Resolve);
            Err(Error::Deadline { phase, limit: cli.timeout })
        }
        Ok(result) => result,
    }
}

/// Ready at Ctrl-C, or at SIGTERM where there is such a thing.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    tokio::signal::ctrl_c().await.ok();
}

fn times(connector: &Connector) -> String {
    let each = connector.timeline().durations(Instant::now());
    let total = each.iter().map(|(_, time)| *time).sum::<Duration>();
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let parts: Vec<_> = each.iter().map(|(phase, time)| format!("{phase} {}", ms(*time))).collect();
    format!("{} in {}", parts.join(", "), ms(total))
}

/// Enough of an access key to recognise it.
fn shorten(access_key: &str) -> String {
    let characters: Vec<char> = error::printable(access_key).chars().collect();
    match characters.len() {
        ..12 => "…".to_owned(),
        length => [&characters[..4], &['…'], &characters[length - 4..]].concat().into_iter().collect(),
    }
}

// A closed stderr is no reason to stop.
fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "warning: {}", error::printable(text));
}

/// Compiles the application in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
