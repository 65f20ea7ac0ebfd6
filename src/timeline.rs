//! The phases of a connection attempt: which one is running, and how long each took.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a connection attempt is busy with. Credentials are fetched beside the first three, so their
/// phase is only the time by which they came later than TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Name resolution.
    Resolve,
    /// TCP to an HTTP proxy, and CONNECT; there is no name resolution then, and no TCP of our own.
    Proxy,
    /// The TCP handshake.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// Waiting for credentials, with TLS already there.
    Credentials,
    /// The upgrade request and its answer.
    WebSocket,
    /// CONNECT and CONNACK.
    Mqtt,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "name resolution",
            Self::Proxy => "proxy",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Credentials => "credentials",
            Self::WebSocket => "WebSocket",
            Self::Mqtt => "MQTT",
        })
    }
}

/// When each phase of the latest attempt began.
#[derive(Debug, Default)]
pub struct Timeline(Mutex<Vec<(Phase, Instant)>>);

impl Timeline {
    /// Begins a new attempt, forgetting the one before.
    pub fn restart(&self) {
        self.entries().clear();
    }

    /// Ends the running phase and begins `phase`.
    pub fn enter(&self, phase: Phase) {
        tracing::debug!("phase: {phase}");
        self.entries().push((phase, Instant::now()));
    }

    /// The running phase; none before the first attempt.
    pub fn current(&self) -> Option<Phase> {
        self.entries().last().map(|(phase, _)| *phase)
    }

    /// How long each phase took, the running one up to `now`.
    pub fn durations(&self, now: Instant) -> Vec<(Phase, Duration)> {
        let entries = self.entries();
        let ends = entries.iter().skip(1).map(|(_, began)| *began).chain([now]);
        entries.iter().zip(ends).map(|((phase, began), end)| (*phase, end - *began)).collect()
    }

    // A list of times is sound whatever happened to the thread that held it.
    fn entries(&self) -> MutexGuard<'_, Vec<(Phase, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
