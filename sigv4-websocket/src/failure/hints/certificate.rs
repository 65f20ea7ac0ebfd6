//! A server's certificate that was not accepted: what is wrong with it, in words, and what to do.

use std::time::{Duration, UNIX_EPOCH};

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::{DESCRIBE_ENDPOINT, Facts};
use crate::text::{date, shown};

/// The most names of a certificate that a hint lists.
const MAX_NAMES: usize = 5;

/// The hint for a certificate that does not chain to the CA file.
pub(super) const NOT_IN_CA_FILE: &str =
    "the issuer of the server's certificate is not in the CA file, and nothing else is trusted";

/// The error in plain words.
pub(in crate::failure) fn message(error: &rustls::Error) -> String {
    let flaw = match error {
        rustls::Error::InvalidMessage(_) => {
            return "the server does not speak TLS: it sent something else, such as HTTP, SSH or plain MQTT"
                .to_owned();
        }
        rustls::Error::InvalidCertificate(flaw) => flaw,
        _ => return error.to_string(),
    };
    match flaw {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for other names".to_owned()
        }
        _ if is_authority(flaw) => {
            "the server's certificate is that of an authority, not of a server".to_owned()
        }
        CertificateError::Other(reason) => format!("the server's certificate is not accepted: {reason}"),
        _ => {
            // rustls shows some flaws with their fields, as they are written in its code.
            let flaw = flaw.to_string();
            format!("the server's certificate is not accepted: {}", flaw.split(" {").next().unwrap_or(&flaw))
        }
    }
}

/// Whether the issuer is unknown, or only has the name of one that is trusted. macOS says then that the certificate is
/// not trusted.
pub(super) fn is_untrusted(flaw: &CertificateError) -> bool {
    match flaw {
        CertificateError::Other(reason) => reason.to_string().contains("not trusted"),
        _ => matches!(flaw, CertificateError::UnknownIssuer | CertificateError::BadSignature),
    }
}

fn is_authority(flaw: &CertificateError) -> bool {
    matches!(flaw, CertificateError::Other(reason) if reason.to_string().contains("CaUsedAsEndEntity"))
}

pub(super) fn hints(flaw: &CertificateError, facts: &Facts<'_>) -> Vec<String> {
    let date = |time: UnixTime| date(UNIX_EPOCH + Duration::from_secs(time.as_secs()));
    vec![match flaw {
        _ if is_untrusted(flaw) => {
            let old = facts.endpoint.is_without_ats().then(|| {
                format!("trust stores no longer accept endpoints without -ats: use the one that `{DESCRIBE_ENDPOINT}` prints")
            });
            let roots = match facts.trusts_system {
                true => "a proxy may be inspecting TLS here: put the root certificate of the proxy into the CA file",
                false => NOT_IN_CA_FILE,
            };
            return old.into_iter().chain([roots.to_owned()]).collect();
        }
        CertificateError::ExpiredContext { time, not_after } => {
            format!("the certificate is valid until {}; the local clock says {}", date(*not_after), date(*time))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("the certificate is valid from {}; the local clock says {}", date(*not_before), date(*time))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            // rustls writes each as in DnsName("example.com").
            let names =
                presented.iter().filter_map(|name| name.split(['"', '(', ')']).rfind(|n| !n.is_empty()));
            let names: Vec<_> = names.take(MAX_NAMES).map(shown).collect();
            let more = match presented.len().saturating_sub(MAX_NAMES) {
                0 if names.is_empty() => "no name at all".to_owned(),
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("the certificate is for {}{more}, not for {}", names.join(", "), expected.to_str())
        }
        // macOS and Windows give no details.
        CertificateError::Expired | CertificateError::NotValidYet => {
            format!("is the local clock right? It says {}", date(UnixTime::now()))
        }
        CertificateError::NotValidForName => {
            format!("is {} one of the names in the certificate?", facts.endpoint.host())
        }
        _ if is_authority(flaw) => {
            "`openssl req -x509` makes such a certificate: add `-addext basicConstraints=critical,CA:FALSE`, or have an \
             authority of your own issue a server certificate"
                .to_owned()
        }
        _ => return Vec::new(),
    }]
}
