// SPDX-License-Identifier: Apache-2.0

//! Text and dates from outside, made safe to show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// A date as HTTP has it (RFC 9110 section 5.6.7), which ends with the year 9999.
pub fn date(time: SystemTime) -> String {
    const END: Duration = Duration::from_secs(253_402_300_799);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) if since < END => httpdate::fmt_http_date(time),
        Ok(_) => "a date beyond the year 9999".to_owned(),
        Err(_) => "a date before 1970".to_owned(),
    }
}
