// SPDX-License-Identifier: Apache-2.0

//! Formats an error in lines of plain words, so that nothing from outside can disturb a terminal.

use std::fmt::Write;

use aws_smithy_types::error::metadata::ErrorMetadata;

use super::certificate;
use super::transport::text::{printable, shown};

type Cause = dyn std::error::Error + 'static;

/// Formats `error` and its causes, then the details, then the hints, each on a line of its own.
pub fn report(error: &Cause, details: &[(String, String)], hints: &[String]) -> String {
    let mut text = String::new();
    let mut line = |label: &str, message: &str| {
        let _ = writeln!(text, "{label}: {}", message.trim_end());
    };
    let mut previous = error.to_string();
    line("error", &shown(&previous));
    for cause in causes(error) {
        let cause = message(cause);
        // Some libraries repeat their cause in their own message.
        if !previous.ends_with(&cause) {
            line("  cause", &shown(&cause));
        }
        previous = cause;
    }
    details.iter().for_each(|(label, words)| line(&format!("  {label}"), &shown(words)));
    // Hints are not cut off, since a policy is long. What they quote of a server is cut, and freed of secrets, before.
    hints.iter().for_each(|hint| line("hint", &printable(hint)));
    text
}

/// The causes of `error`, the outermost first.
pub fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(error.source(), |cause| cause.source())
}

/// The error's own message. The AWS SDK puts whole requests, with the tokens in them, into some of its messages: they are
/// cut off before the request.
pub fn message(error: &Cause) -> String {
    if let Some(error) = error.downcast_ref() {
        return certificate::message(error);
    }
    match error.downcast_ref::<ErrorMetadata>() {
        Some(said) => [said.code(), said.message()].into_iter().flatten().collect::<Vec<_>>().join(": "),
        None => {
            let words = error.to_string();
            let dump = ["Request {", "Response {", "StartEl {"]
                .into_iter()
                .filter_map(|start| words.find(start))
                .min();
            words[..dump.unwrap_or(words.len())].replace("StatusCode(", "(")
        }
    }
}

/// How far the local clock is off, in words. If `seconds` is positive, it is behind the server's.
pub fn clock(seconds: i64) -> String {
    let direction = if seconds > 0 { "behind" } else { "ahead of" };
    let distance = match seconds.unsigned_abs() / 60 {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes @ ..2880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    };
    format!("the local clock is {distance} {direction} the server's")
}
