//! Ctrl-C and SIGTERM; on Windows Ctrl-C, Ctrl-Break and the closing of the window.

use std::future::pending;
use std::pin::Pin;

use futures_util::FutureExt;

use super::error::{Error, Signal};

/// Listens for a signal, from its first use on.
pub struct Interruption(Pin<Box<dyn Future<Output = Signal>>>);

impl Interruption {
    /// A listener that has received no signal yet.
    #[expect(clippy::new_without_default, reason = "a listener is not a default value")]
    pub fn new() -> Self {
        Self(Box::pin(signal()))
    }

    /// The result of `work`. If a signal comes first, `work` is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`], or an error of `work`.
    pub async fn or<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            // The signal is polled first, so that its handler is there before `work` begins.
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
        // The system cannot report Ctrl-C then. That must not count as Ctrl-C.
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
