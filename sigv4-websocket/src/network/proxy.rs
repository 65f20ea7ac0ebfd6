//! HTTP proxies: which connections go through one, and how to connect through it with CONNECT (RFC 9110 section 9.3.6).
//! The proxy resolves the name of the destination. TLS runs through it end to end.

use std::sync::Arc;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use tokio::net::TcpStream;

use super::http;
use super::tcp::{self, TcpError};
use crate::endpoint::Endpoint;
use crate::environment::variable;

const DEFAULT_PORT: u16 = 80;

/// The variables that may name the proxy, in the order in which they are looked at.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// What is never reached through a proxy of the environment.
pub(super) const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// A proxy setting that cannot be used. The message never shows its value, which may hold a password.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum BadProxy {
    #[error("{0} cannot be used: only HTTP proxies are supported, http://[user:password@]host:port")]
    Scheme(&'static str),
    #[error(
        "{0} cannot be used: it is not of the form http://[user:password@]host:port, with the user and the password \
         percent-encoded"
    )]
    Url(&'static str),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(transparent)]
    Setting(BadProxy),
    #[error("cannot reach the proxy {proxy}")]
    Unreachable { proxy: Endpoint, source: TcpError },
    #[error("the proxy {proxy} refused to connect to {destination}: {status}")]
    Refused { proxy: Endpoint, destination: Endpoint, status: StatusCode, authorized: bool },
    #[error("no answer from the proxy {proxy}")]
    NoAnswer { proxy: Endpoint, source: hyper::Error },
    /// Bytes after the answer are not from the server, because in TLS the client speaks first.
    #[error("the proxy {0} sent more than its answer")]
    ExtraBytes(Endpoint),
}

/// Which connections go through a proxy, and through which proxy. Its `Debug` shows no password.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    /// The proxy that is set, or why it cannot be used.
    proxy: Option<Result<Endpoint, BadProxy>>,
    matcher: Arc<Matcher>,
}

impl Proxies {
    /// As the environment says: through the proxy of the first of `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` and
    /// `all_proxy` that is not empty, except for loopback and for what `NO_PROXY` or `no_proxy` lists.
    pub(crate) fn from_env() -> Self {
        let exempt = ["NO_PROXY", "no_proxy"].into_iter().find_map(variable).unwrap_or_default().1;
        // The matcher would not apply the asterisk to IP addresses.
        let all_exempt = exempt.split(',').any(|entry| entry.trim() == "*");
        match VARIABLES.into_iter().find_map(variable).filter(|_| !all_exempt) {
            Some((name, url)) => Self::new(name, &url, &format!("{LOOPBACK},{exempt}")),
            None => Self { proxy: None, matcher: Arc::new(Matcher::builder().build()) },
        }
    }

    /// Through the proxy `url`, except to the hosts in `exempt`, separated by commas. Messages call the URL `setting`.
    pub(crate) fn new(setting: &'static str, url: &str, exempt: &str) -> Self {
        let proxy = read(setting, url);
        // The matcher ignores a URL that it cannot read, and would then go around the proxy.
        let url = if proxy.is_ok() { url.trim_end_matches('/') } else { "http://bad" };
        let matcher = Arc::new(Matcher::builder().all(url).no(exempt).build());
        Self { proxy: Some(proxy), matcher }
    }

    /// The proxy for connections to `destination`, if any.
    pub(crate) fn to(&self, destination: &Endpoint) -> Result<Option<Proxy>, BadProxy> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        let Some(found) = self.matcher.intercept(&address(destination)) else { return Ok(None) };
        let (endpoint, authorization) = (proxy.clone()?, found.basic_auth().cloned());
        Ok(Some(Proxy { endpoint, authorization }))
    }
}

/// The host and the port in the URL of an HTTP proxy, with or without its scheme.
fn read(setting: &'static str, url: &str) -> Result<Endpoint, BadProxy> {
    let bad = || BadProxy::Url(setting);
    let (scheme, rest) = match url.split_once("://") {
        Some(parts) => parts,
        // Two slashes are missing: http is not the user's name.
        None if url.starts_with("http:") => return Err(bad()),
        None => ("http", url),
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(BadProxy::Scheme(setting));
    }
    let uri: Uri = format!("http://{rest}").parse().map_err(|_| bad())?;
    let authority = uri.authority().ok_or_else(bad)?.as_str();
    // There may be a path, or the rest of a password that is not percent-encoded.
    if rest.trim_end_matches('/') != authority {
        return Err(bad());
    }
    // A second @ belongs to a password that is not percent-encoded. The matcher would cut the password off there.
    let host = authority.split_once('@').map_or(authority, |(_, host)| host);
    Endpoint::parse(host, DEFAULT_PORT).map_err(|_| bad())
}

/// The destination as the matcher wants it, without the dot that may end a host name.
#[expect(clippy::expect_used, reason = "an endpoint is a DNS name or an IP address, with a port")]
fn address(destination: &Endpoint) -> Uri {
    let host = destination.to_string().replace(".:", ":");
    format!("https://{host}").parse().expect("an endpoint is a valid authority")
}

/// An HTTP proxy. Its `Debug` shows no password, since hyper marks the header as sensitive.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Connects to the proxy and asks it to connect to `destination`.
    pub(crate) async fn connect(&self, destination: &Endpoint) -> Result<TcpStream, ProxyError> {
        let proxy = || self.endpoint.clone();
        let no_answer = |source| ProxyError::NoAnswer { proxy: proxy(), source };
        let unreachable = |source| ProxyError::Unreachable { proxy: proxy(), source };
        let addresses = tcp::resolve(&self.endpoint).await.map_err(unreachable)?;
        let tcp = tcp::connect(addresses).await.map_err(unreachable)?;
        tracing::debug!("asking the proxy {} for {destination}", self.endpoint);
        let (answer, connection) = http::send(tcp, self.request(destination)).await.map_err(no_answer)?;
        tracing::debug!("the proxy answered {}", answer.status());
        if !answer.status().is_success() {
            return Err(ProxyError::Refused {
                proxy: proxy(),
                destination: destination.clone(),
                status: answer.status(),
                authorized: self.authorization.is_some(),
            });
        }
        match connection.take_back().await.map_err(no_answer)? {
            (tcp, early) if early.is_empty() => Ok(tcp),
            _ => Err(ProxyError::ExtraBytes(proxy())),
        }
    }

    #[expect(clippy::expect_used, reason = "an endpoint is a DNS name or an IP address, with a port")]
    fn request(&self, destination: &Endpoint) -> Request<Empty<Bytes>> {
        let authority = destination.to_string();
        let mut request = Request::connect(&authority).header(HOST, &authority);
        if let Some(authorization) = &self.authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        request.body(Empty::new()).expect("an endpoint is a valid authority")
    }
}
