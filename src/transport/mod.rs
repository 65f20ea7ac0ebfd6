// SPDX-License-Identifier: Apache-2.0

//! Everything between an MQTT client and AWS IoT Core: a byte stream for MQTT 5 over a WebSocket whose upgrade
//! request is presigned with SigV4.
//!
//! An application copies this folder and edits nothing. It makes one [`Connector`](connector::Connector) and
//! hands it to its MQTT client, which calls it for every attempt. Each attempt fetches credentials that are
//! still good and signs a new request, so a connection can be made again years after the first one:
//!
//! ```no_run
//! use sigv4_websocket_connect::transport::{connector::Connector, credentials::CredentialSource};
//! use sigv4_websocket_connect::transport::{network::Network, presign::Scope, proxy::Proxies, tls::Tls};
//! use std::{io, sync::Arc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (endpoint, region) = ("abc123-ats.iot.eu-west-1.amazonaws.com".parse()?, "eu-west-1");
//! let network = Network::new(Tls::with_system_roots(), Proxies::from_env());
//! let credentials = CredentialSource::chain(None, region, &network);
//! let scope = Scope::Region(region.to_owned());
//! let connector = Arc::new(Connector::new(endpoint, scope, credentials, network));
//! let mut options = rumqttc::MqttOptions::new("my-device", "unused: the connector knows the endpoint");
//! options.set_connect_timeout(std::time::Duration::from_secs(30));
//! options.set_socket_connector(move |_, _| {
//!     let connector = connector.clone();
//!     async move { connector.connect().await.map_err(io::Error::other) }
//! });
//! let (client, eventloop) = rumqttc::AsyncClient::builder(options).build();
//! # drop((client, eventloop));
//! # Ok(())
//! # }
//! ```
//!
//! What an attempt does, in this order:
//!
//! 1. [`endpoint`] holds the host and the port. [`network`] opens a connection: [`tcp`] or [`proxy`], then [`tls`].
//! 2. Meanwhile [`credentials`] come from the given provider or from the [`chain`], which asks services with its
//!    [`http_client`].
//! 3. [`presign`] signs the upgrade request, with a [`clock`] that follows the server's.
//! 4. [`upgrade`] sends the request over [`http`] and checks the answer.
//! 5. [`stream`] carries MQTT in WebSocket frames, checks the server's [`first_packet`], and closes cleanly.
//!
//! This folder needs these crates: `aws-config`, `aws-credential-types`, `aws-sigv4`, `aws-smithy-runtime-api`,
//! `aws-smithy-types`, `futures-util`, `http-body-util`, `httpdate`, `hyper`, `hyper-util`,
//! `percent-encoding`, `rustls`, `rustls-platform-verifier`, `serde_json`, `thiserror`, `tokio`, `tokio-rustls`,
//! `tokio-tungstenite`, `tokio-util` and `tracing`. The README lists their versions and features.

// An application rarely uses all of this.
#![allow(dead_code)]

pub mod chain;
pub mod clock;
pub mod connector;
pub mod credentials;
pub mod ending;
pub mod endpoint;
pub mod first_packet;
pub mod http;
pub mod http_client;
pub mod network;
pub mod presign;
pub mod progress;
pub mod proxy;
pub mod reason;
pub mod stream;
pub mod tcp;
pub mod text;
pub mod tls;
pub mod upgrade;
