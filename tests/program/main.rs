//! The program itself, run as a process as its users run it, against servers on loopback.

mod connect;
#[path = "../support/connect_proxy.rs"]
mod connect_proxy;
mod credentials;
mod failures;
#[path = "../support/gateway/mod.rs"]
mod gateway;
#[path = "../support/program.rs"]
mod program;
mod proxy;
mod random;
mod readme;
mod real_broker;
#[path = "../support/stand_ins/mod.rs"]
mod stand_ins;
mod terminal;
