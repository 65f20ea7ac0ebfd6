//! What can go wrong on the way to IoT Core, and how the program reacts. What is said of each answer of a server is
//! tested inside the crate; here is what needs a process: exit codes, deadlines, memory, the log, TCP and TLS.
//!
//! [`Row`] shows what a row can do. `FAULT=clock cargo test --test program every_fault` runs those with "clock" in
//! their name.

pub mod answers;
mod attempts;
mod bounds;
mod refusals;
mod row;
mod settings;

use self::row::Row;
use futures_util::{StreamExt, stream};

/// Rows that run at the same time. Most of them only wait.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_as_its_row_says() {
    let wanted = std::env::var("FAULT").unwrap_or_default();
    let rows = [attempts::rows(), bounds::rows(), refusals::rows()].into_iter().flatten();
    let rows = rows.filter(|row: &Row| row.name.contains(&wanted));
    let checks = stream::iter(rows).map(async |row| (row.name, tokio::spawn(row.check()).await));
    let checks: Vec<_> = checks.buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<_> = checks.iter().filter(|(_, check)| check.is_err()).map(|(name, _)| name).collect();
    assert!(!checks.is_empty(), "no row has {wanted:?} in its name");
    assert!(failed.is_empty(), "{} of {} rows: {failed:#?}", failed.len(), checks.len());
}
