//! The program: parse, run, exit code.

#![warn(clippy::expect_used)]

use std::io::{self, Write};
use std::process::ExitCode;

use sigv4_websocket_connect::cli::Cli;
use sigv4_websocket_connect::error::{Error, Failure};
use sigv4_websocket_connect::{log, run};

fn main() -> ExitCode {
    let cli = Cli::from_args();
    log::to_stderr(cli.log_level);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ =
            writeln!(io::stderr(), "internal error: {} ({place})", panic.payload_as_str().unwrap_or("panic"));
    }));
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure { error: Box::new(Error::Runtime(error)), hints: Vec::new() })
        .and_then(|runtime| {
            let result = runtime.block_on(run(&cli, &mut io::stdout()));
            // A name resolution that is still running must not hold up the exit.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = write!(io::stderr(), "{failure}");
            ExitCode::from(failure.error.exit_code())
        }
    }
}
