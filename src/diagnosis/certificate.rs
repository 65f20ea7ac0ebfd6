// SPDX-License-Identifier: Apache-2.0

//! What to do about a server's certificate that was not accepted.

use std::time::{Duration, UNIX_EPOCH};

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::place::{DESCRIBE_ENDPOINT, region_in};
use super::transport::connector::Connector;

/// The hints for `flaw`. `ca_file` is what the file with root certificates is called.
pub fn hints(flaw: &CertificateError, connector: &Connector, ca_file: &str) -> Vec<String> {
    let date = |time: UnixTime| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_secs()));
    let mut hints = Vec::new();
    match flaw {
        CertificateError::UnknownIssuer => {
            let host = connector.endpoint().host();
            if region_in(host).is_some() && !host.contains("ats.iot.") {
                hints.push(format!(
                    "trust stores no longer accept endpoints without -ats: `{DESCRIBE_ENDPOINT}` prints yours"
                ));
            }
            hints.push(match connector.network().tls().trusts_system() {
                true => {
                    format!("a proxy may be inspecting TLS here: name its root certificate with {ca_file}")
                }
                false => format!("the server's certificate does not come from an issuer in {ca_file}"),
            });
        }
        CertificateError::ExpiredContext { time, not_after } => {
            hints.push(format!("valid until {}; the local clock says {}", date(*not_after), date(*time)));
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            hints.push(format!("valid from {}; the local clock says {}", date(*not_before), date(*time)));
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            // rustls has them as in DnsName("example.com").
            let names =
                presented.iter().filter_map(|name| name.split(['"', '(', ')']).rfind(|n| !n.is_empty()));
            let names = names.collect::<Vec<_>>().join(", ");
            hints.push(format!("it is for {names}, not for {}", expected.to_str()));
        }
        _ => {}
    }
    hints
}
