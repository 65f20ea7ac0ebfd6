//! How a run can fail, the exit code of each failure, and how it is told.

use std::fmt::{self, Write};
use std::io;
use std::time::Duration;

use aws_smithy_types::error::metadata::ErrorMetadata;

use crate::connector::ConnectError;
use crate::credentials::SourceError;
use crate::session::SessionError;
use crate::timeline::Phase;
use crate::upgrade::{Answer, UpgradeError};

/// Why there was no connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no asynchronous runtime.
    #[error("cannot run")]
    Runtime(#[source] io::Error),
    /// The connection was made and closed, but nobody can read of it.
    #[error("cannot write to stdout")]
    Output(#[from] io::Error),
    /// One of the steps failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// `--timeout` has passed.
    #[error("the deadline of {} s passed in the phase {phase}", .limit.as_secs())]
    Deadline {
        /// What took too long.
        phase: Phase,
        /// `--timeout`.
        limit: Duration,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// The exit code, as the README lists them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) | Self::Output(_) => 1,
            Self::Session(SessionError::Connect(error)) => match error {
                ConnectError::Presign(_) | ConnectError::Upgrade(UpgradeError::Request(_)) => 1,
                ConnectError::Credentials(_) => 3,
                ConnectError::Tcp(_) | ConnectError::Proxy(_) => 4,
                ConnectError::Tls(_) => 5,
                ConnectError::Upgrade(_) => 6,
            },
            Self::Session(SessionError::TimedOut) | Self::Deadline { .. } => 8,
            Self::Session(_) => 7,
            Self::Interrupted => 130,
        }
    }

    /// What the server answered to the upgrade request, if it was not a WebSocket.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Session(SessionError::Connect(ConnectError::Upgrade(
                UpgradeError::Refused(answer) | UpgradeError::NotWebSocket(answer, _),
            ))) => Some(answer),
            _ => None,
        }
    }

    /// Whether another attempt may well succeed: the network or the server was not ready. A refusal is
    /// final, and so is a hang-up after CONNECT.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Session(SessionError::Connect(ConnectError::Tcp(_))) => true,
            Self::Session(SessionError::Connect(ConnectError::Tls(_) | ConnectError::Upgrade(_))) => {
                self.answer().is_some_and(Answer::is_busy)
                    || causes(self).filter_map(|cause| cause.downcast_ref()).any(is_reset)
            }
            Self::Session(SessionError::Refused { code, .. }) => matches!(code.0, 0x88 | 0x89 | 0x9F),
            _ => false,
        }
    }

    /// The whole story for stderr: the error, its causes, what the server said, the hints.
    pub fn report(&self, hints: &[String]) -> String {
        let mut text = String::new();
        let mut line = |label: &str, words: &str| {
            let _ = writeln!(text, "{label}: {}", printable(words).trim_end());
        };
        let mut told = self.to_string();
        line("error", &told);
        for cause in causes(self) {
            let words = words(cause);
            // Some libraries repeat their cause in their own message.
            if !told.ends_with(&words) {
                line("  cause", &words);
            }
            told = words;
        }
        match self {
            Self::Session(SessionError::Connect(ConnectError::Credentials(SourceError::NoneFound(
                tried,
            )))) => {
                for (source, reason) in tried {
                    let reason = causes(reason).last().map_or("not configured".to_owned(), words);
                    line(&format!("  {source}"), &reason);
                }
            }
            Self::Session(
                SessionError::Refused { reason: Some(reason), .. }
                | SessionError::Disconnected { reason: Some(reason), .. },
            ) => line("  reason", reason),
            _ => {}
        }
        if let Some(answer) = self.answer() {
            line("  status", answer.status.as_str());
            for (label, value) in [
                ("  error type", &answer.error_type),
                ("  message", &answer.message),
                ("  request id", &answer.request_id),
                ("  server", &answer.server),
                ("  location", &answer.location),
            ] {
                value.iter().for_each(|value| line(label, value));
            }
        }
        hints.iter().for_each(|hint| line("hint", hint));
        text
    }
}

/// A failed run, told by its `Display`.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub error: Box<Error>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error.report(&self.hints))
    }
}

/// The errors beneath `error`, from the outermost inwards.
pub fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| cause.source())
}

/// How far the local clock is off, in words. Positive seconds: it is behind the server's.
pub fn clock(seconds: i64) -> String {
    let direction = if seconds > 0 { "behind" } else { "ahead of" };
    let distance = match seconds.unsigned_abs() / 60 {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes @ ..2880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    };
    format!("the local clock is {distance} {direction} the server's")
}

/// Text from outside: a line of it stays a line, and no escape reaches the terminal.
pub fn printable(text: &str) -> String {
    let moves = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if moves(c) { ' ' } else { c }).collect()
}

fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// The AWS SDK dumps some service errors, and whole requests with the tokens in them.
pub fn words(cause: &(dyn std::error::Error + 'static)) -> String {
    match cause.downcast_ref::<ErrorMetadata>() {
        Some(said) => [said.code(), said.message()].into_iter().flatten().collect::<Vec<_>>().join(": "),
        None => {
            let words = cause.to_string();
            let dump = ["Request {", "Response {"].into_iter().filter_map(|start| words.find(start)).min();
            words[..dump.unwrap_or(words.len())].replace("StatusCode(", "(")
        }
    }
}
