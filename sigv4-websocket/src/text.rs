//! Text and dates from outside, made safe to show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most characters of a text that are shown.
const MAX_SHOWN: usize = 300;

/// How the parameters of a presigned query begin: as they are, percent-encoded once or twice, and in JSON.
const PRESIGNED: [&str; 4] = ["x-amz-", "x%2damz", "x%252damz", "x\\u002damz"];

/// Makes a text from outside fit for one line of a log or a terminal: without characters that move the cursor, end the
/// line, or hide or turn around the text next to them (Unicode Standard Annex 9, "Bidirectional Character Types"), and
/// without everything from the first `X-Amz-` on, since the query of a presigned URL holds the signature and the
/// session token.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    let text: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect();
    let lower = text.to_ascii_lowercase();
    match PRESIGNED.into_iter().filter_map(|beginning| lower.find(beginning)).min() {
        Some(start) => format!("{}…", &text[..start]),
        None => text,
    }
}

/// The same, at most 300 characters.
pub(crate) fn shown(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A date in HTTP's format (RFC 9110 section 5.6.7), which has no years after 9999.
pub(crate) fn date(time: SystemTime) -> String {
    const END: Duration = Duration::from_secs(253_402_300_799);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) if since < END => httpdate::fmt_http_date(time),
        _ => "a date before 1970 or after 9999".to_owned(),
    }
}
