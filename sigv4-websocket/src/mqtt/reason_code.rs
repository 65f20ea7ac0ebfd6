//! MQTT 5 reason codes by name and number.

use std::fmt;

/// A reason code of a packet from the server (MQTT 5 section 2.4), shown as in `Not authorized (0x87)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReasonCode(pub(crate) u8);

impl From<u8> for ReasonCode {
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl ReasonCode {
    /// The number, as in the packet.
    pub fn value(self) -> u8 {
        self.0
    }

    /// Whether this is the code of an error (MQTT 5 section 2.4).
    pub fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether a later attempt may succeed: the server is busy, throttles or shuts down, or it ended a connection that
    /// was silent or too old, or that its administrator closed.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self.0, 0x88 | 0x89 | 0x8B | 0x8D | 0x96..=0x98 | 0x9F | 0xA0)
    }

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "Success",
            0x80 => "Unspecified error",
            0x81 => "Malformed packet",
            0x82 => "Protocol error",
            0x83 => "Implementation specific error",
            0x84 => "Unsupported protocol version",
            0x85 => "Client identifier not valid",
            0x86 => "Bad user name or password",
            0x87 => "Not authorized",
            0x88 => "Server unavailable",
            0x89 => "Server busy",
            0x8A => "Banned",
            0x8B => "Server shutting down",
            0x8C => "Bad authentication method",
            0x8D => "Keep alive timeout",
            0x8E => "Session taken over",
            0x8F => "Topic filter invalid",
            0x90 => "Topic name invalid",
            0x91 => "Packet identifier in use",
            0x93 => "Receive maximum exceeded",
            0x94 => "Topic alias invalid",
            0x95 => "Packet too large",
            0x96 => "Message rate too high",
            0x97 => "Quota exceeded",
            0x98 => "Administrative action",
            0x99 => "Payload format invalid",
            0x9A => "Retain not supported",
            0x9B => "QoS not supported",
            0x9C => "Use another server",
            0x9D => "Server moved",
            0x9E => "Shared subscriptions not supported",
            0x9F => "Connection rate exceeded",
            0xA0 => "Maximum connect time",
            0xA1 => "Subscription identifiers not supported",
            0xA2 => "Wildcard subscriptions not supported",
            _ => return None,
        })
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02X})", self.name().unwrap_or("unknown reason code"), self.0)
    }
}
