// SPDX-License-Identifier: Apache-2.0

//! What to do about a proxy that does not connect.

use super::transport::endpoint::Endpoint;
use super::transport::proxy::ProxyError;

/// The hint for `error`, if there is one. `setting` is the name of the setting for the proxy.
pub fn hint(error: &ProxyError, setting: &str) -> Option<String> {
    let (proxy, status, destination, authorized) = match error {
        ProxyError::Setting(_) => return None,
        ProxyError::Unreachable { proxy, .. }
        | ProxyError::NoAnswer { proxy, .. }
        | ProxyError::ExtraBytes(proxy) => return Some(doubt(proxy, setting)),
        ProxyError::Refused { proxy, status, destination, authorized } => {
            (proxy, status.as_u16(), destination, authorized)
        }
    };
    Some(match status {
        401 | 407 if *authorized => {
            "the proxy does not accept the user and the password that were sent".to_owned()
        }
        401 | 407 => format!(
            "the proxy wants a user and a password: give them with {setting} or HTTPS_PROXY, as in \
             http://user:password@host:port"
        ),
        403 => format!("the proxy's own rules forbid {destination}: ask for a change of the rules"),
        502..=504 => format!("the proxy cannot reach {destination}: can the proxy resolve this name?"),
        _ => doubt(proxy, setting),
    })
}

fn doubt(proxy: &Endpoint, setting: &str) -> String {
    format!(
        "is {proxy} the right proxy? {setting} or HTTPS_PROXY sets the proxy, NO_PROXY lists hosts that need none"
    )
}
