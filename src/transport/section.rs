// SPDX-License-Identifier: Apache-2.0

//! The sections of a profile file as other tools read them, to say what is wrong where the AWS SDK sees nothing.

use std::error::Error;

use aws_config::profile::ProfileFileLoadError;
use aws_runtime::env_config::file::EnvConfigFileKind as Kind;

/// The line and what is wrong with it, and what to do about the flaws that other tools take.
pub fn explain(error: &ProfileFileLoadError, text: &str) -> String {
    let flaw = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    // It begins with "error parsing", a path that the SDK does not know, and "on line".
    let flaw =
        flaw.trim_start_matches("error parsing").trim_start().trim_start_matches("on ").replace("\n ", "");
    let number = flaw.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse::<usize>().ok());
    let line = number.and_then(|number| text.lines().nth(number.checked_sub(1)?)).unwrap_or_default();
    if line.starts_with('\u{FEFF}') {
        format!("{flaw}: save it without a byte order mark")
    } else if line.starts_with(char::is_whitespace) {
        format!("{flaw}: remove the white space before it")
    } else if line.contains(':') && !line.contains('=') {
        format!("{flaw}: write = instead of :")
    } else {
        flaw
    }
}

/// The sections of a file, each with the number of its line.
pub fn sections(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let section = line.trim().strip_prefix('[')?.split(']').next()?;
        Some((index + 1, section))
    })
}

/// The profile that other tools take a section for, whichever file it is in, and with quotes or without.
pub fn meaning(section: &str) -> &str {
    let section = section.trim();
    let name = section.strip_prefix("profile").filter(|rest| rest.starts_with(char::is_whitespace));
    name.unwrap_or(section).trim().trim_matches(['"', '\''])
}

/// The section that the SDK sees as this profile, or why it sees none.
pub fn right_section(kind: Kind, name: &str, text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c);
    let prefixed = format!("profile {name}");
    match kind {
        _ if !name.chars().all(plain) => Err(
            "the AWS SDK for Rust takes only letters, digits and _ - / . % @ : + in a name, so choose another",
        ),
        Kind::Credentials => Ok(name.to_owned()),
        // Where both are there, the SDK sees only the former.
        _ if name != "default" || sections(text).any(|(_, section)| is_same(section, &prefixed)) => {
            Ok(prefixed)
        }
        _ => Ok(name.to_owned()),
    }
}

/// Whether two sections are the same, however many blanks they have.
pub fn is_same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
