// SPDX-License-Identifier: Apache-2.0

//! HTTP proxies: a TCP connection to the endpoint by way of CONNECT (RFC 9110 section 9.3.6). The proxy
//! resolves the endpoint's name; TLS runs through it end to end.

use std::env;
use std::error::Error;
use std::future::poll_fn;
use std::net::IpAddr;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::net::TcpStream;
use tower_service::Service;

use super::endpoint::Endpoint;

/// The proxy cannot be reached, or does not let this connection through.
#[derive(Debug, thiserror::Error)]
#[error("no way to the endpoint through the proxy {proxy}")]
pub struct ProxyError {
    /// The proxy's host and port.
    pub proxy: String,
    /// What it said, if it said anything.
    pub source: Box<dyn Error + Send + Sync>,
}

/// Which endpoints are reached through a proxy, and which one. Its `Debug` shows no password.
#[derive(Debug)]
pub struct Proxies {
    matcher: Matcher,
    also_loopback: bool,
}

impl Proxies {
    /// As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in capitals or not. Never for loopback.
    pub fn from_env() -> Self {
        Self { matcher: Matcher::from_env(), also_loopback: false }
    }

    /// This proxy for everything. None if it is not the URL of an HTTP proxy, `http://[user:password@]host:port`.
    pub fn always(url: &str) -> Option<Self> {
        let host = url.strip_prefix("http://")?.trim_end_matches('/').rsplit('@').next()?;
        let matcher = Matcher::builder().all(url).build();
        // The matcher drops some URLs that are none, and makes something of others: of a port that is none,
        // or of a password with @ or / in it.
        let understood = of_any_host(&matcher)?;
        let usable = host.parse::<Endpoint>().is_ok() && understood.uri().authority()? == host;
        usable.then_some(Self { matcher, also_loopback: true })
    }

    /// The variables that [`from_env`](Self::from_env) reads, but can make nothing of.
    pub fn passed_over() -> impl Iterator<Item = &'static str> {
        let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        names.into_iter().filter(|name| {
            let url = env::var(name).unwrap_or_default();
            !url.is_empty() && of_any_host(&Matcher::builder().all(url).build()).is_none()
        })
    }

    /// The proxy to `endpoint`, if there is to be one.
    pub fn for_endpoint(&self, endpoint: &Endpoint) -> Option<Proxy> {
        let address = endpoint.host().parse::<IpAddr>();
        let loopback = endpoint.host() == "localhost" || address.is_ok_and(|address| address.is_loopback());
        let destination: Uri = format!("https://{endpoint}").parse().ok()?;
        let intercept = self.matcher.intercept(&destination).filter(|_| self.also_loopback || !loopback)?;
        Some(Proxy { intercept, destination })
    }
}

/// A proxy on the way to one endpoint.
pub struct Proxy {
    intercept: Intercept,
    destination: Uri,
}

impl Proxy {
    /// Connects to the proxy and has it connect to the endpoint.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] with what the proxy said.
    pub async fn connect(self) -> Result<TcpStream, ProxyError> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let mut tunnel = Tunnel::new(self.intercept.uri().clone(), tcp);
        if let Some(password) = self.intercept.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        let stream = match poll_fn(|context| tunnel.poll_ready(context)).await {
            Ok(()) => tunnel.call(self.destination).await,
            Err(error) => Err(error),
        };
        let failed = |source| {
            // A password from the environment may have an @ in it, and the rest of it be taken for the user.
            let authority = self.intercept.uri().authority().map_or("", |authority| authority.as_str());
            let host = authority.rsplit('@').next().unwrap_or_default();
            ProxyError { proxy: host.to_owned(), source }
        };
        Ok(stream.map_err(|error| failed(error.into()))?.into_inner())
    }
}

/// The proxy of a matcher that has the same for all hosts, if it understood the URL.
fn of_any_host(matcher: &Matcher) -> Option<Intercept> {
    matcher.intercept(&Uri::from_static("https://anywhere"))
}
