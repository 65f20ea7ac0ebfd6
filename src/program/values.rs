//! The values of the flags: each function turns a flag's text into its value, or says what is wrong with the text.

use std::convert::Infallible;
use std::time::Duration;

/// Text that no log and no message may show.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(redacted)")
    }
}

/// A region must be a DNS label (RFC 1035 section 2.3.1), since it is a part of the name of every AWS endpoint.
pub fn region(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text {
        "" => Err("it is empty"),
        _ if text.len() > 63
            || !text.chars().all(allowed)
            || text.starts_with('-')
            || text.ends_with('-') =>
        {
            Err("not the name of a region, such as us-east-1")
        }
        _ => Ok(text.to_owned()),
    }
}

/// Names of regions, separated by commas, with `*` for any characters.
pub fn region_set(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-*,".contains(c);
    match text.chars().all(allowed) && text.split(',').all(|region| !region.is_empty()) {
        true => Ok(text.to_owned()),
        false => Err("not a list of regions, such as us-east-1,eu-west-1 or *"),
    }
}

/// The limit is IoT Core's. MQTT 5 section 1.5.4 forbids U+0000 and advises against other control characters.
pub fn client_id(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("it is empty"),
        _ if text.len() > 128 => Err("it is longer than 128 bytes"),
        _ if text.contains(char::is_control) => Err("it contains a control character"),
        _ => Ok(text.to_owned()),
    }
}

/// Any text. Secrets are checked later, since clap shows a value that it rejects.
pub fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret(text.to_owned()))
}

/// A whole number of seconds, a day at most.
pub fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("not a whole number of seconds from 1 to 86400"),
    }
}
