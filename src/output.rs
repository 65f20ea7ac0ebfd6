//! What a person reads: the progress of a run on stdout, with the time that each phase took, and warnings and the error
//! on stderr.

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anstyle::{AnsiColor, Style};
use sigv4_websocket::{BuildError, Connector, Failure, Phase, Progress, printable};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no asynchronous runtime.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// The connection was made and closed, but not every line could be written to stdout.
    #[error("cannot write to stdout")]
    Output(#[source] io::Error),
    /// The flags or the environment cannot work.
    #[error(transparent)]
    Settings(#[from] BuildError),
    /// The last attempt failed.
    #[error("{failure}")]
    Failed { failure: Failure, report: String },
}

impl Error {
    pub fn failed(failure: Failure, connector: &Connector, client_id: &str) -> Self {
        let report = connector.explain(&failure, client_id);
        Self::Failed { failure, report }
    }

    /// The exit code, from the table in the README.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start(_) | Self::Output(_) => 1,
            Self::Settings(_) => 2,
            Self::Failed { failure, .. } if failure.is_deadline() => 8,
            Self::Failed { failure, .. } => match failure.phase() {
                Phase::Credentials => 3,
                Phase::Resolve | Phase::Proxy | Phase::Tcp => 4,
                Phase::Tls => 5,
                Phase::WebSocket => 6,
                Phase::Mqtt => 7,
                _ => 1,
            },
        }
    }

    /// The full report for stderr: the error, its causes, what the server said, the hints.
    pub fn report(&self) -> String {
        if let Self::Failed { report, .. } = self {
            return report.clone();
        }
        let mut report = format!("error: {}\n", printable(&self.to_string()));
        for cause in std::iter::successors(self.source(), |cause| (*cause).source()) {
            report += &format!("  cause: {}\n", printable(&cause.to_string()));
        }
        report
    }
}

/// The output of one run.
#[derive(Clone)]
pub struct Output(Arc<Mutex<State>>);

struct State {
    out: Box<dyn Write + Send>,
    written: io::Result<()>,
    /// When each phase of the latest attempt began.
    phases: Vec<(Phase, Instant)>,
}

impl Output {
    /// Prints the progress to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        let state = State { out: Box::new(out), written: Ok(()), phases: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Says where to, and what will probably not work as the user means it.
    pub fn begin(&self, connector: &Connector, client_id: &str) {
        let (endpoint, region) = (connector.endpoint(), connector.region());
        if let Some(named) = endpoint.region().filter(|named| *named != region) {
            warn(&format!("the endpoint is in {named}, but the region to sign for is {region}"));
        }
        if client_id.contains(['#', '+', '/']) {
            warn("IoT Core publishes no lifecycle events for client IDs with #, + or /");
        }
        self.line(&format!("Connecting to {endpoint} as {client_id}"));
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
            Progress::Credentials { source, access_key_id, expiry } => {
                let source = source.unwrap_or("command line");
                self.line(&format!("Credentials: {access_key_id} from the {source}"));
                if expiry.is_some_and(|expiry| expiry <= SystemTime::now()) {
                    warn(&format!("the credentials from the {source} have expired, by the local clock"));
                }
            }
            _ => warn(&progress.to_string()),
        }
    }

    /// The phase that the current attempt is in.
    pub fn phase(&self) -> Phase {
        self.state().phases.last().map_or(Phase::Resolve, |(phase, _)| *phase)
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

    /// Ends the output of a success, unless not every line could be written.
    pub fn end(&self) -> Result<(), Error> {
        self.line("Disconnected");
        self.line("Sample complete.");
        std::mem::replace(&mut self.state().written, Ok(())).map_err(Error::Output)
    }

    /// Writes a line. After a write has failed nothing more is written, but the run goes on, so that the session ends
    /// cleanly and the exit code tells of an error.
    fn line(&self, line: &str) {
        let mut state = self.state();
        if state.written.is_ok() {
            state.written = writeln!(state.out, "{}", printable(line));
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

/// Writes lines to stderr, their labels in the colours of clap and cargo if a terminal reads them. A stderr that is
/// closed ends no run, as `eprint!` would.
pub fn to_stderr(text: &str) {
    let coloured = text.lines().map(|line| {
        let (label, rest) = line.split_at(line.find(':').unwrap_or_default());
        let style = match label {
            "error" => AnsiColor::Red.on_default().bold(),
            "warning" => AnsiColor::Yellow.on_default().bold(),
            "hint" => AnsiColor::Green.on_default().bold(),
            _ => Style::new(),
        };
        format!("{style}{label}{style:#}{rest}\n")
    });
    let coloured: String = coloured.collect();
    let _ = anstream::stderr().write_all(coloured.as_bytes());
}
