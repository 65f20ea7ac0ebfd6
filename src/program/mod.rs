//! What only this program needs: its command line, its retries and its output.

pub mod attempts;
pub mod cli;
pub mod error;
pub mod log;
pub mod output;
pub mod session;
pub mod values;
