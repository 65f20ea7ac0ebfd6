//! Ctrl-C, and SIGTERM where there is such a thing.

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
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => Signal::Terminate,
                signal = ctrl_c() => signal,
            };
        }
    }
    ctrl_c().await
}

async fn ctrl_c() -> Signal {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody listens for it then, which is not the same as Ctrl-C.
        std::future::pending().await
    }
    Signal::Interrupt
}
