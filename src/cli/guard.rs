//! Keeps what is written from replacing what it is made from, and flags from contradicting a study.

use crate::error::{Error, Result};
use crate::study::files;
use crate::study::same::inputs_of;
use std::path::Path;

/// Refuses flags beside the folder of a study, which says itself what they would; `given` are their names, and whether
/// they were.
pub fn refuse_beside_study(given: &[(&str, bool)], folder: &Path, allowed: &str) -> Result<()> {
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(Error::usage(*flag, format!("beside {}, a folder", folder.display()))
            .allowed(allowed)
            .advice(format!("leave {flag} out, or give the data file"))),
    }
}

/// Refuses an `--out` over a file of the study in a folder, the file that it was trained on, or the file that is
/// read besides; `example` is what to say instead.
pub fn refuse_needed(out: &Path, run: &Path, read: Option<&Path>, example: &str) -> Result<()> {
    let is_input = || inputs_of(run).iter().any(|input| files::is_same(input, out));
    let what = if read.is_some_and(|read| files::is_same(read, out)) {
        "the file to predict"
    } else if files::is_own(run, out) {
        "a file of the study itself"
    } else if is_input() {
        "the file that the study was trained on"
    } else {
        return Ok(());
    };
    Err(Error::usage("--out", format!("{} is {what}, and would be lost", out.display()))
        .allowed("a file that nothing else needs")
        .advice(format!("--out {example}")))
}
