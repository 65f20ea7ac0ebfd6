//! Every source of credentials, alone and beside others, through the real binary: whose key signs, what is said when a
//! source fails, and that no secret is ever shown (AWS SDKs and Tools reference guide, "Standardized credential
//! providers"). Each source is pointed at a stand-in, and a request to anything else reaches nobody (see `program`).

mod expiry;
mod log;
mod refusals;
mod rule;
pub mod setup;
pub mod source;
mod sources;
