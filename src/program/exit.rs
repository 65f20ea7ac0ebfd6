//! The end of a run: the exit code, and the last message on stderr.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::error::Error;
use super::stderr;
use crate::transport::text::shown;

/// The exit code after a panic, as in every Rust program.
const PANIC: u8 = 101;

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// The stack, in bytes. Windows gives the main thread 1 MiB, and a debug build of this program needs more.
const STACK: usize = 8 << 20;

/// Runs `run` to its end, reports a failure on stderr, and returns the exit code.
pub fn code<R: Future<Output = Result<(), Error>>>(run: impl FnOnce() -> R + Send) -> ExitCode {
    // aws-config panics at some answers. Such a panic is caught and reported as an error, so the hook prints nothing, and
    // keeps the message for the end.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload_as_str().unwrap_or("panic");
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{words} ({place})");
    }));
    let ended = thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || block_on(run()));
        thread.map_or_else(|error| Ok(Err(Error::Runtime(error))), |thread| thread.join())
    });
    let (code, words) = match ended {
        Ok(Ok(())) => (0, String::new()),
        Ok(Err(error)) => (error.exit_code(), error.report()),
        Err(_) => (PANIC, format!("internal error: {}\n", shown(&last_panic()))),
    };
    stderr::end(&words);
    ExitCode::from(code)
}

fn block_on(run: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = runtime().map_err(Error::Runtime)?;
    let result = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(run)));
    // A name resolution that is still running must not hold up the exit.
    runtime.shutdown_background();
    result.unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// Tokio panics if no file descriptor is left for its signals, and returns an error if none is left for the rest.
fn runtime() -> io::Result<Runtime> {
    let build = || Builder::new_current_thread().enable_all().build();
    panic::catch_unwind(build).unwrap_or_else(|_| Err(io::Error::other(last_panic())))
}

fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
