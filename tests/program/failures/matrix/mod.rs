//! The rows of the fault matrix, by the phase that fails.

pub mod arguments;
pub mod bounds;
pub mod clock;
pub mod mqtt;
pub mod retries;
pub mod tls;
pub mod upgrade;
