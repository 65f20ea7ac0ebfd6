//! TLS: which roots to trust, and the handshake. No ALPN is offered: IoT Core uses none for WebSocket on
//! port 443 (IoT developer guide, "Device communication protocols").

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read certificates from {}", .path.display())]
    CaFile { path: PathBuf, source: pem::Error },
    #[error("there is no usable PEM certificate in {}", .0.display())]
    EmptyCaFile(PathBuf),
    #[error("the system's certificate store is empty")]
    NoSystemRoots(#[source] rustls::Error),
    /// The server's certificate was not accepted, or the two sides do not understand each other.
    #[error("the TLS handshake failed")]
    Handshake(#[from] rustls::Error),
    #[error("the connection ended during the TLS handshake")]
    Io(#[source] io::Error),
}

/// Whose certificates are accepted, by the endpoint and by credential services. Clones share the roots that were read.
/// They also share the session tickets, which make reconnecting cheaper (RFC 8446 section 2.2).
#[derive(Clone, Debug)]
pub(crate) struct Tls(Arc<OnceCell<Arc<ClientConfig>>>);

impl Tls {
    /// Trusts the roots of the operating system, which are read at the first connection.
    pub(crate) fn with_system_roots() -> Self {
        Self(Arc::default())
    }

    /// Trusts only the certificates in a PEM file.
    pub(crate) fn with_ca_file(path: &Path) -> Result<Self, TlsError> {
        let unreadable = |source| TlsError::CaFile { path: path.to_owned(), source };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            // What is no root certificate is passed over, as OpenSSL does it.
            let _ = roots.add(certificate.map_err(unreadable)?);
        }
        if roots.is_empty() {
            return Err(TlsError::EmptyCaFile(path.to_owned()));
        }
        let config = config_builder()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Arc::new(OnceCell::from(Arc::new(config)))))
    }

    /// Reads the system's roots if that is not done yet, on another thread, because it takes 20 ms on some systems.
    pub(crate) async fn connector(&self) -> Result<TlsConnector, TlsError> {
        let read = async || {
            let reading = tokio::task::spawn_blocking(system_config);
            reading.await.map_err(|error| TlsError::Io(error.into()))?
        };
        Ok(self.0.get_or_try_init(read).await?.clone().into())
    }
}

pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    connector: TlsConnector,
    name: ServerName<'static>,
    tcp: S,
) -> Result<TlsStream<S>, TlsError> {
    let stream = connector.connect(name, tcp).await.map_err(|error| match error.downcast() {
        Ok(tls) => TlsError::Handshake(tls),
        Err(io) => TlsError::Io(io),
    })?;
    let session = stream.get_ref().1;
    tracing::debug!(
        version = ?session.protocol_version(),
        suite = ?session.negotiated_cipher_suite().map(|suite| suite.suite()),
        handshake = ?session.handshake_kind(),
        "TLS"
    );
    Ok(stream)
}

fn system_config() -> Result<Arc<ClientConfig>, TlsError> {
    let verifier = Verifier::new(Arc::new(ring::default_provider())).map_err(TlsError::NoSystemRoots)?;
    // rustls calls every verifier but its own dangerous. This one uses the operating system's roots, and on macOS and
    // Windows its verifier.
    let config = config_builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(Arc::new(config.with_no_client_auth()))
}

/// Names the crypto provider, so that it is clear even in a program whose dependencies include a second one.
fn config_builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?)
}
