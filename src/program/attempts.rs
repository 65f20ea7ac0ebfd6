//! How often, and for how long, the program tries to connect.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use rumqttc::MqttOptions;
use tokio::time::timeout;

use super::cli::Cli;
use super::error::Error;
use super::output::{Output, warn};
use super::session::Session;
use crate::diagnosis::failure::Failure;
use crate::diagnosis::report::{causes, message};
use crate::transport::connector::Connector;
use crate::transport::progress::Phase;
use crate::transport::text::shown;

/// The longest random part of the wait before the second attempt. It doubles with each attempt after that.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// The longest random part of any wait, to which [`Failure::retry_after`] is added.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// Tries to connect until an attempt succeeds or fails for good, or until the deadline passes.
///
/// # Errors
///
/// [`Error::Attempt`] if the last attempt failed, or [`Error::Deadline`] if the time ran out during an attempt.
pub async fn connect(
    cli: &Cli,
    region: &str,
    options: &MqttOptions,
    connector: &Connector,
    output: &Output,
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
            // A random wait, so that clients that failed together do not come back together.
            let wait = longest?.mul_f64(fastrand::f64()) + failure.retry_after()?;
            // If no time is left for another attempt, the error of the attempt before it counts.
            (Instant::now() + wait < deadline).then_some(wait)
        })
        .notify(|failure, wait| {
            warn(&format!("{}; trying again in {} ms", in_short(failure), wait.as_millis()))
        });
    match timeout(cli.timeout, attempts).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(Failure::TimedOut)) | Err(_) => {
            let phase = output.phase().unwrap_or(Phase::Resolve);
            Err(Error::Deadline { phase, limit: cli.timeout })
        }
        Ok(Err(failure)) => {
            let report = cli.facts(region, connector).explain(&failure);
            Err(Error::Attempt { failure: Box::new(failure), report })
        }
    }
}

/// The failure and its innermost cause.
fn in_short(failure: &Failure) -> String {
    let cause = causes(failure).last().map(|cause| format!(": {}", message(cause)));
    shown(&format!("{failure}{}", cause.unwrap_or_default()))
}
