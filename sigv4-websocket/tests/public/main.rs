//! The crate as an application uses it.

mod connector;
mod endpoint;
mod presign;
