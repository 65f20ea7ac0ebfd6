//! The endpoint: what the user typed, as the host and port that every later step needs.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rustls::pki_types::ServerName;

use crate::text::shown;

/// The endings of the names of AWS's own endpoints in every partition, and of those for both IP versions in most (AWS
/// General Reference, "AWS service endpoints").
const SUFFIXES: [&str; 8] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// The port on which IoT Core takes WebSocket upgrades signed with SigV4 (IoT developer guide,
/// "Device communication protocols").
const DEFAULT_PORT: u16 = 443;

/// A host name or IP address with a port, parsed from `HOST[:PORT]`. Without a port it is 443.
///
/// ```
/// let endpoint: sigv4_websocket::Endpoint = "abc123-ats.iot.eu-west-1.amazonaws.com".parse()?;
/// assert_eq!(endpoint.region(), Some("eu-west-1"));
/// # Ok::<(), sigv4_websocket::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    default_port: u16,
    server_name: ServerName<'static>,
}

/// Why a text is no endpoint, in words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EndpointError(String);

impl Endpoint {
    /// Reads `HOST[:PORT]`, with the default port of a protocol.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, EndpointError> {
        let error = |reason: String| Err(EndpointError(reason));
        if text.is_empty() {
            return error("it is empty".to_owned());
        }
        if text.contains(char::is_whitespace) {
            return error("it contains a space".to_owned());
        }
        if text.contains(['/', '?', '#', '@']) {
            return error("give the bare host, without scheme or path".to_owned());
        }
        let (host, digits) = split_port(text);
        let port = match digits.map(|digits| (digits, digits.parse())) {
            None => default_port,
            Some((digits, Ok(port))) if port > 0 && !digits.starts_with('+') => port,
            Some((digits, _)) => return error(format!("{:?} is not a port from 1 to 65535", shown(digits))),
        };
        let host = host.to_ascii_lowercase();
        let Ok(server_name) = ServerName::try_from(host.clone()) else {
            return error(format!("{:?} is neither a DNS name nor an IP address", shown(&host)));
        };
        Ok(Self { host, port, default_port, server_name })
    }

    /// The host without brackets or port, for name resolution.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The region in the name of an IoT Core endpoint: `<id>-ats.iot.<region>.<suffix>`, or `iot-fips` in place of
    /// `iot` (IoT developer guide, "Connecting to AWS IoT FIPS endpoints"). `None` for any other host, such as a custom
    /// domain.
    pub fn region(&self) -> Option<&str> {
        let name = SUFFIXES.into_iter().find_map(|suffix| self.host.strip_suffix(suffix))?;
        let (rest, region) = name.rsplit_once('.')?;
        let (_id, service) = rest.rsplit_once('.')?;
        ["iot", "iot-fips"].contains(&service).then_some(region)
    }

    /// Whether this is an IoT Core endpoint of the old kind. Trust stores no longer hold its root certificate (IoT
    /// developer guide, "Server authentication").
    pub(crate) fn is_without_ats(&self) -> bool {
        self.region().is_some() && self.host.contains(".iot.") && !self.host.contains("ats.iot.")
    }

    /// The name or the address that the server's certificate must carry. A name is also sent as SNI (RFC 6066 section
    /// 3).
    pub(crate) fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// The value of the `Host` header, which is also what gets signed: without the port if it is the default one
    /// (RFC 9110 section 7.2).
    pub fn authority(&self) -> String {
        match self.port == self.default_port {
            true => self.bracketed_host(),
            false => self.to_string(),
        }
    }

    /// Whether this is `localhost` or a loopback address.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host.trim_end_matches('.') == "localhost"
            || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    fn bracketed_host(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

/// Always with the port, as in `Connecting to HOST:PORT`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bracketed_host(), self.port)
    }
}

/// With port 443 if the text has no port.
impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text, DEFAULT_PORT)
    }
}

/// Splits `[::1]:8883`, `::1`, `host:8883` or `host` into the host without brackets and the port's digits.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if text.parse::<Ipv6Addr>().is_ok() {
        return (text, None);
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    (inside.unwrap_or(host), port)
}
