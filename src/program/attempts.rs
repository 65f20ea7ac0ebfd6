//! How often and how long it is tried.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use rumqttc::MqttOptions;
use tokio::time::timeout;

use super::cli::Cli;
use super::error::Error;
use super::session::Session;
use super::story::{Story, warn};
use crate::diagnosis::failure::Failure;
use crate::diagnosis::late;
use crate::diagnosis::report::{causes, own_words};
use crate::transport::connector::Connector;
use crate::transport::progress::Phase;
use crate::transport::text::shown;

/// The longest wait before the second attempt; it doubles from there.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// The longest wait before any attempt.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// Attempts until one succeeds, fails for good, or the deadline passes.
///
/// # Errors
///
/// [`Error::Attempt`] of the last attempt, or [`Error::Deadline`] while one was running.
pub async fn connect(
    cli: &Cli,
    region: &str,
    options: &MqttOptions,
    connector: &Connector,
    story: &Story,
) -> Result<Session, Error> {
    let deadline = Instant::now() + cli.timeout;
    let waits = ExponentialBuilder::new()
        .with_min_delay(FIRST_BACKOFF)
        .with_max_delay(LONGEST_BACKOFF)
        .with_max_times(cli.attempts as usize - 1)
        .build();
    let attempts = (|| Session::connect(options.clone()))
        .retry(waits)
        .when(|failure| !failure.is_final())
        .adjust(|failure, longest| {
            // A random wait keeps many clients that failed together from coming back together.
            let wait = longest?.mul_f64(fastrand::f64()) + failure.retry_after()?;
            // Where no time is left for another attempt, the last one's error is what counts.
            (Instant::now() + wait < deadline).then_some(wait)
        })
        .notify(|failure, wait| {
            warn(&format!("{}; trying again in {} ms", in_short(failure), wait.as_millis()))
        });
    match timeout(cli.timeout, attempts).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(Failure::TimedOut)) | Err(_) => {
            let phase = story.phase().unwrap_or(Phase::Resolve);
            Err(Error::Deadline { phase, limit: cli.timeout, hint: late::hint(phase) })
        }
        Ok(Err(failure)) => {
            let report = cli.facts(region, connector).explain(&failure);
            Err(Error::Attempt { failure: Box::new(failure), report })
        }
    }
}

/// The failure and its innermost cause.
fn in_short(failure: &Failure) -> String {
    let cause = causes(failure).last().map(|cause| format!(": {}", own_words(cause)));
    shown(&format!("{failure}{}", cause.unwrap_or_default()))
}
