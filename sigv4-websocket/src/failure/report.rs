//! Formats a failure in lines of plain words, so that nothing from outside can disturb a terminal.

use std::error::Error;
use std::fmt::{self, Write};

use aws_credential_types::provider::error::CredentialsError;
#[cfg(feature = "chain")]
use aws_smithy_types::error::metadata::ErrorMetadata;

use super::Failure;
use super::hints::{Facts, certificate, hints};
use crate::text::{printable, shown};

/// A server may repeat the signed URL in what the fields hold.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("phase", &self.phase()).field("summary", &self.summary()).finish()
    }
}

type Cause = dyn Error + 'static;

/// The failure and its causes, then what the server said, then the hints, each on a line of its own.
pub(crate) fn report(failure: &Failure, facts: &Facts<'_>) -> String {
    let mut text = String::new();
    let mut line = |label: &str, message: &str| {
        let _ = writeln!(text, "{label}: {}", message.trim_end());
    };
    let mut previous = failure.to_string();
    line("error", &shown(&previous));
    for cause in telling_causes(failure) {
        let cause = message(cause);
        // Some libraries repeat their cause in their own message.
        if !previous.ends_with(&cause) {
            line("  cause", &shown(&cause));
        }
        previous = cause;
    }
    for (label, said) in failure.details() {
        line(&format!("  {label}"), &shown(&said));
    }
    // Hints are not cut off, since a policy is long. What they quote of a server is cut before.
    hints(failure.cause(), facts).iter().for_each(|hint| line("hint", &printable(hint)));
    text
}

/// What the failure says, without the words that hold a digit: times, addresses, and the IDs that IoT Core puts into
/// its reason strings.
pub(super) fn gist(failure: &Failure) -> String {
    let said =
        failure.details().into_iter().filter(|(label, _)| *label != "request id").map(|(_, said)| said);
    let messages = [failure.to_string()].into_iter().chain(causes(failure).map(message)).chain(said);
    let said = messages.collect::<Vec<_>>().join(" ");
    let words = said.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.filter(|word| !word.contains(|c: char| c.is_ascii_digit())).collect()
}

pub(super) fn summary(failure: &Failure) -> String {
    let cause = telling_causes(failure).last().map(|cause| format!(": {}", message(cause)));
    shown(&format!("{failure}{}", cause.unwrap_or_default()))
}

/// The error's own message. The AWS SDK puts whole requests, with the tokens in them, into some of its messages: they
/// are cut off before the request.
fn message(error: &Cause) -> String {
    if let Some(error) = error.downcast_ref() {
        return certificate::message(error);
    }
    #[cfg(feature = "chain")]
    if let Some(said) = error.downcast_ref::<ErrorMetadata>() {
        return [said.code(), said.message()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    }
    let text = error.to_string();
    let dump =
        ["Request {", "Response {", "StartEl {"].into_iter().filter_map(|start| text.find(start)).min();
    text[..dump.unwrap_or(text.len())].replace("StatusCode(", "(")
}

/// The causes without `CredentialsNotLoaded`, which says only that there is another cause, and not what it is.
fn telling_causes(failure: &Failure) -> impl Iterator<Item = &Cause> {
    let is_telling =
        |cause: &&Cause| !matches!(cause.downcast_ref(), Some(CredentialsError::CredentialsNotLoaded(_)));
    causes(failure).filter(is_telling)
}

/// The causes of `error`, the outermost first.
pub(crate) fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}
