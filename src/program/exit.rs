//! From the end of a run to the exit code, and to the last words on stderr.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

use super::error::Error;
use super::stderr;

/// What a bug ends with, as in every Rust program.
const PANIC: u8 = 101;

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs to the end, and tells of a failure on stderr.
pub fn code(run: impl Future<Output = Result<(), Error>>) -> ExitCode {
    // aws-config panics at some answers, which is caught and told as an error. So a panic is told only at the end.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload_as_str().unwrap_or("panic");
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{words} ({place})");
    }));
    let (code, words) = match panic::catch_unwind(AssertUnwindSafe(|| block_on(run))) {
        Ok(Ok(())) => (0, String::new()),
        Ok(Err(error)) => (error.exit_code(), error.report()),
        Err(_) => (PANIC, format!("internal error: {}\n", last_panic())),
    };
    stderr::end(&words);
    ExitCode::from(code)
}

fn block_on(run: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = runtime().map_err(Error::Runtime)?;
    let result = runtime.block_on(run);
    // A name resolution that is still running must not hold up the exit.
    runtime.shutdown_background();
    result
}

/// Tokio panics where there is no file descriptor left for its signals, and fails where there is none for the rest.
fn runtime() -> io::Result<Runtime> {
    let build = || Builder::new_current_thread().enable_all().build();
    panic::catch_unwind(build).unwrap_or_else(|_| Err(io::Error::other(last_panic())))
}

fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
