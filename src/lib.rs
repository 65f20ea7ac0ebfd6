//! Connect to AWS IoT Core over MQTT 5 on a WebSocket whose upgrade request is signed with SigV4, and
//! disconnect cleanly.
//!
//! There are three parts:
//!
//! - [`transport`] opens byte streams for an MQTT client. An application copies it.
//! - [`diagnosis`] says why that failed and what to do. An application that wants to know copies it as well.
//! - [`program`] is what only this program needs. `src/main.rs` shows the five steps of a session in order.

#![warn(clippy::expect_used)]

pub mod diagnosis;
pub mod program;
pub mod transport;
