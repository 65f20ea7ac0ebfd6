// SPDX-License-Identifier: Apache-2.0

//! What a connector reports while it works, so that a program can show it or measure it.

use std::fmt;

use super::credentials::SourcedCredentials;

/// One thing that happened during an attempt.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A phase begins, and the previous one ends.
    Phase(Phase),
    /// Credentials were loaded. This is reported at any time before [`Phase::Presign`]. They are used even if they have
    /// expired by the local clock, which may be wrong.
    Credentials(&'a SourcedCredentials),
    /// By how many seconds the local clock is behind the server's; a negative number if it is ahead. From now on requests
    /// are signed with the server's time.
    Clock(i64),
}

/// What a connection attempt is busy with. An attempt begins with `Resolve` or with `Proxy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// until they arrive.
    Credentials,
    /// The signature.
    Presign,
    /// The upgrade request and its answer.
    WebSocket,
    /// CONNECT and CONNACK, which the MQTT client exchanges over the finished stream.
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
