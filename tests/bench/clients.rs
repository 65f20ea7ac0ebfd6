//! MQTT clients that connect in two ways: with `presign.rs` and rumqttc's own WebSocket, and through the crate.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, TlsConfiguration};
use sigv4_websocket::{Connector, Credentials, Scope, presign};
use test_support::gateway::{ACCESS_KEY, REGION, SECRET};

pub const WAYS: [&str; 2] = ["presign.rs alone", "the crate"];

fn keys() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET, None, None, "benchmark")
}

/// A connector to a server that knows the gateway's keys.
pub fn connector(endpoint: &str, ca_file: &Path) -> Connector {
    let settings = Connector::builder(endpoint.parse().expect("an endpoint"));
    settings.region(REGION).credentials(keys()).ca_file(ca_file).build().expect("a connector")
}

/// The settings of a client that connects through the crate.
pub fn attached(endpoint: &str, ca_file: &Path) -> MqttOptions {
    let mut options = MqttOptions::new("benchmark", "unused: the connector knows the endpoint");
    connector(endpoint, ca_file).attach(&mut options);
    options
}

/// Those of a client that connects as the crate's example `minimal` does.
fn presign_alone(endpoint: &str, ca_file: &Path) -> MqttOptions {
    let (host, url) = (endpoint.to_owned(), format!("wss://{endpoint}/mqtt"));
    let ca = std::fs::read(ca_file).expect("the server's authority");
    let tls = TlsConfiguration::Simple { ca, alpn: None, client_auth: None };
    let mut options = MqttOptions::websocket_with_tls_config("benchmark", url, tls).expect("a URL");
    options.set_fallible_request_modifier(move |mut request| {
        let url = presign(&host, &Scope::Region(REGION.to_owned()), &keys(), SystemTime::now());
        async move {
            *request.uri_mut() = url.map_err(io::Error::other)?.parse().map_err(io::Error::other)?;
            Ok::<_, io::Error>(request)
        }
    });
    options
}

/// The settings of the crate's example `application`, in one of the [`WAYS`].
pub fn options(way: &str, endpoint: &str, ca_file: &Path) -> MqttOptions {
    let connecting = if way == WAYS[0] { presign_alone } else { attached };
    let mut options = connecting(endpoint, ca_file);
    options.set_outgoing_inflight_upper_limit(100).set_max_request_batch(16);
    options
}

/// A session with these settings.
pub async fn session(options: MqttOptions) -> (AsyncClient, EventLoop) {
    let (client, mut eventloop) = AsyncClient::builder(options).build();
    while !matches!(eventloop.poll().await.expect("a session"), Event::Incoming(Incoming::ConnAck(_))) {}
    (client, eventloop)
}
