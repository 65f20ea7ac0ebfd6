//! Applications that use the transport: the examples as programs of their own, and an application in this
//! process. Each runs against the gateway.

mod application;
#[path = "../support/gateway/mod.rs"]
mod gateway;
mod minimal;
#[path = "../support/program.rs"]
mod program;
mod reconnect;
mod relay;
mod running;
#[path = "../support/ways.rs"]
mod settings;
mod ways;
