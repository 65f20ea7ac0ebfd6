//! The HTTP client of the AWS SDK's credential providers, which connects to services as the connector connects to the
//! endpoint (AWS SDK for Rust developer guide, "HTTP clients").
//!
//! A provider sends a few requests an hour at most, so each request has a connection of its own and there is no pool.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use futures_util::TryFutureExt;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use tokio::time::timeout;
use tokio_util::either::Either;

use crate::endpoint::Endpoint;
use crate::network::{Network, NetworkError, http};

/// The most that is read of the body of an answer, in bytes.
const MAX_BODY: usize = 1024 * 1024;

pub(crate) fn http_client(network: Network) -> SharedHttpClient {
    http_client_fn(move |settings, _components| {
        SharedHttpConnector::new(Client { network: network.clone(), settings: settings.clone() })
    })
}

#[derive(Clone, Debug)]
struct Client {
    network: Network,
    /// The time limits that the SDK sets for a provider, for example one second for EC2 instance metadata.
    settings: HttpConnectorSettings,
}

#[derive(Debug, thiserror::Error)]
enum RequestError {
    // The message does not show the URL, which may hold a password.
    #[error("the URL of the service is not of the form https://host[:port]/path or http://host[:port]/path")]
    Url,
    #[error("no connection to {0}")]
    Connect(Endpoint, #[source] NetworkError),
    #[error("no answer from {0}")]
    Answer(Endpoint, #[source] hyper::Error),
    #[error("{0} answered with a web page ({1}): is that the service, and is there a proxy on the way?")]
    Page(Endpoint, StatusCode),
    #[error("the answer of {0} cannot be read")]
    Body(Endpoint, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer from {0} within the {1:?} that the AWS SDK allows")]
    Time(Endpoint, Duration),
    #[error("the request or the answer is not valid HTTP")]
    Http(#[from] HttpError),
}

/// Tells the SDK which errors it may retry.
impl From<RequestError> for ConnectorError {
    fn from(error: RequestError) -> Self {
        match &error {
            RequestError::Time(..) => Self::timeout(error.into()),
            RequestError::Connect(_, failure) if failure.may_be_temporary() => Self::io(error.into()),
            RequestError::Answer(..) => Self::io(error.into()),
            _ => Self::other(error.into(), None),
        }
    }
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move { Ok(client.exchange(request).await?) })
    }
}

impl Client {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, RequestError> {
        let request = request.try_into_http1x()?;
        // What credential providers send is small, and in memory.
        let request = request.map(|body| Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default())));
        let (service, encrypted) = service(request.uri()).ok_or(RequestError::Url)?;
        let opening = async {
            let stream = match encrypted {
                true => Either::Left(self.network.open(&service, |_| {}).await?.0),
                false => Either::Right(self.network.open_plain(&service).await?),
            };
            Ok::<_, NetworkError>(stream)
        };
        let opening = opening.map_err(|error| RequestError::Connect(service.clone(), error));
        let stream = within(self.settings.connect_timeout(), &service, opening).await?;
        let request = in_origin_form(request, &service);
        let answering = async {
            let (response, _) = http::send(stream, request)
                .await
                .map_err(|error| RequestError::Answer(service.clone(), error))?;
            let (head, body) = response.into_parts();
            // Without this, the SDK would only say where its parser failed.
            let kind = head.headers.get(CONTENT_TYPE);
            if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
                return Err(RequestError::Page(service.clone(), head.status));
            }
            let body = Limited::new(body, MAX_BODY).collect().await;
            let body = body.map_err(|error| RequestError::Body(service.clone(), error))?;
            Ok(Response::from_parts(head, SdkBody::from(body.to_bytes())).try_into()?)
        };
        within(self.settings.read_timeout(), &service, answering).await
    }
}

/// The result of `work`, or an error if there is a limit and it has passed.
async fn within<T>(
    limit: Option<Duration>,
    service: &Endpoint,
    work: impl Future<Output = Result<T, RequestError>>,
) -> Result<T, RequestError> {
    match limit {
        Some(limit) => timeout(limit, work).await.map_err(|_| RequestError::Time(service.clone(), limit))?,
        None => work.await,
    }
}

/// Where a request goes, and whether over TLS.
fn service(uri: &Uri) -> Option<(Endpoint, bool)> {
    let (default_port, encrypted) = match uri.scheme_str()? {
        "https" => (443, true),
        "http" => (80, false),
        _ => return None,
    };
    let authority = uri.authority()?.as_str();
    // A user and a password in the URL are left out.
    let host = authority.rsplit('@').next()?;
    Some((Endpoint::parse(host, default_port).ok()?, encrypted))
}

/// The request with its path alone in the first line, and with a `Host` header (RFC 9112 section 3.2.1).
fn in_origin_form<B>(mut request: Request<B>, service: &Endpoint) -> Request<B> {
    let path = request.uri().path_and_query().cloned();
    if let Some(path) = path {
        *request.uri_mut() = path.into();
    }
    if let Ok(host) = HeaderValue::from_str(&service.authority()) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    request
}
