// SPDX-License-Identifier: Apache-2.0

//! Text and dates from outside, made safe to show.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most characters of a text that are shown.
const MAX_SHOWN: usize = 300;

/// So many letters and digits in a row are enough to recognise a secret. No usual encoding changes them.
const MARK: usize = 8;

/// How many secrets are remembered: those of the last few attempts.
const MAX_SECRETS: usize = 16;

static SECRETS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Makes sure that no text which a person gets to see holds `secret`, even if a server repeats it. The process remembers
/// the last 16 secrets.
pub fn conceal(secret: &str) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.retain(|known| known != secret);
    secrets.push_back(secret.to_owned());
    if secrets.len() > MAX_SECRETS {
        secrets.pop_front();
    }
}

/// The same text without characters that move the cursor, end the line, or hide or turn around the text next to them
/// (Unicode Standard Annex 9, "Unicode Bidirectional Algorithm").
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

/// Makes a text from outside fit to be shown to a person: printable, short, and [without secrets](without_secrets).
pub fn shown(text: &str) -> String {
    let text = without_secrets(&printable(text));
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The same text without the secrets that were passed to [`conceal`], without user, password and query of each URL, and
/// without everything from the first `X-Amz-` on, which begins a presigned query, even an encoded one.
pub fn without_secrets(text: &str) -> String {
    without_queries(&without_concealed(text))
}

/// Leaves out every word that holds a part of a secret.
fn without_concealed(text: &str) -> String {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let parts = secrets.iter().flat_map(|secret| secret.split(|c: char| !c.is_ascii_alphanumeric()));
    let marks = parts.flat_map(|part| (MARK..=part.len()).step_by(MARK).map(|end| &part[end - MARK..end]));
    // tungstenite logs frames in hexadecimal digits.
    let hexadecimal = |mark: &str| mark.bytes().map(|byte| format!("{byte:02x}")).collect();
    let marks: Vec<String> = marks.flat_map(|mark| [mark.to_owned(), hexadecimal(mark)]).collect();
    let words =
        text.split_inclusive(ends_word).map(|word| match marks.iter().any(|mark| word.contains(mark)) {
            true => format!("…{}", word.rsplit(|c| !ends_word(c)).next().unwrap_or_default()),
            false => word.to_owned(),
        });
    words.collect()
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'<>`".contains(c)
}

fn without_queries(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let signed = ["x-amz-", "x%2damz", "x%252damz", "x\\u002damz"]
        .into_iter()
        .filter_map(|mark| lower.find(mark))
        .min();
    let mut rest = &text[..signed.unwrap_or(text.len())];
    let mut kept = String::new();
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        let end = after.find(ends_word).unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        let url = url.rsplit('@').next().unwrap_or(url);
        let (path, query) = url.split_once('?').map_or((url, ""), |(path, _)| (path, "?…"));
        kept.extend([scheme, path, query]);
        rest = behind;
    }
    kept + rest + if signed.is_some() { "…" } else { "" }
}

/// A date in HTTP's format (RFC 9110 section 5.6.7), which has no years after 9999.
pub fn date(time: SystemTime) -> String {
    const END: Duration = Duration::from_secs(253_402_300_799);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) if since < END => httpdate::fmt_http_date(time),
        Ok(_) => "a date beyond the year 9999".to_owned(),
        Err(_) => "a date before 1970".to_owned(),
    }
}
