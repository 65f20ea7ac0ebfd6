//! Writes to stderr on a thread of its own. A pipe that nobody reads blocks that thread, and not the program.

use std::io::{self, ErrorKind, Write};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How much text may wait for a reader, in bytes.
const MAX_WAITING: usize = 1024 * 1024;

/// How long the program waits until a line is written, so that lines on stderr and stdout keep their order.
const LINE_TIME: Duration = Duration::from_millis(20);

/// How long the program waits until its last message is written.
const LAST_TIME: Duration = Duration::from_secs(1);

/// How many times as long it waits while the thread has not begun to write.
const MAX_WAITS: usize = 10;

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let spawned = thread::Builder::new().name("stderr".to_owned()).spawn(|| LINES.pass_on());
    lines.state().no_thread = spawned.is_err();
    lines
});

#[derive(Default)]
struct Lines {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: String,
    /// Some text is being written.
    writing: bool,
    /// The thread could not be started, so whoever has a line writes it.
    no_thread: bool,
    lost: usize,
}

/// Writes `line` and a line break. The line is lost if too much text is waiting already.
pub fn line(line: &str) {
    let mut state = LINES.state();
    if state.waiting.len() + line.len() > MAX_WAITING {
        state.lost += 1;
        return;
    }
    // If other lines are waiting already, there is no order to keep.
    let limit = if state.is_idle() { LINE_TIME } else { Duration::ZERO };
    state.waiting.extend([line, "\n"]);
    LINES.drain(state, limit);
}

/// Writes the last message of a run, and how many lines were lost.
pub fn end(words: &str) {
    if words.is_empty() && LazyLock::get(&LINES).is_none() {
        return;
    }
    let mut state = LINES.state();
    state.waiting.push_str(words);
    if state.lost > 0 {
        let lost = format!("warning: nobody read stderr in time, and lines were lost: {}\n", state.lost);
        state.waiting.push_str(&lost);
    }
    for _ in 0..MAX_WAITS {
        LINES.drain(state, LAST_TIME);
        state = LINES.state();
        // On a busy machine the thread may not have run yet, which does not mean that nobody reads.
        if state.is_idle() || state.writing {
            return;
        }
    }
}

impl Lines {
    /// Waits until everything is written, or until the time is up.
    fn drain(&self, mut state: MutexGuard<'_, State>, limit: Duration) {
        if state.no_thread {
            return write_out(&std::mem::take(&mut state.waiting));
        }
        self.changed.notify_all();
        let _ = self.changed.wait_timeout_while(state, limit, |state| !state.is_idle());
    }

    fn pass_on(&self) {
        let mut state = self.state();
        loop {
            state = self
                .changed
                .wait_while(state, |state| state.waiting.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let text = std::mem::take(&mut state.waiting);
            state.writing = true;
            drop(state);
            write_out(&text);
            state = self.state();
            state.writing = false;
            self.changed.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_idle(&self) -> bool {
        !self.writing && self.waiting.is_empty()
    }
}

fn write_out(text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match io::stderr().write(rest) {
            Ok(length @ 1..) => rest = &rest[length..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Another process that shares the pipe may have made it non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(10)),
            // A closed stderr must not end the program, so the rest is dropped.
            Ok(0) | Err(_) => return,
        }
    }
}
