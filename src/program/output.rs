//! What a person reads: the progress of a run on stdout, with the time that each phase took, and warnings and the error on
//! stderr.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::error::Error;
use crate::diagnosis::report::clock;
use crate::transport::credentials::SourcedCredentials;
use crate::transport::progress::{Phase, Progress};
use crate::transport::text::{date, printable};

/// The output of one run.
pub struct Output(Mutex<State>);

struct State {
    out: Box<dyn Write + Send>,
    written: io::Result<()>,
    /// When each phase of the latest attempt began.
    phases: Vec<(Phase, Instant)>,
}

impl Output {
    /// Prints the progress to `out`.
    pub fn to(out: impl Write + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { out: Box::new(out), written: Ok(()), phases: Vec::new() })))
    }

    /// Writes a line. After a write has failed nothing more is written, but the run goes on, so that the session ends
    /// cleanly and the exit code tells of an error.
    pub fn line(&self, line: &str) {
        let mut state = self.state();
        if state.written.is_ok() {
            state.written = writeln!(state.out, "{}", printable(line));
        }
    }

    /// Ends the output.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] if not every line could be written.
    pub fn finish(&self) -> Result<(), Error> {
        std::mem::replace(&mut self.state().written, Ok(())).map_err(Error::Output)
    }

    /// Handles what a connector reports.
    pub fn progress(&self, progress: Progress<'_>) {
        match progress {
            Progress::Phase(phase) => {
                let phases = &mut self.state().phases;
                if matches!(phase, Phase::Resolve | Phase::Proxy) {
                    phases.clear();
                }
                phases.push((phase, Instant::now()));
            }
            Progress::Credentials(SourcedCredentials { source, credentials }) => {
                self.line(&format!(
                    "Credentials: {} from the {source}",
                    shorten(credentials.access_key_id())
                ));
                if let Some(expiry) = credentials.expiry().filter(|expiry| *expiry <= SystemTime::now()) {
                    let expiry = date(expiry);
                    warn(&format!(
                        "the credentials from the {source} expired at {expiry}, by the local clock"
                    ));
                }
            }
            Progress::Clock(seconds) => {
                warn(&format!("{}; signing with the server's time instead", clock(seconds)));
            }
        }
    }

    /// The current phase. `None` before the first attempt.
    pub fn phase(&self) -> Option<Phase> {
        self.state().phases.last().map(|(phase, _)| *phase)
    }

    /// Prints how long the latest attempt took, and each of its phases.
    pub fn connected(&self) {
        let now = Instant::now();
        let phases = std::mem::take(&mut self.state().phases);
        let ends = phases.iter().skip(1).map(|(_, began)| *began).chain([now]);
        let times: Vec<_> =
            phases.iter().zip(ends).map(|((phase, began), end)| (phase, end - *began)).collect();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        self.line(&format!("Connected in {:.1} ms", ms(times.iter().map(|(_, time)| *time).sum())));
        for (phase, time) in times {
            self.line(&format!("  {:15} {:>8.1} ms", phase.to_string(), ms(time)));
        }
    }

    // A lock that is poisoned does no harm: lines and times are valid even if a thread panicked while it held the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints a warning to stderr.
pub fn warn(text: &str) {
    to_stderr(&format!("warning: {}\n", printable(text)));
}

/// Writes to stderr. A stderr that is closed ends no run, as `eprint!` would.
pub fn to_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Enough of an access key to recognise it.
fn shorten(access_key: &str) -> String {
    let characters: Vec<char> = access_key.chars().collect();
    match characters.len() {
        ..12 => "…".to_owned(),
        length => [&characters[..4], &['…'], &characters[length - 4..]].concat().into_iter().collect(),
    }
}
