//! The server's clock, learnt from a refusal: a device whose own clock is off can still sign.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use super::upgrade::Answer;

/// IoT Core accepts a difference of five minutes. Four leave a minute for the request to arrive. In seconds.
pub(crate) const CLOCK_TOLERANCE: u64 = 4 * 60;

/// By how many seconds the server's clock is ahead of the local one, as far as that is known.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(AtomicI64);

impl ServerClock {
    /// The server's time as far as it is known, else the local time.
    pub(crate) fn now(&self) -> SystemTime {
        let offset = self.0.load(Ordering::Relaxed);
        let distance = Duration::from_secs(offset.unsigned_abs());
        match offset {
            ..0 => SystemTime::now() - distance,
            0.. => SystemTime::now() + distance,
        }
    }

    /// Uses the server's time from now on if it is more than [`CLOCK_TOLERANCE`] away from the time that was `signed`.
    /// If so, returns by how many seconds the local clock is behind.
    pub(crate) fn correct(&self, answer: &Answer, signed: SystemTime) -> Option<i64> {
        answer.clock_skew(signed).filter(|skew| skew.unsigned_abs() > CLOCK_TOLERANCE)?;
        let offset = answer.clock_skew(answer.received)?;
        tracing::warn!(offset, "the local clock is not in step with the server's");
        self.0.store(offset, Ordering::Relaxed);
        Some(offset)
    }
}
