//! The crate's examples, run as programs of their own against the gateway.

mod application;
mod minimal;
mod mosquitto;
#[cfg(target_os = "linux")]
mod network;
mod running;
mod session;

use test_support::{gateway, program, relay};
