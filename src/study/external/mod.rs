//! A search of an objective that another program evaluates: its file, its store, and how it is talked to.

mod ledger;
pub mod plan;
pub mod protocol;
pub mod run;

pub use ledger::{Changes, Ended, Ledger, Row};
