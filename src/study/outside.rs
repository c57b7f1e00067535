//! What the best trial's models say of rows that they were not trained on: each fold's model of that fold's validation
//! rows. Where rows are in several (repeats), the mean; rows that are in none are predicted by a model that was trained
//! on them, and said so.

use super::model::{Predictions, SavedModel};
use super::same::{data_of, plan_of};
use super::store::Store;
use crate::data::{Dataset, Encoder, Prepared, Table, Targets};
use crate::error::Result;
use crate::model::svm::machine::Machine;
use std::path::Path;

/// The rows of a study with what its best models say of them.
pub struct Outside {
    /// The trial.
    pub trial: u64,
    /// Its fold models.
    pub model: SavedModel,
    /// The file.
    pub table: Table,
    /// Its rows, encoded and divided.
    pub prepared: Prepared,
    /// (row) What is said of it; `None` for the rows of the final test set.
    pub rows: Vec<Option<Said>>,
}

/// What is said of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// (class) probabilities or votes; of values the value alone, in the target's own unit.
    pub numbers: Vec<f64>,
    /// Whether a model said so that had trained on this very row.
    pub is_trained_on: bool,
}

impl Outside {
    /// Of the study in a folder, whose data must be there as they were. `say` hears what is odd of its files.
    pub fn of_study(folder: &Path, say: &mut dyn FnMut(&str)) -> Result<Self> {
        let model = SavedModel::of_best(folder, say)?;
        let header = Store::read(folder)?.header()?;
        let plan = plan_of(&header)?;
        let (table, prepared) = data_of(folder, &header, &plan, "tune the new data in another folder")?;
        let rows = said(&model, &prepared.dataset);
        Ok(Self { trial: model.trial, model, table, prepared, rows })
    }

    /// The rows, encoded.
    pub fn dataset(&self) -> &Dataset {
        &self.prepared.dataset
    }

    /// What encoded them.
    pub fn encoder(&self) -> &Encoder {
        &self.prepared.encoder
    }

    /// Whether what is said of classes are probabilities, and not votes.
    pub fn has_probabilities(&self) -> bool {
        self.model.machines().is_none_or(|machines| machines.iter().all(Machine::has_probabilities))
    }

    /// The rows that are said worst of, the worst first: of classes those whose own class has the least probability beside
    /// the most probable other one, of values those farthest from their own. Ties by row.
    ///
    /// The margin finds wrong labels better than the probability of the label alone: a row that resembles nothing has
    /// little of either (Northcutt, Jiang and Chuang, "Confident learning", JAIR 70, 2021, compare both).
    pub fn worst(&self) -> Vec<Mistake<'_>> {
        let rows = self.rows.iter().enumerate();
        let mut all: Vec<Mistake<'_>> =
            rows.filter_map(|(row, said)| said.as_ref().map(|said| self.mistake(row as u32, said))).collect();
        all.sort_by(|a, b| b.badness.total_cmp(&a.badness).then(a.row.cmp(&b.row)));
        all
    }

    fn mistake<'a>(&self, row: u32, said: &'a Said) -> Mistake<'a> {
        let badness = match &self.dataset().targets {
            Targets::Classes(classes) => {
                let own = classes[row as usize] as usize;
                let others = said.numbers.iter().enumerate().filter(|(class, _)| *class != own);
                others.map(|(_, p)| *p).fold(0.0, f64::max) - said.numbers[own]
            }
            Targets::Values { .. } => (said.numbers[0] - self.value(row)).abs(),
        };
        Mistake { row, said, badness }
    }

    /// A row's own value, in the target's unit; its class's number for classes.
    pub fn value(&self, row: u32) -> f64 {
        match &self.dataset().targets {
            Targets::Classes(classes) => f64::from(classes[row as usize]),
            Targets::Values { stored, centre, scale } => centre + scale * f64::from(stored[row as usize]),
        }
    }
}

/// A row, and how wrong its prediction is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake<'a> {
    /// Of the data set.
    pub row: u32,
    /// What is said of it.
    pub said: &'a Said,
    /// The largest probability of another class minus that of its own, or the distance from its own value.
    pub badness: f64,
}

/// (row) The mean of what the models say that have not trained on it; of one in no fold's validation rows, of all that
/// have.
fn said(model: &SavedModel, dataset: &Dataset) -> Vec<Option<Said>> {
    let width = model.class_names().len().max(1);
    let (mut sums, mut counts) = (vec![0.0; dataset.row_count() * width], vec![0_u32; dataset.row_count()]);
    let mut is_trained_on = vec![false; dataset.row_count()];
    let mut add = |fold: usize, rows: &[u32], counts: &mut [u32]| {
        let features: Vec<f32> = rows.iter().flat_map(|&row| dataset.row(row)).copied().collect();
        let (Predictions::Probabilities(numbers)
        | Predictions::Votes(numbers)
        | Predictions::Values(numbers)) = model.one_fold(fold).predict(&features);
        for (&row, numbers) in rows.iter().zip(numbers.chunks_exact(width)) {
            let at = row as usize * width;
            sums[at..at + width].iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
            counts[row as usize] += 1;
        }
    };
    for (number, fold) in dataset.folds.iter().enumerate() {
        add(number, &fold.validation, &mut counts);
    }
    let is_new = |counts: &[u32], row: u32| counts[row as usize] == 0;
    let validated = counts.clone();
    for (number, fold) in dataset.folds.iter().enumerate() {
        let rows: Vec<u32> = fold.train.iter().copied().filter(|&row| is_new(&validated, row)).collect();
        rows.iter().for_each(|&row| is_trained_on[row as usize] = true);
        add(number, &rows, &mut counts);
    }
    let rows = sums.chunks_exact(width).zip(&counts).zip(&is_trained_on);
    rows.map(|((sums, &count), &is_trained_on)| {
        let numbers = sums.iter().map(|sum| sum / f64::from(count)).collect();
        (count > 0).then_some(Said { numbers, is_trained_on })
    })
    .collect()
}
