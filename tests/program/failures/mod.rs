//! What can go wrong on the way to IoT Core, and how the program reacts. The crate's own tests have every answer of a server
//! and what is said of it; here is what needs a process: exit codes, deadlines, memory, the log, TCP and TLS.
//!
//! To add a row, put it into the file of its kind under `matrix/`. [`Row`](row::Row) shows what a row can do. To run some of
//! them: `FAULT=clock cargo test --test program every_fault`, for those with "clock" in their name.

pub mod answers;
mod matrix;
mod row;
mod settings;

use futures_util::{StreamExt, stream};

/// Rows that run at the same time. Most of them only wait.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_as_its_row_says() {
    let wanted = std::env::var("FAULT").unwrap_or_default();
    let rows = matrix::rows().into_iter().filter(|row| row.name.contains(&wanted));
    let checks = stream::iter(rows).map(|row| async move { (row.name, tokio::spawn(row.check()).await) });
    let checks: Vec<_> = checks.buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<_> = checks.iter().filter(|(_, check)| check.is_err()).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{} of {} rows: {failed:#?}", failed.len(), checks.len());
}
