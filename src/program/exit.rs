//! From the end of a run to the exit code, and to the last words on stderr.

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Builder;

use super::error::Error;

/// What a bug ends with, as in every Rust program.
const PANIC: u8 = 101;

/// Runs to the end, and tells of a failure on stderr.
pub fn code(run: impl Future<Output = Result<(), Error>>) -> ExitCode {
    // aws-config panics at some answers, which is caught and told as an error. So a panic is told only at the end.
    static LAST_PANIC: Mutex<String> = Mutex::new(String::new());
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload_as_str().unwrap_or("panic");
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{words} ({place})");
    }));
    let (code, words) = match panic::catch_unwind(AssertUnwindSafe(|| block_on(run))) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => (error.exit_code(), error.report()),
        Err(_) => {
            let panic = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
            (PANIC, format!("internal error: {panic}\n"))
        }
    };
    let _ = write!(io::stderr(), "{words}");
    ExitCode::from(code)
}

fn block_on(run: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let result = runtime.block_on(run);
    // A name resolution that is still running must not hold up the exit.
    runtime.shutdown_background();
    result
}
