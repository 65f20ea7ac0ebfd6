//! How a run can fail, and the exit code of each failure.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::diagnosis::failure::Failure;
use crate::diagnosis::report::report;
use crate::transport::connector::ConnectError;
use crate::transport::network::NetworkError;
use crate::transport::progress::Phase;
use crate::transport::proxy::BadProxy;
use crate::transport::tls::TlsError;
use crate::transport::upgrade::UpgradeError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no thread or no asynchronous runtime.
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    /// The connection was made and closed, but not every line could be written to stdout.
    #[error("cannot write to stdout: {0}")]
    Output(io::Error),
    /// Nothing says which region to sign for.
    #[error(
        "which region is the endpoint in? Its name does not say: pass --region or set AWS_REGION, as in us-east-1"
    )]
    NoRegion,
    /// The environment variable that sets the region does not hold one.
    #[error("{0} is not the name of a region, such as us-east-1")]
    BadRegion(&'static str),
    /// The file with root certificates cannot be used.
    #[error("{setting} cannot be used")]
    CaFile {
        /// The flag or the variable that names the file.
        setting: &'static str,
        /// What is wrong with the file.
        source: TlsError,
    },
    /// The file with root certificates is a pipe, and `--timeout` has passed.
    #[error("{setting} cannot be used: {}: nobody writes to it", .path.display())]
    SilentFile {
        /// The flag or the variable that names the file.
        setting: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The proxy that the flag or the environment sets cannot be used.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// The last attempt failed.
    #[error("{failure}")]
    Attempt {
        /// What went wrong.
        failure: Box<Failure>,
        /// The full report.
        report: String,
    },
    /// `--timeout` has passed.
    #[error("the deadline of {} s passed in the phase {phase}", .limit.as_secs())]
    Deadline {
        /// What took too long.
        phase: Phase,
        /// `--timeout`.
        limit: Duration,
        /// What to do about it.
        hint: &'static str,
    },
    /// A signal came.
    #[error("interrupted")]
    Interrupted(Signal),
}

impl Error {
    /// The exit code, from the table in the README.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) | Self::Output(_) => 1,
            Self::NoRegion
            | Self::BadRegion(_)
            | Self::CaFile { .. }
            | Self::SilentFile { .. }
            | Self::Proxy(_) => 2,
            Self::Attempt { failure, .. } => match **failure {
                Failure::Connect(
                    ConnectError::Presign(_) | ConnectError::Upgrade(UpgradeError::Request(_)),
                ) => 1,
                Failure::Connect(ConnectError::Credentials(_)) => 3,
                Failure::Connect(ConnectError::Network(NetworkError::Tls(_))) => 5,
                Failure::Connect(ConnectError::Network(_)) => 4,
                Failure::Connect(ConnectError::Upgrade(_)) => 6,
                Failure::TimedOut => 8,
                _ => 7,
            },
            Self::Deadline { .. } => 8,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// The full report for stderr: the error, its causes, what the server said, the hints.
    pub fn report(&self) -> String {
        match self {
            Self::Attempt { report, .. } => report.clone(),
            Self::Deadline { hint, .. } => report(self, &[], &[(*hint).to_owned()]),
            _ => report(self, &[], &[]),
        }
    }
}

/// The signal that ended a run early.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM; on Windows Ctrl-Break, or the closing of the window.
    Terminate,
}
