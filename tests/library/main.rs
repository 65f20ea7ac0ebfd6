//! Tests of single parts of the library.

mod endpoint;
#[path = "../support/gateway/mod.rs"]
mod gateway;
mod presign;
mod proxy;
mod tcp;
