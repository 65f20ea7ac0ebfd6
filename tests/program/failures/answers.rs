//! What a server may answer to the upgrade request, other than a proper 101.

use std::time::{Duration, SystemTime};

use crate::gateway::http::Refusal;

pub const UNKNOWN_TOKEN: &str = "The security token included in the request is invalid.";

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

/// A page as a proxy or a web server sends it.
pub fn page(status: &str) -> Vec<u8> {
    answer(status, &["server: nginx", "content-type: text/html"], "<html><h1>Hello</h1></html>")
}

/// A 403 in the form of IoT Core, from a server whose clock is this many minutes ahead.
pub fn forbidden(message: &str, minutes_ahead: i64) -> Vec<u8> {
    let distance = Duration::from_secs(minutes_ahead.unsigned_abs() * 60);
    let now = SystemTime::now();
    let date = if minutes_ahead < 0 { now - distance } else { now + distance };
    Refusal::forbidden(message).response(date.into()).into_bytes()
}

/// 101 with these headers, which cannot include the right `sec-websocket-accept`.
pub fn switching(headers: &[&str]) -> Vec<u8> {
    endless("101 Switching Protocols", headers, "")
}
