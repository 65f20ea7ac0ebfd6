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
    text: String,
    /// Parts of the text, in lower case and in hexadecimal digits, in which tungstenite logs frames.
    marks: HashSet<Vec<u8>>,
}

/// Makes sure that no text which a person gets to see holds `secret`, even if a server repeats it. The process remembers
/// the last 16 secrets. A secret of less than 8 bytes is not recognised.
pub fn conceal(secret: &str) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = secrets.iter().position(|known| known.text == secret).and_then(|at| secrets.remove(at));
    if secret.len() >= MARK {
        secrets.push_back(known.unwrap_or_else(|| Secret::new(secret)));
        if secrets.len() > MAX_SECRETS {
            secrets.pop_front();
        }
    }
}

impl Secret {
    fn new(text: &str) -> Self {
        let runs = text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
        let parts = runs.flat_map(|run| run.chunks_exact(MARK));
        let digits = |part: &[u8]| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let marks = parts.flat_map(|part| [part.to_ascii_lowercase(), digits(part).into_bytes()]).collect();
        Self { text: text.to_owned(), marks }
    }

    /// Whether a word in lower case holds a part of it.
    fn is_in(&self, word: &str) -> bool {
        let holds = |length| word.as_bytes().windows(length).any(|part| self.marks.contains(part));
        holds(MARK)
            || holds(2 * MARK)
            || self.marks.is_empty() && word.contains(&self.text.to_ascii_lowercase())
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
    let marks = ["x-amz-", "x%2damz", "x%252damz", "x\\u002damz"];
    let presigned = marks.into_iter().filter_map(|mark| lower.find(mark)).min();
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let rest = &text[..presigned.unwrap_or(text.len())];
    let words = rest.split_inclusive(ends_word).map(|word| {
        let (word, end) = word.split_at(word.trim_end_matches(ends_word).len());
        let lower = word.to_ascii_lowercase();
        match lower.split(|c: char| !c.is_ascii_hexdigit()).any(is_signature)
            || secrets.iter().any(|secret| secret.is_in(&lower))
        {
            true => format!("…{end}"),
            false => bare_url(word) + end,
        }
    });
    words.chain(presigned.map(|_| "…".to_owned())).collect()
}

/// Whether this is as long as a signature of SigV4, or of SigV4a, which has a DER encoding.
fn is_signature(digits: &str) -> bool {
    matches!(digits.len(), 64 | 136..=144)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"<>".contains(c)
}

/// A word that is or holds a URL, without its user, password and query.
fn bare_url(word: &str) -> String {
    let (path, query) = match word.split_once('?') {
        Some((path, query)) if query.contains('=') => (path, "?…"),
        _ => (word, ""),
    };
    let (scheme, rest) = path.split_at(path.find("//").map_or(0, |at| at + 2));
    let host = if scheme.is_empty() { rest } else { rest.rsplit('@').next().unwrap_or(rest) };
    [scheme, host, query].concat()
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
