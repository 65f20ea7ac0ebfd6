//! What a connector reports while it works, so that an application can show it or measure it.

use std::fmt;
use std::time::SystemTime;

use crate::text::printable;

/// What messages call a provider that the application gave.
pub(crate) const GIVEN: &str = "given provider";

/// One thing that happened during an attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A phase begins, and the previous one ends.
    Phase(Phase),
    /// Credentials were loaded. This is reported at any time before [`Phase::Presign`]. They are used even if they have
    /// expired by the local clock, which may be wrong.
    Credentials {
        /// The source in the chain, such as `profile default`. `None` for the provider that the application gave.
        source: Option<&'a str>,
        /// The first and the last four characters of the access key ID, which are enough to recognise it.
        access_key_id: &'a str,
        /// When they expire, if that is known.
        expiry: Option<SystemTime>,
    },
    /// By how many seconds the local clock is behind the server's; a negative number if it is ahead. From now on
    /// requests are signed with the server's time.
    Clock(i64),
}

/// What a connection attempt is busy with. An attempt begins with `Resolve` or with `Proxy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Name resolution.
    Resolve,
    /// TCP to an HTTP proxy, which then resolves the name and connects.
    Proxy,
    /// The TCP handshake.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// Waiting for credentials. They are fetched during the phases above, so this is only the time from the end of TLS
    /// until they arrive. If they cannot be fetched, that ends the attempt at once, with this phase.
    Credentials,
    /// The signature.
    Presign,
    /// The upgrade request and its answer.
    WebSocket,
    /// CONNECT and CONNACK, which the MQTT client exchanges over the finished stream, and everything after that.
    Mqtt,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "name resolution",
            Self::Proxy => "proxy",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Credentials => "credentials",
            Self::Presign => "signature",
            Self::WebSocket => "WebSocket",
            Self::Mqtt => "MQTT",
        })
    }
}

/// One line without secrets, as a log or a terminal shows it.
impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => write!(f, "phase: {phase}"),
            Self::Credentials { source, access_key_id, .. } => {
                let source = source.unwrap_or(GIVEN);
                write!(f, "credentials: {} from the {source}", access_key_id)
            }
            Self::Clock(seconds) => write!(f, "{}; signing with the server's time instead", clock(*seconds)),
        }
    }
}

/// How far the local clock is off, in words. If `seconds` is positive, it is behind the server's.
pub(crate) fn clock(seconds: i64) -> String {
    let direction = if seconds > 0 { "behind" } else { "ahead of" };
    let distance = match seconds.unsigned_abs() / 60 {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes @ ..2880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    };
    format!("the local clock is {distance} {direction} the server's")
}

/// Enough of an access key to recognise it. It comes from a credential service, so it is made safe to show.
pub(crate) fn shorten(access_key: &str) -> String {
    let characters: Vec<char> = printable(access_key).chars().collect();
    match characters.len() {
        ..12 => "…".to_owned(),
        length => [&characters[..4], &['…'], &characters[length - 4..]].concat().into_iter().collect(),
    }
}
