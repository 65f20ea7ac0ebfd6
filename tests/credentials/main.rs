//! Every source of credentials, alone and beside others, through the real binary: whose key signs, what is
//! said when a source fails, and that no secret is ever shown.
//!
//! AWS SDKs and Tools reference guide, "Standardized credential providers". No request leaves 127.0.0.1:
//! each source is pointed at a stand-in, and what is not pointed anywhere finds nobody (see `program`).

mod failures;
#[cfg(unix)]
mod files;
mod freshness;
#[path = "../gateway/mod.rs"]
mod gateway;
mod identity;
mod order;
mod profile;
mod profile_failures;
#[path = "../program/mod.rs"]
mod program;
mod secrets;
mod service_failures;
mod setup;
mod source;
mod sources;
#[path = "../stand_ins/mod.rs"]
mod stand_ins;
