// SPDX-License-Identifier: Apache-2.0

//! What a connector tells while it works, so that a program can show it or measure it.

use std::fmt;

use super::source::Found;

/// One thing that happened during an attempt.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A phase begins, which ends the one before.
    Phase(Phase),
    /// Credentials were loaded. They come at any time before [`Phase::Presign`].
    Credentials(&'a Found),
    /// The credentials that were loaded have expired, if the local clock is right. They are used all the same.
    Expired(&'a Found),
    /// A setting of other AWS tools is passed over.
    PassedOver(&'a str),
    /// The local clock is so many seconds behind the server's, or ahead of it where the number is negative. From
    /// now on requests are signed with the server's time.
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
    /// Waiting for credentials. They are fetched beside the phases above, so this is only the time by which
    /// they come later than TLS.
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
