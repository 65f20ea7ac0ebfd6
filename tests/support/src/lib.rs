//! What the tests of both packages share. Nothing here depends on the crate, whose unit tests would otherwise see two
//! versions of its types.

pub mod connect_proxy;
pub mod gateway;
pub mod mosquitto;
pub mod program;
pub mod relay;
pub mod stand_ins;
