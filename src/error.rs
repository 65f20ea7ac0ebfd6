//! How a run can fail, the exit code of each failure, and how it is told.

use std::fmt::Write;
use std::io;
use std::time::Duration;

use crate::connector::ConnectError;
use crate::session::SessionError;
use crate::timeline::Phase;
use crate::upgrade::{Answer, UpgradeError};

/// Why there was no connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program itself could not run: no runtime, no stdout.
    #[error("cannot run")]
    Io(#[from] io::Error),
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
            Self::Io(_) => 1,
            Self::Session(SessionError::Connect(error)) => match error {
                ConnectError::Presign(_) => 1,
                ConnectError::Credentials(_) => 3,
                ConnectError::Tcp(_) => 4,
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
            Self::Session(SessionError::Refused { code, .. }) => {
                matches!(code.0, 0x88 | 0x89 | 0x9F)
            }
            _ => self.answer().is_some_and(|answer| answer.status == 429 || answer.status.is_server_error()),
        }
    }

    /// The whole story for stderr: the error, its causes, what the server said, the hints.
    pub fn report(&self, hints: &[String]) -> String {
        let mut text = format!("error: {self}\n");
        let mut lines = |label: &str, line: &str| {
            // Servers choose this text: a line of it stays a line, and no escape reaches the terminal.
            let printable: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(text, "{label}: {printable}");
        };
        let mut told = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            // Some libraries repeat their cause in their own message.
            if !told.ends_with(&cause.to_string()) {
                told = cause.to_string();
                lines("  cause", &told);
            }
            source = cause.source();
        }
        if let Some(answer) = self.answer() {
            lines("  status", answer.status.as_str());
            let said = [
                ("  error type", &answer.error_type),
                ("  message", &answer.message),
                ("  request id", &answer.request_id),
                ("  server", &answer.server),
                ("  location", &answer.location),
            ];
            for (label, value) in said {
                value.iter().for_each(|value| lines(label, value));
            }
        }
        if let Self::Session(
            SessionError::Refused { reason: Some(reason), .. }
            | SessionError::Disconnected { reason: Some(reason), .. },
        ) = self
        {
            lines("  reason", reason);
        }
        hints.iter().for_each(|hint| lines("hint", hint));
        text
    }
}
