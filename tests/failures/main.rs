//! The fault matrix: everything that can go wrong on the way to IoT Core, and what the program must make
//! of it. Each row runs the real binary against a server on loopback.
//!
//! To add a row, put it into the file of its kind under `rows/`, which says what a [`Row`] can do. To run
//! some of them: `FAULT=clock cargo test --test failures`, for those with "clock" in their name.

mod answers;
mod check;
#[path = "../gateway/mod.rs"]
mod gateway;
mod hints;
mod judge;
mod play;
#[path = "../program/mod.rs"]
mod program;
mod random;
mod row;
mod rows;
mod run;

use futures_util::StreamExt;
use futures_util::stream;
use row::Row;

/// Rows that run at the same time. Most of them only wait.
const AT_ONCE: usize = 8;

fn table() -> Vec<Row> {
    let mut table = Vec::new();
    table.extend(rows::arguments::rows());
    table.extend(rows::tls::rows());
    table.extend(rows::upgrade::rows());
    table.extend(rows::mqtt::rows());
    table.extend(rows::clock::rows());
    table.extend(rows::retries::rows());
    table.extend(rows::bounds::rows());
    #[cfg(unix)]
    table.extend(rows::signals::rows());
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_as_its_row_says() {
    let wanted = std::env::var("FAULT").unwrap_or_default();
    let rows: Vec<Row> = table().into_iter().filter(|row| row.name.contains(&wanted)).collect();
    let count = rows.len();
    let verdicts = stream::iter(rows).map(|row| async {
        let name = row.name;
        tokio::spawn(check::check(row)).await.unwrap_or_else(|panic| Err(format!("{name}: {panic}")))
    });
    let verdicts: Vec<Result<(), String>> = verdicts.buffer_unordered(AT_ONCE).collect().await;
    let failures: Vec<String> = verdicts.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{} of {count} rows:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn every_row_has_a_name_of_its_own() {
    let mut names: Vec<&str> = table().iter().map(|row| row.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(names.len() >= 40);
}
