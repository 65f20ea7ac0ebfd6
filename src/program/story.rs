//! The progress that a run prints to stdout, and how long each phase took. Warnings go to stderr.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::Error;
use super::stderr;
use crate::diagnosis::report::clock;
use crate::transport::progress::{Phase, Progress};
use crate::transport::text::{date, printable};

/// The story of one run.
pub struct Story(Mutex<State>);

struct State {
    out: Box<dyn Write + Send>,
    written: io::Result<()>,
    /// When each phase of the latest attempt began.
    phases: Vec<(Phase, Instant)>,
}

impl Story {
    /// A story that is printed to `out`.
    pub fn on(out: impl Write + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { out: Box::new(out), written: Ok(()), phases: Vec::new() })))
    }

    /// Writes a line. After a write has failed nothing more is written, but the run goes on, so that the session ends
    /// cleanly and the exit code tells of an error.
    pub fn tell(&self, line: &str) {
        let mut state = self.state();
        if state.written.is_ok() {
            state.written = writeln!(state.out, "{}", printable(line));
        }
    }

    /// Ends the story.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] if not every line could be written.
    pub fn end(&self) -> Result<(), Error> {
        std::mem::replace(&mut self.state().written, Ok(())).map_err(Error::Output)
    }

    /// Handles what a connector reports.
    pub fn follow(&self, progress: Progress<'_>) {
        match progress {
            Progress::Phase(phase) => {
                let phases = &mut self.state().phases;
                if matches!(phase, Phase::Resolve | Phase::Proxy) {
                    phases.clear();
                }
                phases.push((phase, Instant::now()));
            }
            Progress::Credentials(found) => {
                let key = shorten(found.credentials.access_key_id());
                self.tell(&format!("Credentials: {key} from the {}", found.source));
            }
            Progress::Expired(found) => {
                let expiry = found.credentials.expiry().map(date).unwrap_or_default();
                warn(&format!(
                    "the credentials from the {} expired at {expiry}, by the local clock",
                    found.source
                ));
            }
            Progress::Ignored(setting) => warn(setting),
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
        self.tell(&format!("Connected in {:.1} ms", ms(times.iter().map(|(_, time)| *time).sum())));
        for (phase, time) in times {
            self.tell(&format!("  {:15} {:>8.1} ms", phase.to_string(), ms(time)));
        }
    }

    // A lock that is poisoned does no harm: lines and times are valid even if a thread panicked while it held the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints a warning to stderr.
pub fn warn(text: &str) {
    stderr::line(&format!("warning: {}", printable(text)));
}

/// Enough of an access key to recognise it.
fn shorten(access_key: &str) -> String {
    let characters: Vec<char> = access_key.chars().collect();
    match characters.len() {
        ..12 => "…".to_owned(),
        length => [&characters[..4], &['…'], &characters[length - 4..]].concat().into_iter().collect(),
    }
}
