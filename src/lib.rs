//! The signed upgrade request of a WebSocket to AWS IoT Core.
#![warn(clippy::expect_used)]

pub mod endpoint;
pub mod presign;
