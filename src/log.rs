//! Logging to stderr, without the events that would show a secret.

use std::io;

use sigv4_websocket::printable;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::prelude::*;

use super::cli::LogLevel;
use super::output::warn;

/// Logs at this level. Without one, `RUST_LOG` decides: `level` or `target=level`, separated by commas.
pub fn start(level: Option<LogLevel>) {
    let filter: Targets = match level {
        // Most runs log nothing, and need no subscriber, which takes tens of KiB.
        None => match std::env::var("RUST_LOG").map(|filter| filter.parse()) {
            Err(_) => return,
            Ok(Ok(filter)) => filter,
            Ok(Err(error)) => {
                return warn(&format!("nothing is logged, because RUST_LOG is not a valid filter: {error}"));
            }
        },
        Some(level) => Targets::new().with_default(match level {
            LogLevel::None => return,
            LogLevel::Fatal | LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }),
    };
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(|| Writer))
        .with(filter)
        .with(filter_fn(|metadata| !shows_secrets(metadata)))
        .init();
}

/// Writes each event on a line of its own, even if a server has put line breaks into it.
struct Writer;

impl io::Write for Writer {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = printable(String::from_utf8_lossy(event).trim_end_matches('\n'));
        let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether this is an event of the AWS SDK that shows a whole request, answer or error, with the tokens in it. Some of
/// these events are warnings.
fn shows_secrets(metadata: &Metadata<'_>) -> bool {
    let whole =
        ["request", "response", "error", "err", "output_or_error", "runtime_components", "endpoint_prefix"];
    metadata.is_event()
        && metadata.target().starts_with("aws_")
        && (metadata.target() == "aws_config::sso::token"
            // This target warns of lines in profile files, and shows them.
            || metadata.target().starts_with("aws_runtime::env_config")
            || whole.into_iter().any(|field| metadata.fields().field(field).is_some()))
}
