#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod builder;
mod connector;
mod credentials;
mod endpoint;
mod environment;
mod failure;
mod mqtt;
mod network;
mod presign;
mod progress;
mod text;
mod websocket;

#[doc(no_inline)]
pub use aws_credential_types::{Credentials, provider};

pub use builder::{BuildError, ConnectorBuilder};
pub use connector::Connector;
pub use endpoint::{Endpoint, EndpointError};
pub use failure::Failure;
pub use mqtt::reason_code::ReasonCode;
pub use presign::{PresignError, Scope, presign};
pub use progress::{Phase, Progress};
pub use text::printable;
pub use websocket::stream::ByteStream;
