//! Diagnoses of a table and its folds.

mod conflicting_labels;
mod duplicate_columns;
mod duplicate_rows;
mod imbalance;
mod index_column;
mod leaking_column;
mod left_out_columns;
mod missing_values;
mod near_duplicate_columns;
mod outliers;
mod rows_in_two_folds;
mod scaled_on_all_rows;

use super::Diagnosis;

/// Every diagnosis of data, in the order of the report.
pub static ALL: &[&dyn Diagnosis] = &[
    &left_out_columns::LeftOutColumns,
    &leaking_column::LeakingColumn,
    &rows_in_two_folds::RowsInTwoFolds,
    &index_column::IndexColumn,
    &conflicting_labels::ConflictingLabels,
    &duplicate_rows::DuplicateRows,
    &duplicate_columns::DuplicateColumns,
    &near_duplicate_columns::NearDuplicateColumns,
    &imbalance::Imbalance,
    &missing_values::MissingValues,
    &outliers::Outliers,
    &scaled_on_all_rows::ScaledOnAllRows,
];

/// A share in percent.
fn percent(part: usize, of: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / of.max(1) as f64)
}
