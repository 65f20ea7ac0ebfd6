//! The crate's examples, run as programs of their own against the gateway.

mod application;
mod minimal;
mod running;

use test_support::{gateway, program, relay};
