//! Whether a connection is dead, though neither side closed it: the server owes an answer, or takes nothing of what is
//! sent.
//!
//! Nothing is asked of the server for this: nobody has shown that IoT Core answers a WebSocket Ping.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Whoever finds that a limit has passed looks once more after this time: the machine or the task may have been asleep,
/// and what arrived meanwhile is still to be read.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// A limit for something that is to happen. It costs a timer only while somebody waits.
pub(crate) struct Watch {
    limit: Duration,
    deadline: Option<Instant>,
    looked: bool,
    timer: Option<Pin<Box<Sleep>>>,
    /// The task that looked before there was a deadline.
    waiting: Option<Waker>,
}

impl Watch {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, deadline: None, looked: false, timer: None, waiting: None }
    }

    /// Begins to wait, unless it waits already. A limit that the clock cannot hold never passes.
    pub(crate) fn arm(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Instant::now().checked_add(self.limit);
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
    }

    /// It is still happening: if it waits, it begins anew.
    pub(crate) fn postpone(&mut self) {
        if self.deadline.is_some() {
            self.disarm();
            self.arm();
        }
    }

    /// It has happened.
    pub(crate) fn disarm(&mut self) {
        (self.deadline, self.looked) = (None, false);
    }

    /// Ready if it has not happened in time. Wakes the task when it is time to look again.
    pub(crate) fn poll_passed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(deadline) = self.deadline {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            // A timer that is early is cheaper than one that is set anew for every packet.
            if timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now < deadline {
                timer.as_mut().reset(deadline);
            } else if self.looked {
                return Poll::Ready(());
            } else {
                self.looked = true;
                self.deadline = Some(now + SECOND_LOOK);
                timer.as_mut().reset(now + SECOND_LOOK);
            }
        }
        self.waiting = Some(context.waker().clone());
        Poll::Pending
    }
}
