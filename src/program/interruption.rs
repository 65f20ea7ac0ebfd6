//! Ctrl-C and SIGTERM; on Windows Ctrl-C, Ctrl-Break and the closing of the window.

use std::future::pending;
use std::pin::Pin;

use futures_util::FutureExt;

use super::error::{Error, Signal};

/// Listens for a signal from the first use on.
pub struct Interruption(Pin<Box<dyn Future<Output = Signal>>>);

impl Interruption {
    /// Not yet interrupted.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        Self(Box::pin(signal()))
    }

    /// What `work` gives, unless it is interrupted and dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`], and those of `work`.
    pub async fn or<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            // The handler is to be there before there is anything to interrupt.
            biased;
            signal = &mut self.0 => Err(Error::Interrupted(signal)),
            result = work => result,
        }
    }

    /// Whether a signal came while nobody waited for one.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub fn check(&mut self) -> Result<(), Error> {
        match (&mut self.0).now_or_never() {
            Some(signal) => Err(Error::Interrupted(signal)),
            None => Ok(()),
        }
    }
}

async fn signal() -> Signal {
    tokio::select! {
        () = interrupt() => Signal::Interrupt,
        () = terminate() => Signal::Terminate,
    }
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // The system does not tell of it then, which is not the same as Ctrl-C.
        pending().await
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => pending().await,
    }
}

#[cfg(windows)]
async fn terminate() {
    use tokio::signal::windows::{ctrl_break, ctrl_close};
    match (ctrl_break(), ctrl_close()) {
        (Ok(mut ctrl_break), Ok(mut ctrl_close)) => tokio::select! {
            _ = ctrl_break.recv() => {}
            _ = ctrl_close.recv() => {}
        },
        _ => pending().await,
    }
}
