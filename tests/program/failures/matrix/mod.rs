//! The rows of the fault matrix.

mod attempts;
mod bounds;
mod refusals;

use super::row::Row;

pub fn rows() -> Vec<Row> {
    [refusals::rows(), attempts::rows(), bounds::rows()].into_iter().flatten().collect()
}
