//! stderr behind a thread of its own, so that a pipe that nobody reads stops the lines and not the program.

use std::io::{self, ErrorKind, Write};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What may wait for a reader. Bytes.
const MAX_WAITING: usize = 1024 * 1024;

/// How long a line waits to be written, so that it keeps its place between those on stdout.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long the last words wait.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let spawned = thread::Builder::new().name("stderr".to_owned()).spawn(|| LINES.pass_on());
    lines.state().alone = spawned.is_err();
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
    /// There is no thread.
    alone: bool,
    lost: usize,
}

/// Writes `line`, without a new line at its end. It is lost where too much is waiting already.
pub fn line(line: &str) {
    let mut state = LINES.state();
    if state.waiting.len() + line.len() > MAX_WAITING {
        state.lost += 1;
        return;
    }
    // Behind a line that waits already there is no point in it.
    let patience = if state.is_idle() { PATIENCE } else { Duration::ZERO };
    state.waiting.extend([line, "\n"]);
    LINES.drain(state, patience);
}

/// Writes the last words of a run, and how many lines were lost.
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
    LINES.drain(state, LAST_PATIENCE);
}

impl Lines {
    fn drain(&self, mut state: MutexGuard<'_, State>, patience: Duration) {
        if state.alone {
            return write_out(&std::mem::take(&mut state.waiting));
        }
        self.changed.notify_all();
        let _ = self.changed.wait_timeout_while(state, patience, |state| !state.is_idle());
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
            // Whoever shares the pipe may have made it so.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(10)),
            // That nobody reads any more is no reason to stop.
            Ok(0) | Err(_) => return,
        }
    }
}
