// SPDX-License-Identifier: Apache-2.0

//! TLS: which roots to trust, and the handshake. No ALPN is offered: IoT Core wants none for WebSocket on
//! port 443 (IoT developer guide, "Device communication protocols").

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// No TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The CA file is missing, unreadable or not PEM.
    #[error("cannot read certificates from {}: {error}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; not a source, since clap shows only the message.
        error: pem::Error,
    },
    /// The CA file holds no certificate that can be a root.
    #[error("there is no usable certificate in {}", .0.display())]
    EmptyCaFile(PathBuf),
    /// The operating system has no root certificates.
    #[error("the system's certificate store is empty{}", .0.first().map(|e| format!(": {e}")).unwrap_or_default())]
    EmptySystemStore(Vec<rustls_native_certs::Error>),
    /// The server's certificate was not accepted, or the two sides do not understand each other.
    #[error("the TLS handshake failed")]
    Handshake(#[from] rustls::Error),
    /// The connection ended during the handshake.
    #[error("the connection ended during the TLS handshake")]
    Io(#[source] io::Error),
}

/// A TLS client with its trusted roots. Clones share the configuration and so the session tickets, which
/// makes reconnecting cheaper (RFC 8446 section 2.2).
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<OnceCell<Arc<ClientConfig>>>,
    system: bool,
}

impl Tls {
    /// Trusts the roots of the operating system, which are read at the first connection.
    pub fn with_system_roots() -> Self {
        Self { config: Arc::default(), system: true }
    }

    /// Trusts only the certificates in a PEM file.
    ///
    /// # Errors
    ///
    /// [`TlsError::CaFile`] or [`TlsError::EmptyCaFile`].
    pub fn with_ca_file(path: &Path) -> Result<Self, TlsError> {
        let unreadable = |error| TlsError::CaFile { path: path.to_owned(), error };
        let certificates: Vec<_> =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(unreadable)?;
        let roots = root_store(certificates).ok_or_else(|| TlsError::EmptyCaFile(path.to_owned()))?;
        Ok(Self { config: Arc::new(OnceCell::new_with(Some(client_config(roots)?))), system: false })
    }

    /// Whether the operating system's roots are trusted, not those of a file.
    pub fn trusts_system(&self) -> bool {
        self.system
    }

    /// Reads the roots unless that is done. Worth calling while the network is busy: some systems take
    /// 20 ms for it.
    ///
    /// # Errors
    ///
    /// [`TlsError::EmptySystemStore`].
    pub async fn prepare(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let load = || async {
            tokio::task::spawn_blocking(system_config).await.map_err(|e| TlsError::Io(e.into()))?
        };
        self.config.get_or_try_init(load).await.cloned()
    }

    /// Runs the handshake with the server called `name`.
    ///
    /// # Errors
    ///
    /// [`TlsError::Handshake`] with what is wrong with the certificate, among others.
    pub async fn handshake(
        &self,
        name: ServerName<'static>,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        let connector = TlsConnector::from(self.prepare().await?);
        connector.connect(name, tcp).await.map_err(|error| match error.downcast::<rustls::Error>() {
            Ok(tls) => TlsError::Handshake(tls),
            Err(io) => TlsError::Io(io),
        })
    }
}

fn system_config() -> Result<Arc<ClientConfig>, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!("{error}");
    }
    match root_store(found.certs) {
        Some(roots) => client_config(roots),
        None => Err(TlsError::EmptySystemStore(found.errors)),
    }
}

/// None if not one of the certificates can be a root.
fn root_store(certificates: Vec<CertificateDer<'static>>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let (usable, ignored) = roots.add_parsable_certificates(certificates);
    tracing::debug!(usable, ignored, "root certificates");
    (usable > 0).then_some(roots)
}

/// Names the crypto provider, so that a program with a second one in its tree does not have to choose.
fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
