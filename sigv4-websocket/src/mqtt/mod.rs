//! What this crate has to know of MQTT 5: the server's first packet, reason codes, and which packets wait for an
//! answer.

pub(crate) mod first_packet;
pub(crate) mod outgoing;
pub(crate) mod reason_code;

#[cfg(test)]
mod tests;
