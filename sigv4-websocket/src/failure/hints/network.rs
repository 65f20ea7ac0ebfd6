//! What to do if there is no connection to the endpoint or to a credential service.

use rustls::InvalidMessage;

use super::{DESCRIBE_ENDPOINT, Facts, certificate, not_iot_core};
use crate::credentials::SourceError;
use crate::network::NetworkError;
use crate::network::proxy::ProxyError;
use crate::network::tcp::TcpError;
use crate::network::tls::TlsError;

pub(super) fn hints(error: &NetworkError, facts: &Facts<'_>) -> Vec<String> {
    vec![match error {
        NetworkError::Tcp(TcpError::Resolve { host, .. }) => {
            format!("compare {host:?} with what `{DESCRIBE_ENDPOINT} --region {}` prints", facts.region)
        }
        NetworkError::Tcp(TcpError::Connect(_)) => {
            "is the port right (443 unless given), and does a firewall let this machine through?".to_owned()
        }
        NetworkError::Proxy(error) => return proxy(error).into_iter().collect(),
        NetworkError::Tls(TlsError::NoSystemRoots(_)) => {
            "install the package ca-certificates, or name a CA file".to_owned()
        }
        NetworkError::Tls(TlsError::Handshake(rustls::Error::InvalidCertificate(flaw))) => {
            return certificate::hints(flaw, facts);
        }
        NetworkError::Tls(
            TlsError::Io(_)
            | TlsError::Handshake(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)),
        ) => return not_iot_core(facts),
        NetworkError::Tls(_) => return Vec::new(),
    }]
}

/// The hint for a failure on the way to a credential service.
pub(super) fn on_the_way(error: &SourceError, facts: &Facts<'_>) -> Option<String> {
    match error.on_the_way()? {
        NetworkError::Proxy(error) => proxy(error),
        NetworkError::Tls(TlsError::Handshake(rustls::Error::InvalidCertificate(flaw)))
            if !facts.trusts_system && certificate::is_untrusted(flaw) =>
        {
            Some(certificate::NOT_IN_CA_FILE.to_owned())
        }
        _ => None,
    }
}

fn proxy(error: &ProxyError) -> Option<String> {
    let right = |proxy| {
        format!("is {proxy} the right proxy? If HTTPS_PROXY sets it, NO_PROXY lists hosts that need none")
    };
    Some(match error {
        ProxyError::Setting(_) => return None,
        ProxyError::Unreachable { proxy, .. }
        | ProxyError::NoAnswer { proxy, .. }
        | ProxyError::ExtraBytes(proxy) => right(proxy),
        ProxyError::Refused { proxy, status, destination, authorized } => match status.as_u16() {
            401 | 407 if *authorized => {
                "the proxy does not accept the user and the password that were sent".to_owned()
            }
            401 | 407 => {
                "the proxy wants a user and a password: put them into its URL, http://user:password@host:port"
                    .to_owned()
            }
            403 => format!("the proxy's own rules forbid {destination}: ask for a change of the rules"),
            502..=504 => format!("the proxy cannot reach {destination}: can the proxy resolve this name?"),
            _ => right(proxy),
        },
    })
}
