// SPDX-License-Identifier: Apache-2.0

//! Text and dates from outside, made safe to show.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most characters of a text that are shown.
const MAX_SHOWN: usize = 300;

/// This many letters and digits in a row are enough to recognise a secret. No usual encoding changes them.
const MARK: usize = 8;

/// How many secrets are remembered: those of the last few attempts.
const MAX_SECRETS: usize = 16;

static SECRETS: Mutex<VecDeque<Secret>> = Mutex::new(VecDeque::new());

struct Secret {
    /// In lower case.
    text: String,
    /// Parts of the text: each in lower case, and each in hexadecimal digits, since tungstenite logs frames so.
    marks: HashSet<Vec<u8>>,
}

/// Makes sure that [`shown`] and [`without_secrets`] leave out `secret`, even if a server repeats it. The process
/// remembers the last 16 secrets. Less than 8 bytes without a blank, a quote or an angle bracket are not recognised.
pub fn conceal(secret: &str) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    for word in secret.split(ends_word).filter(|word| word.len() >= MARK) {
        let text = word.to_ascii_lowercase();
        let known = secrets.iter().position(|known| known.text == text).and_then(|at| secrets.remove(at));
        secrets.push_back(known.unwrap_or_else(|| Secret { marks: marks(word), text }));
        if secrets.len() > MAX_SECRETS {
            secrets.pop_front();
        }
    }
}

fn marks(secret: &str) -> HashSet<Vec<u8>> {
    let runs = secret.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
    let digits = |part: &[u8]| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    let parts = runs.flat_map(|run| run.chunks_exact(MARK));
    parts.flat_map(|part| [part.to_ascii_lowercase(), digits(part)]).collect()
}

impl Secret {
    /// Whether a word in lower case holds a part of it.
    fn is_in(&self, word: &str) -> bool {
        let holds = |length| word.as_bytes().windows(length).any(|part| self.marks.contains(part));
        holds(MARK) || holds(2 * MARK) || self.marks.is_empty() && word.contains(&self.text)
    }
}

/// The same text without characters that move the cursor, end the line, or hide or turn around the text next to them
/// (Unicode Standard Annexes 9 and 44, "Bidi_Control" and "Default_Ignorable_Code_Point").
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            )
            || matches!(c, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}')
            || matches!(c, '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}')
            || matches!(c, '\u{E0000}'..='\u{E0FFF}')
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

/// The same text without the secrets that were passed to [`conceal`], without signatures, without user, password and
/// query of each URL, and without everything from the first `X-Amz-` on, which begins a presigned query, even an encoded
/// one.
pub fn without_secrets(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let beginnings = ["x-amz-", "x%2damz", "x%252damz", "x\\u002damz"];
    let presigned = beginnings.into_iter().filter_map(|beginning| lower.find(beginning)).min();
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let rest = &text[..presigned.unwrap_or(text.len())];
    let words = rest.split_inclusive(ends_word).map(|word| {
        let (word, end) = word.split_at(word.trim_end_matches(ends_word).len());
        let small = word.to_ascii_lowercase();
        if secrets.iter().any(|secret| secret.is_in(&small)) {
            format!("…{end}")
        } else {
            bare_url(&without_signatures(word)) + end
        }
    });
    words.chain(presigned.map(|_| "…".to_owned())).collect()
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"<>".contains(c)
}

/// Leaves out what is as long as a signature of SigV4, also behind `%3D` or `\u003d`, or one of SigV4a, which has a DER
/// encoding.
fn without_signatures(word: &str) -> String {
    let ends = |c: char| !c.is_ascii_hexdigit();
    let runs = word.split_inclusive(ends).map(|run| {
        let (digits, end) = run.split_at(run.trim_end_matches(ends).len());
        let is_signature = matches!(digits.len(), 64 | 66 | 68 | 136..=148);
        [if is_signature { "…" } else { digits }, end].concat()
    });
    runs.collect()
}

/// A word that is or holds a URL, without its user, password and query. A path is left as it is, unless it has
/// parameters.
fn bare_url(word: &str) -> String {
    let at = word.find("://").map(|at| at + 3).or(word.starts_with("//").then_some(2));
    let (scheme, rest) = word.split_at(at.unwrap_or(0));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = if at.is_some() { authority.rsplit('@').next().unwrap_or(authority) } else { authority };
    let bare = [scheme, host, path].concat();
    match bare.split_once('?') {
        Some((path, query)) if at.is_some() || query.contains('=') => format!("{path}?…"),
        _ => bare,
    }
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
