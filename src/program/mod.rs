//! What only this program needs: its command line, its retries, its output, and how it ends.

pub mod attempts;
pub mod cli;
pub mod error;
pub mod exit;
pub mod interruption;
pub mod log;
pub mod session;
pub mod stderr;
pub mod story;
pub mod values;
