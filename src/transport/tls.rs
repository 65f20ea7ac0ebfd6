// SPDX-License-Identifier: Apache-2.0

//! TLS: which roots to trust, and the handshake. No ALPN is offered: IoT Core uses none for WebSocket on
//! port 443 (IoT developer guide, "Device communication protocols").

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::file::read_at_most;

/// The longest file with root certificates, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The CA file is missing, unreadable or not PEM.
    #[error("cannot read certificates from {}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The CA file holds no certificate that can be a root.
    #[error("there is no usable certificate in {}", .0.display())]
    EmptyCaFile(PathBuf),
    /// The operating system has no root certificates.
    #[error("the system's certificate store is empty")]
    NoSystemRoots(#[source] rustls::Error),
    /// The server's certificate was not accepted, or the two sides do not understand each other.
    #[error("the TLS handshake failed")]
    Handshake(#[from] rustls::Error),
    /// The connection ended during the handshake.
    #[error("the connection ended during the TLS handshake")]
    Io(#[source] io::Error),
}

/// Whose certificates are accepted. Clones share the roots that were read. They also share the session tickets, which
/// make reconnecting cheaper (RFC 8446 section 2.2).
#[derive(Clone, Debug)]
pub struct Tls {
    file: Vec<CertificateDer<'static>>,
    endpoint: Lazy,
    services: Lazy,
}

type Lazy = Arc<OnceCell<Arc<ClientConfig>>>;

impl Tls {
    /// Trusts the roots of the operating system, which are read at the first connection.
    pub fn with_system_roots() -> Self {
        let lazy = Lazy::default();
        Self { file: Vec::new(), endpoint: lazy.clone(), services: lazy }
    }

    /// For the endpoint, trusts only the certificates in a PEM file. For credential services, also trusts the roots of the
    /// operating system, so that a private broker and the real services work in one run. If the file is a pipe, this
    /// waits for whoever writes to it.
    ///
    /// # Errors
    ///
    /// [`TlsError::CaFile`] or [`TlsError::EmptyCaFile`].
    pub fn with_ca_file(path: &Path) -> Result<Self, TlsError> {
        let unreadable = |source| TlsError::CaFile { path: path.to_owned(), source };
        let text = read_at_most(MAX_FILE, path).map_err(|error| unreadable(pem::Error::Io(error)))?;
        let mut file: Vec<_> =
            CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(unreadable)?;
        let mut roots = RootCertStore::empty();
        file.retain(|certificate| roots.add(certificate.clone()).is_ok());
        if roots.is_empty() {
            return Err(TlsError::EmptyCaFile(path.to_owned()));
        }
        let config = config_builder()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { file, endpoint: Arc::new(OnceCell::from(Arc::new(config))), services: Lazy::default() })
    }

    /// Whether the operating system's roots are trusted for the endpoint, instead of those in a file.
    pub fn trusts_system(&self) -> bool {
        self.file.is_empty()
    }

    /// Prepares a TLS handshake with the endpoint.
    ///
    /// # Errors
    ///
    /// [`TlsError::NoSystemRoots`].
    pub async fn for_endpoint(&self) -> Result<Handshake, TlsError> {
        self.prepare(&self.endpoint).await
    }

    /// Prepares a TLS handshake with a credential service.
    ///
    /// # Errors
    ///
    /// [`TlsError::NoSystemRoots`].
    pub async fn for_services(&self) -> Result<Handshake, TlsError> {
        self.prepare(&self.services).await
    }

    /// Reads the roots if that is not done yet, on another thread, because it takes 20 ms on some systems.
    async fn prepare(&self, lazy: &Lazy) -> Result<Handshake, TlsError> {
        let read = async || {
            let extra = self.file.clone();
            let reading = tokio::task::spawn_blocking(|| system_config(extra));
            reading.await.map_err(|error| TlsError::Io(error.into()))?
        };
        Ok(Handshake(lazy.get_or_try_init(read).await?.clone()))
    }
}

/// A TLS handshake that is ready to run, since its roots are read.
pub struct Handshake(Arc<ClientConfig>);

impl Handshake {
    /// Runs the handshake with the server called `name`.
    ///
    /// # Errors
    ///
    /// [`TlsError`], for example [`TlsError::Handshake`] with what is wrong with the certificate.
    pub async fn run(
        self,
        name: ServerName<'static>,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        // rustls panics if the clock is before 1970.
        if SystemTime::now() < UNIX_EPOCH {
            return Err(TlsError::Handshake(rustls::Error::FailedToGetCurrentTime));
        }
        let connected = TlsConnector::from(self.0).connect(name, tcp).await;
        let stream = connected.map_err(|error| match error.downcast::<rustls::Error>() {
            Ok(tls) => TlsError::Handshake(tls),
            Err(io) => TlsError::Io(io),
        })?;
        let session = stream.get_ref().1;
        let version = session.protocol_version().and_then(|version| version.as_str());
        let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
        tracing::debug!(
            "{} with {}, {}",
            version.unwrap_or_default(),
            suite.unwrap_or_default(),
            if resumed { "resumed" } else { "a full handshake" }
        );
        Ok(stream)
    }
}

/// The operating system's roots, and `extra` ones.
fn system_config(extra: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, TlsError> {
    let verifier = Verifier::new_with_extra_roots(extra, Arc::new(ring::default_provider()));
    let verifier = Arc::new(verifier.map_err(TlsError::NoSystemRoots)?);
    // rustls calls every verifier but its own dangerous. This one uses the operating system's roots, and on macOS and
    // Windows its verifier.
    let config = config_builder()?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(config.with_no_client_auth()))
}

/// Names the crypto provider, so that it is clear even in a program whose dependencies include a second one.
fn config_builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?)
}
