//! The transport of MQTT 5 to AWS IoT Core: TCP, TLS, the signed upgrade, the byte stream.
#![warn(clippy::expect_used)]

pub mod connector;
pub mod credentials;
pub mod endpoint;
pub mod presign;
pub mod reason;
pub mod session;
pub mod stream;
pub mod tcp;
pub mod timeline;
pub mod tls;
pub mod upgrade;
