//! Tests of the gateway itself: that it accepts AWS's own signatures and nothing else, that its
//! record tells how a connection went, and that each way to misbehave is seen by a client.

mod client;
mod conversations;
#[path = "../support/gateway/mod.rs"]
mod gateway;
mod misbehaviour;
mod presigned;
mod signatures;
mod tls;
