//! The fault matrix: everything that can go wrong on the way to IoT Core, and how the program must react.
//! Each row runs the real binary against a server on loopback.
//!
//! To add a row, put it into the file of its kind under `matrix/`. [`Row`] shows what a row can do. To run
//! some of them: `FAULT=clock cargo test --test program every_fault`, for those with "clock" in their name.

pub mod answers;
mod check;
mod matrix;
mod row;
mod run;

use self::row::Row;
use futures_util::StreamExt;
use futures_util::stream;

/// Rows that run at the same time. Most of them only wait.
const AT_ONCE: usize = 8;

fn table() -> Vec<Row> {
    let mut table = Vec::new();
    table.extend(matrix::arguments::rows());
    table.extend(matrix::tls::rows());
    table.extend(matrix::upgrade::rows());
    table.extend(matrix::mqtt::rows());
    table.extend(matrix::clock::rows());
    table.extend(matrix::retries::rows());
    table.extend(matrix::bounds::rows());
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
