// SPDX-License-Identifier: Apache-2.0

//! Text from outside, made safe to show.

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
