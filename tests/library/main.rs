//! Parts of the library by themselves.

mod endpoint;
#[path = "../support/gateway/mod.rs"]
mod gateway;
mod presign;
mod tcp;
