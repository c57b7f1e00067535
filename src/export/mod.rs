//! Models in the formats of other programs: one file each.

mod libsvm;

use crate::error::Result;
use crate::study::model::SavedModel;

/// Every format; the first is the default.
pub static ALL: &[&dyn Format] = &[&libsvm::Libsvm];

/// A format.
pub trait Format: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;
    /// What it is for, on one line.
    fn summary(&self) -> &'static str;
    /// One of the models as the text of a file. Errors are of kind usage: a kind of model that the format does not
    /// have.
    fn render(&self, model: &SavedModel, fold: usize) -> Result<String>;
    /// What whoever uses the file must know.
    fn remarks(&self, model: &SavedModel, fold: usize) -> Vec<String>;
}
