//! Diagnoses of what trains: small models of the space on a few rows, and quick ones on one fold.

mod initial_loss;
mod member_leakage;
mod no_signal;
mod reload;
mod row_leakage;
mod small;
mod tiny_set;

use super::Diagnosis;

/// Every diagnosis that trains, in the order of the report.
pub static ALL: &[&dyn Diagnosis] = &[
    &initial_loss::InitialLoss,
    &tiny_set::TinySet,
    &no_signal::NoSignal,
    &row_leakage::RowLeakage,
    &member_leakage::MemberLeakage,
    &reload::Reload,
];
