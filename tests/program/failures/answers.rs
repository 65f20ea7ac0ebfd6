//! What a server may answer to the upgrade request, other than a proper 101.

use std::time::{Duration, SystemTime};

use crate::gateway::http::Refusal;

/// An answer with a body and its true length.
pub fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let length = format!("content-length: {}", body.len());
    endless(status, &[headers, &[&length]].concat(), body)
}

/// An answer without a length. Unless a header gives one, the body goes on until the connection ends.
pub fn endless(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}").into_bytes()
}

/// A 403 in the form of IoT Core, from a server whose clock is this many minutes ahead.
pub fn forbidden(message: &str, minutes_ahead: u64) -> Vec<u8> {
    let date = SystemTime::now() + Duration::from_secs(minutes_ahead * 60);
    Refusal::forbidden(message).response(date.into()).into_bytes()
}
