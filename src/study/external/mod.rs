//! A search of an objective that another program evaluates: its file, its store, and how it is talked to.

mod ledger;
pub mod plan;
pub mod protocol;
pub mod run;

pub use ledger::{Changes, Ledger, Row};

use super::folder;
use super::schema::Content;
use std::path::Path;

/// Whether a folder holds a search, and not a study.
pub fn is_search(folder: &Path) -> bool {
    folder::content(folder).is_ok_and(|content| content == Content::Search)
}
