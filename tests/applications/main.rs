//! Applications that use the transport: the examples as programs of their own, and an application in this
//! process. Each runs against the gateway.

mod application;
#[path = "../support/gateway/mod.rs"]
mod gateway;
mod minimal;
#[path = "../support/mqtt_settings.rs"]
mod mqtt_settings;
#[path = "../support/program.rs"]
mod program;
mod reconnect;
mod relay;
mod running;
mod ways;
