// SPDX-License-Identifier: Apache-2.0

//! HTTP proxies: which connections go through one, and how to connect through it with CONNECT (RFC 9110 section 9.3.6).
//! The proxy resolves the name of the destination. TLS runs through it end to end.

use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;

use super::endpoint::Endpoint;
use super::environment::first_non_empty;
use super::http;
use super::tcp::{self, TcpError};
use super::text::conceal;

/// The port of a proxy if its URL has none.
const DEFAULT_PORT: u16 = 80;

/// Schemes of other kinds of proxies, which are not supported.
const OTHER_SCHEMES: [&str; 6] = ["https", "socks", "socks4", "socks4a", "socks5", "socks5h"];

/// A proxy setting that cannot be used. The message never shows its value, which may hold a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{setting} {flaw}")]
pub struct BadProxy {
    /// The flag or the variable.
    pub setting: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// Why the setting cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Flaw {
    /// Another kind of proxy.
    #[error(
        "asks for a proxy at {0}://, but only HTTP proxies are supported: http://[user:password@]host:port"
    )]
    Scheme(&'static str),
    /// A character that ends the password or the whole URL too early.
    #[error(
        "has a user or a password with a character that must be percent-encoded: %40 for @, %2F for /, %3A for \
             :, %23 for #, %3F for ?, %25 for %, and the same for what is not ASCII"
    )]
    Unencoded,
    /// Anything else.
    #[error("does not name an HTTP proxy, http://[user:password@]host:port")]
    NotAProxy,
}

/// Why there is no connection through a proxy.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The setting of the proxy cannot be used.
    #[error(transparent)]
    Setting(BadProxy),
    /// The proxy itself cannot be reached.
    #[error("cannot reach the proxy {proxy}")]
    Unreachable {
        /// The proxy's host and port.
        proxy: Endpoint,
        /// Why not.
        source: TcpError,
    },
    /// The proxy does not connect to the destination.
    #[error("the proxy {proxy} refused to connect to {destination}: {status}")]
    Refused {
        /// The proxy's host and port.
        proxy: Endpoint,
        /// Where it was asked to connect to.
        destination: Endpoint,
        /// The status of its answer.
        status: StatusCode,
        /// Whether a user and a password were sent to it.
        authorized: bool,
    },
    /// The proxy does not answer in HTTP, or not at all.
    #[error("no answer from the proxy {proxy}")]
    NoAnswer {
        /// The proxy's host and port.
        proxy: Endpoint,
        /// What went wrong.
        source: hyper::Error,
    },
    /// The proxy sent bytes after its answer. They are not from the server, because in TLS the client speaks first.
    #[error("the proxy {0} sent more than its answer")]
    ExtraBytes(Endpoint),
}

/// Which connections go through a proxy, and through which proxy. Its `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct Proxies {
    proxy: Option<Result<Proxy, BadProxy>>,
    /// Used only to tell whether a destination is exempt. The proxy in this matcher is a placeholder.
    exemptions: Option<Arc<Matcher>>,
}

impl Proxies {
    /// As the environment says: through the proxy of the first of `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` and `all_proxy` that is not
    /// empty, except for loopback and for what `NO_PROXY` or `no_proxy` lists.
    pub fn from_env() -> Self {
        let proxy = first_non_empty(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
        let exempt = first_non_empty(&["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
        let exempt = exempt.to_string_lossy();
        // The matcher would not apply the asterisk to IP addresses.
        if exempt.split(',').any(|entry| entry.trim() == "*") {
            return Self { proxy: None, exemptions: None };
        }
        Self {
            proxy: proxy.map(|(name, url)| Proxy::parse(name, &url)),
            exemptions: Some(Arc::new(Matcher::builder().all("http://any").no(&*exempt).build())),
        }
    }

    /// Through this proxy for every connection. `setting` is the flag or the variable that holds the URL.
    ///
    /// # Errors
    ///
    /// [`BadProxy`] if it is not the URL of an HTTP proxy, `http://[user:password@]host:port`.
    pub fn always(setting: &str, url: &str) -> Result<Self, BadProxy> {
        Ok(Self { proxy: Some(Ok(Proxy::parse(setting, url.as_ref())?)), exemptions: None })
    }

    /// The proxy for connections to `destination`, if any.
    ///
    /// # Errors
    ///
    /// [`BadProxy`] if a proxy is set for them, but cannot be used.
    pub fn to(&self, destination: &Endpoint) -> Result<Option<&Proxy>, BadProxy> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        if let Some(exemptions) = &self.exemptions {
            let host = destination.to_string().replace(".:", ":");
            let uri: Option<Uri> = format!("https://{host}").parse().ok();
            let exempt = uri.is_some_and(|uri| exemptions.intercept(&uri).is_none());
            if exempt || destination.is_loopback() {
                return Ok(None);
            }
        }
        proxy.as_ref().map(Some).map_err(BadProxy::clone)
    }
}

/// An HTTP proxy. Its `Debug` shows no password.
#[derive(Clone)]
pub struct Proxy {
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
    /// The password, or the user if there is only that, as it is and as it was given.
    secrets: [String; 2],
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.endpoint)
    }
}

impl Proxy {
    fn parse(setting: &str, url: &OsStr) -> Result<Self, BadProxy> {
        let bad = |flaw| BadProxy { setting: setting.to_owned(), flaw };
        let url = url.to_str().ok_or_else(|| bad(Flaw::NotAProxy))?;
        let rest = match url.split_once("://") {
            None if url.starts_with("http:") => return Err(bad(Flaw::NotAProxy)),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => {
                match OTHER_SCHEMES.into_iter().find(|known| scheme.eq_ignore_ascii_case(known)) {
                    Some(known) => return Err(bad(Flaw::Scheme(known))),
                    None => url,
                }
            }
            None => url,
        };
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        if user.is_some_and(|user| !is_encoded(user)) {
            return Err(bad(Flaw::Unencoded));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        let endpoint = Endpoint::parse(host, DEFAULT_PORT).map_err(|_| bad(Flaw::NotAProxy))?;
        let authorization = user.map(|user| {
            let matcher = Matcher::builder().all(format!("http://{user}@any")).build();
            let found = matcher.intercept(&Uri::from_static("https://anywhere"));
            found.and_then(|found| found.basic_auth().cloned()).ok_or_else(|| bad(Flaw::NotAProxy))
        });
        let parts = user.unwrap_or_default().splitn(2, ':');
        let secret = parts.filter(|part| !part.is_empty()).last().unwrap_or_default();
        let secrets = [percent_decode_str(secret).decode_utf8_lossy().into_owned(), secret.to_owned()];
        Ok(Self { endpoint, authorization: authorization.transpose()?, secrets })
    }

    /// Connects to the proxy and asks it to connect to `destination`.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] with what the proxy said.
    pub async fn connect(&self, destination: &Endpoint) -> Result<TcpStream, ProxyError> {
        self.secrets.iter().for_each(|secret| conceal(secret));
        self.authorization.iter().filter_map(|value| value.to_str().ok()).for_each(conceal);
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

/// Whether this can stand before the `@` of a URL (RFC 3986 section 3.2.1).
fn is_encoded(user: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte);
    let begins_with_digits = |part: &str| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    user.split('%').all(|part| part.bytes().all(is_plain)) && user.split('%').skip(1).all(begins_with_digits)
}
