//! The program itself, run as a process as its users run it, against servers on loopback.

mod connect;
mod credentials;
mod failures;
mod proxy;
mod random;
mod readme;
mod real_broker;
mod terminal;

use test_support::{connect_proxy, gateway, program, stand_ins};
