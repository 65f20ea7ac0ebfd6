// SPDX-License-Identifier: Apache-2.0

//! What to do if the time was up before a phase ended.

use super::transport::progress::Phase;

/// The hint for the phase that took too long.
pub fn hint(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "the resolver does not answer: is this machine online?",
        Phase::Proxy => "the proxy does not answer, or cannot reach the endpoint: is it the right proxy?",
        Phase::Tcp => "nothing answers at this address: look for a firewall that drops packets to this port",
        Phase::Tls => {
            "something listens at this address, but does not answer in TLS: look for a firewall or a proxy in between"
        }
        Phase::Credentials => "the source of credentials is slow, or does not answer: allow more time",
        Phase::Presign | Phase::WebSocket | Phase::Mqtt => {
            "the server, or a proxy in between, does not answer: allow more time, or try later"
        }
    }
}
