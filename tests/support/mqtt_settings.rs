//! The settings of an MQTT client for each way of the README's "Build your own on it". The ways differ in
//! nothing but these.

#![allow(dead_code)]

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use sigv4_websocket_connect::transport::connector::Connector;
use sigv4_websocket_connect::transport::credentials::CredentialSource;
use sigv4_websocket_connect::transport::network::Network;
use sigv4_websocket_connect::transport::presign::{Scope, presign};
use sigv4_websocket_connect::transport::proxy::Proxies;
use sigv4_websocket_connect::transport::tls::Tls;

use crate::gateway::{ACCESS_KEY, REGION, SECRET};

fn scope() -> Scope {
    Scope::Region(REGION.to_owned())
}

fn keys() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET, None, None, "test")
}

/// The first way: `presign.rs` with rumqttc's own WebSocket, as in `minimal`.
pub fn presign_alone(endpoint: &str, ca_file: &Path) -> MqttOptions {
    let (host, url) = (endpoint.to_owned(), format!("wss://{endpoint}/mqtt"));
    let ca = std::fs::read(ca_file).expect("the server's authority");
    let tls = TlsConfiguration::Simple { ca, alpn: None, client_auth: None };
    let mut options = MqttOptions::websocket_with_tls_config("way-1", url, tls).expect("a URL");
    options.set_fallible_request_modifier(move |mut request| {
        let url = presign(&host, &scope(), &keys(), SystemTime::now());
        async move {
            let url = url.map_err(io::Error::other)?;
            *request.uri_mut() = url.parse().map_err(io::Error::other)?;
            Ok::<_, io::Error>(request)
        }
    });
    assert!(matches!(options.transport(), Transport::Wss(_)));
    options
}

/// The other two ways. Both use `transport`; `diagnosis` changes nothing in the connection.
pub fn with_transport(connector: &Arc<Connector>) -> MqttOptions {
    let mut options = MqttOptions::new("way-2", "unused: the connector knows the endpoint");
    let connector = connector.clone();
    options.set_socket_connector(move |_, _| {
        let connector = connector.clone();
        async move { connector.connect().await.map_err(io::Error::other) }
    });
    options
}

/// The connector of the other two ways, to a server that knows the gateway's keys.
pub fn connector(endpoint: &str, ca_file: &Path) -> Arc<Connector> {
    let network =
        Network::new(Tls::with_ca_file(ca_file).expect("the server's authority"), Proxies::from_env());
    let endpoint = endpoint.parse().expect("an endpoint");
    Arc::new(Connector::new(endpoint, scope(), CredentialSource::provider("test", keys()), network))
}
