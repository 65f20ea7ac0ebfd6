// SPDX-License-Identifier: Apache-2.0

//! Text and dates from outside, made safe to show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// As much of a text as is shown. Characters.
const MAX_SHOWN: usize = 300;

/// The same text without anything that moves the cursor, ends the line, or hides or turns around what stands beside
/// it (Unicode Standard Annex 9, "Unicode Bidirectional Algorithm").
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

/// What a person gets to see of a text from outside: printable, short, and without what may be secret in a URL.
pub fn shown(text: &str) -> String {
    let text = without_secrets(&printable(text));
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The same text without the user, the password and the query of each URL, and without a presigned query, even if that
/// stands encoded within another URL.
pub fn without_secrets(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let signed = ["x-amz-", "x%2damz", "x%252damz", "x\\u002damz"]
        .into_iter()
        .filter_map(|mark| lower.find(mark))
        .min();
    let mut rest = &text[..signed.unwrap_or(text.len())];
    let mut kept = String::new();
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        let end = after.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)).unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        let url = url.rsplit('@').next().unwrap_or(url);
        let (path, query) = url.split_once('?').map_or((url, ""), |(path, _)| (path, "?…"));
        kept.extend([scheme, path, query]);
        rest = behind;
    }
    kept + rest + if signed.is_some() { "…" } else { "" }
}

/// A date as HTTP has it (RFC 9110 section 5.6.7), which ends with the year 9999.
pub fn date(time: SystemTime) -> String {
    const END: Duration = Duration::from_secs(253_402_300_799);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) if since < END => httpdate::fmt_http_date(time),
        Ok(_) => "a date beyond the year 9999".to_owned(),
        Err(_) => "a date before 1970".to_owned(),
    }
}
