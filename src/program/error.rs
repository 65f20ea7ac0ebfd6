//! How a run can fail, and the exit code of each failure.

use std::io;
use std::time::Duration;

use crate::diagnosis::failure::Failure;
use crate::diagnosis::hint;
use crate::diagnosis::report::report;
use crate::transport::progress::Phase;
use crate::transport::proxy::BadProxy;
use crate::transport::tls::TlsError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no asynchronous runtime.
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
    },
}

impl Error {
    /// The exit code, from the table in the README.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) | Self::Output(_) => 1,
            Self::NoRegion | Self::BadRegion(_) | Self::CaFile { .. } | Self::Proxy(_) => 2,
            Self::Attempt { failure, .. } => match failure.phase() {
                Phase::Presign => 1,
                Phase::Credentials => 3,
                Phase::Resolve | Phase::Proxy | Phase::Tcp => 4,
                Phase::Tls => 5,
                Phase::WebSocket => 6,
                Phase::Mqtt => 7,
            },
            Self::Deadline { .. } => 8,
        }
    }

    /// The full report for stderr: the error, its causes, what the server said, the hints.
    pub fn report(&self) -> String {
        match self {
            Self::Attempt { report, .. } => report.clone(),
            Self::Deadline { phase, .. } => report(self, &[], &[hint::deadline(*phase).to_owned()]),
            _ => report(self, &[], &[]),
        }
    }
}
