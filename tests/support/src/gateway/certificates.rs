//! Certificates made when the gateway starts: an authority and a server certificate it issues.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// Which certificate the server shows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Certificate {
    #[default]
    Trusted,
    UnknownIssuer,
    Expired,
    NotYetValid,
    /// For two thousand other names.
    ManyNames,
    /// For no name at all.
    NoName,
    /// The authority's own certificate, as on a server set up with `openssl req -x509`.
    Authority,
}

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("ring makes keys"));
        Authority(issuer.expect("an authority can sign itself"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server certificate and its key, both in PEM, for a server that reads files.
    pub fn server_pem(&self) -> [String; 2] {
        let (issued, key) = self.issue(Certificate::Trusted);
        [issued.pem(), key.serialize_pem()]
    }

    fn issue(&self, certificate: Certificate) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("ring makes keys");
        let issued = server_params(certificate).signed_by(&key, &self.0);
        (issued.expect("the authority can issue"), key)
    }

    /// The TLS configuration of a server with this kind of certificate.
    pub fn server(&self, certificate: Certificate) -> Arc<ServerConfig> {
        if certificate == Certificate::UnknownIssuer {
            return Authority::new("An authority nobody trusts").server(Certificate::Trusted);
        }
        let (issued, key) = self.issue(certificate);
        let (shown, key) = match certificate {
            Certificate::Authority => (self.0.der(), self.0.key().serialize_der()),
            _ => (issued.der(), key.serialize_der()),
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring serves both versions")
            .with_no_client_auth()
            .with_single_cert(vec![shown.clone()], key)
            .expect("the key is the certificate's")
            .into()
    }
}

fn server_params(certificate: Certificate) -> CertificateParams {
    let names = match certificate {
        Certificate::ManyNames => (0..2000).map(|nth| format!("elsewhere-{nth}.example")).collect(),
        Certificate::NoName => Vec::new(),
        _ => ["localhost", "gateway.test", "sts.test", "127.0.0.1", "::1"].map(String::from).to_vec(),
    };
    let begin = match certificate {
        Certificate::Expired => date_time_ymd(2019, 1, 1),
        Certificate::NotYetValid => date_time_ymd(2999, 1, 1),
        _ => OffsetDateTime::now_utc() - Duration::days(1),
    };
    let mut params = CertificateParams::new(names).expect("these are names and addresses");
    // macOS rejects a server certificate that has no purpose, or that is valid for more than 825 days.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (begin, begin + Duration::days(365));
    params
}
