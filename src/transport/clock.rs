// SPDX-License-Identifier: Apache-2.0

//! The server's clock, learnt from a refusal: a device whose own clock is off can still sign.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use super::upgrade::Answer;

/// IoT Core lets the clocks differ by five minutes; one less leaves room for the way there. Seconds.
pub const CLOCK_TOLERANCE: u64 = 4 * 60;

/// The time to sign with.
#[derive(Debug, Default)]
pub struct ServerClock {
    /// How far the server's clock is ahead of the local one, as far as that is known. Seconds.
    offset: AtomicI64,
    /// Whether the offset was changed since the last request that was accepted.
    corrected: AtomicBool,
}

impl ServerClock {
    /// The server's time as far as it is known, else the local time.
    pub fn now(&self) -> SystemTime {
        let offset = self.offset.load(Ordering::Relaxed);
        let distance = Duration::from_secs(offset.unsigned_abs());
        match offset {
            ..0 => SystemTime::now() - distance,
            0.. => SystemTime::now() + distance,
        }
    }

    /// Takes over the time in `answer`, if it is more than [`CLOCK_TOLERANCE`] away from the one signed with.
    /// Gives the seconds by which the local clock is behind if another attempt is worthwhile. That is so once
    /// until a request is accepted: a second correction in a row means that the server's own `date` wanders.
    pub fn correct(&self, answer: &Answer) -> Option<i64> {
        let skew = answer.clock_skew(self.now())?;
        if skew.unsigned_abs() <= CLOCK_TOLERANCE {
            return None;
        }
        let offset = answer.clock_skew(SystemTime::now())?;
        tracing::warn!(offset, "the clock is not the server's");
        self.offset.store(offset, Ordering::Relaxed);
        let first = !self.corrected.swap(true, Ordering::Relaxed);
        first.then_some(offset)
    }

    /// The last request was accepted.
    pub fn confirm(&self) {
        self.corrected.store(false, Ordering::Relaxed);
    }
}
