// SPDX-License-Identifier: Apache-2.0

//! What to do about a proxy that does not connect.

use super::transport::endpoint::Endpoint;
use super::transport::proxy::ProxyError;

/// The hint for `error`, if there is one.
pub fn hint(error: &ProxyError) -> Option<String> {
    let (proxy, status, destination, authorized) = match error {
        ProxyError::Setting(_) => return None,
        ProxyError::Unreachable { proxy, .. }
        | ProxyError::NoAnswer { proxy, .. }
        | ProxyError::ExtraBytes(proxy) => return Some(doubt(proxy)),
        ProxyError::Refused { proxy, status, destination, authorized } => {
            (proxy, status.as_u16(), destination, authorized)
        }
    };
    Some(match status {
        401 | 407 if *authorized => {
            "the proxy does not accept the user and the password that were sent".to_owned()
        }
        401 | 407 => {
            "the proxy wants a user and a password: put them into its URL, http://user:password@host:port"
                .to_owned()
        }
        403 => format!("the proxy's own rules forbid {destination}: ask for a change of the rules"),
        502..=504 => format!("the proxy cannot reach {destination}: can the proxy resolve this name?"),
        _ => doubt(proxy),
    })
}

fn doubt(proxy: &Endpoint) -> String {
    format!("is {proxy} the right proxy? HTTPS_PROXY may set it, and NO_PROXY lists hosts that need none")
}
