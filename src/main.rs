//! The program: parse, run, exit code.

#![warn(clippy::expect_used)]

use std::io::{self, Write};
use std::process::ExitCode;

use sigv4_websocket_connect::cli::{Cli, LogLevel};
use sigv4_websocket_connect::{error::Error, run};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

fn main() -> ExitCode {
    let cli = Cli::from_args();
    log_to_stderr(cli.log_level);
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| (Error::Io(error), Vec::new()))
        .and_then(|runtime| {
            let result = runtime.block_on(run(&cli, &mut io::stdout()));
            // A name resolution that is still running must not hold up the exit.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((error, hints)) => {
            let _ = io::stderr().write_all(error.report(&hints).as_bytes());
            ExitCode::from(error.exit_code())
        }
    }
}

fn log_to_stderr(level: Option<LogLevel>) {
    let filter = match level {
        None => std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok()).unwrap_or_default(),
        Some(level) => Targets::new().with_default(match level {
            LogLevel::None => LevelFilter::OFF,
            LogLevel::Fatal | LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }),
    };
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(io::stderr))
        .with(filter)
        .init();
}
