//! Connect to AWS IoT Core over MQTT 5 on a WebSocket whose upgrade request is signed with SigV4, and
//! disconnect cleanly.
//!
//! There are three parts:
//!
//! - [`transport`] opens byte streams for an MQTT client. An application copies it.
//! - [`diagnosis`] says why a connection failed and what to do. An application that needs this copies it as well.
//! - [`program`] is what only this program needs. `src/main.rs` shows the five steps of a session in order.
//!
//! The example opens a byte stream that carries MQTT. The page of [`transport`] shows how an MQTT client opens a new byte
//! stream for every attempt to connect.
//!
//! ```no_run
//! use sigv4_websocket_connect::transport::{connector::Connector, credentials::CredentialSource};
//! use sigv4_websocket_connect::transport::{network::Network, presign::Scope, proxy::Proxies, tls::Tls};
//!
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! let (endpoint, region) = ("abc123-ats.iot.eu-west-1.amazonaws.com".parse()?, "eu-west-1");
//! let network = Network::new(Tls::with_system_roots(), Proxies::from_env());
//! let credentials = CredentialSource::chain(None, region, &network);
//! let connector = Connector::new(endpoint, Scope::Region(region.to_owned()), credentials, network);
//! let stream = connector.connect().await?;
//! # Ok(())
//! # }
//! ```

#![warn(clippy::expect_used)]

pub mod diagnosis;
pub mod program;
pub mod transport;
