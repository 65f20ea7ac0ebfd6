//! Tests of the gateway itself: that it accepts AWS's own signatures and nothing else, that it records what
//! happened on a connection, and that a client notices each kind of misbehaviour.

mod client;
mod conversations;
mod misbehaviour;
mod presigned;
mod signatures;
mod tls;

use test_support::gateway;
