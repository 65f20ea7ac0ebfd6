// SPDX-License-Identifier: Apache-2.0

//! The sections of a profile file as other tools read them, to say what is wrong if the AWS SDK ignores one.

use std::collections::HashMap;
use std::error::Error;

use aws_config::profile::ProfileFileLoadError;
use aws_runtime::env_config::file::EnvConfigFileKind as Kind;

/// The settings that set up credentials in a profile.
pub const CREDENTIAL_SETTINGS: [&str; 14] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "credential_process",
    "login_session",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
];

/// What the SDK's parser says is wrong with a file, and in which line.
pub fn explain(error: &ProfileFileLoadError) -> String {
    let flaw = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    // The SDK's message begins with "error parsing  on line", without a path, since it gets the text and not the file.
    flaw.trim_start_matches("error parsing").trim_start().trim_start_matches("on ").replace("\n ", "")
}

/// The first line that the SDK would ignore, cut or misread, and what to do about it.
pub fn flaw(text: &str) -> Option<String> {
    let mut begun = HashMap::new();
    let mut in_setting = false;
    text.split('\n').enumerate().find_map(|(index, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let words = line.trim();
        let reason = if line.contains('\r') {
            Some("it has a carriage return before its end".to_owned())
        } else if line.starts_with('\u{FEFF}') {
            Some("save the file without a byte order mark".to_owned())
        } else if words.is_empty() || line.starts_with(['#', ';']) {
            None
        } else if let Some(section) = line.strip_prefix('[') {
            in_setting = false;
            section_flaw(section.split(']').next().unwrap_or(section), index + 1, &mut begun)
        } else if line.starts_with([' ', '\t']) {
            let name = words.split('=').next().unwrap_or(words).trim().to_ascii_lowercase();
            let lost = !in_setting || words.starts_with('[') || CREDENTIAL_SETTINGS.contains(&name.as_str());
            lost.then(|| "remove the white space at its beginning".to_owned())
        } else {
            in_setting = true;
            unseen_setting(line).map(str::to_owned)
        };
        Some(format!("line {}: {}", index + 1, reason?))
    })
}

/// What is wrong with the name of a section: capital letters, or that it came before. `begun` holds the earlier sections
/// with their lines.
fn section_flaw(section: &str, number: usize, begun: &mut HashMap<String, usize>) -> Option<String> {
    let name = section.split_whitespace().collect::<Vec<_>>().join(" ");
    let first = name.split(' ').next().unwrap_or_default();
    let known = ["default", "profile", "sso-session", "services"];
    if known.iter().any(|known| first.eq_ignore_ascii_case(known) && first != *known) {
        return Some(format!("write {first} in lower case"));
    }
    let name = if name == "profile default" { "default".to_owned() } else { name };
    let earlier = begun.insert(name, number)?;
    Some(format!("[{section}] begins the same section as line {earlier}: join them"))
}

/// Why the SDK does not see a setting, or not all of it.
fn unseen_setting(line: &str) -> Option<&'static str> {
    let Some((name, value)) = line.split_once('=') else {
        return line.contains(':').then_some("write = instead of :");
    };
    let name = name.trim_matches([' ', '\t']);
    if name.contains(':') {
        Some("write = instead of :")
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.%@+".contains(c)) {
        Some("the name of the setting contains a blank or a character that is not allowed")
    } else if name.eq_ignore_ascii_case("credential_process")
        && [" #", " ;", "\t#", "\t;"].into_iter().any(|comment| value.contains(comment))
    {
        Some(
            "the AWS SDK reads # or ; as the beginning of a comment, and would run only a part of the command",
        )
    } else {
        None
    }
}

/// The sections of a file, each with the number of its line.
pub fn sections(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let section = line.trim().strip_prefix('[')?.split(']').next()?;
        Some((index + 1, section))
    })
}

/// The name of the profile that other tools read from a section, in either file, with or without quotes.
pub fn profile_name(section: &str) -> &str {
    let section = section.trim();
    let name = section.strip_prefix("profile").filter(|rest| rest.starts_with(char::is_whitespace));
    name.unwrap_or(section).trim().trim_matches(['"', '\''])
}

/// The section that the SDK reads as this profile, or why no section would do.
pub fn expected_section(kind: Kind, name: &str, text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c);
    let prefixed = format!("profile {name}");
    match kind {
        _ if !name.chars().all(plain) => Err(
            "the AWS SDK for Rust allows only letters, digits and _ - / . % @ : + in a name: choose another name",
        ),
        Kind::Config
            if name != "default" || sections(text).any(|(_, section)| is_same(section, &prefixed)) =>
        {
            Ok(prefixed)
        }
        _ => Ok(name.to_owned()),
    }
}

/// Whether two sections are the same but for the number of blanks.
pub fn is_same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
