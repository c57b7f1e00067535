//! What a model says of a row must not depend on the other rows beside it, and what it learns not on rows outside its
//! training rows: both to the bit.

use super::small::{examples, thinned, train, with_fold};
use crate::data::Dataset;
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use crate::model::recipe::Member;
use std::collections::HashSet;

/// Rows that act on each other.
pub struct RowLeakage;

/// Rows that are trained and scored.
const ROWS: usize = 200;
/// Members that are tried.
const MEMBERS: usize = 3;

impl Diagnosis for RowLeakage {
    fn name(&self) -> &'static str {
        "row_leakage"
    }
    fn healthy(&self) -> &'static str {
        "no row acts on another row's prediction"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let dataset = patient.dataset();
        let Some(fold) = dataset.folds.first() else { return Ok(Vec::new()) };
        let rows = with_fold(dataset, &thinned(&fold.train, ROWS), &thinned(&fold.validation, ROWS));
        let members: Vec<Member> =
            examples(patient)?.into_iter().take(MEMBERS).map(|example| example.member).collect();
        let fold = &rows.folds[0];
        // Every second validation row keeps its numbers; all rows that are in no list lose theirs.
        let kept: HashSet<u32> =
            fold.train.iter().chain(fold.validation.iter().step_by(2)).copied().collect();
        let before = train(patient, rows.clone(), &members, 1)?;
        let after = train(patient, disturbed(&rows, &kept), &members, 1)?;
        let width = dataset.task.output_count();
        let differs = before.iter().zip(&after).position(|(before, after)| {
            let outputs = |trained: &super::small::Trained| -> Option<Vec<u32>> {
                let outputs = trained.report.evaluation.as_ref()?.outputs.as_ref()?;
                Some(outputs.chunks(width).step_by(2).flatten().map(|x| x.to_bits()).collect())
            };
            before.state.parameters != after.state.parameters || outputs(before) != outputs(after)
        });
        Ok(differs.into_iter().map(|member| self.finding(member)).collect())
    }
}

/// The same with other numbers in the rows that are not kept.
fn disturbed(dataset: &Dataset, kept: &HashSet<u32>) -> Dataset {
    let mut disturbed = dataset.clone();
    for (row, features) in disturbed.features.chunks_exact_mut(dataset.feature_count.max(1)).enumerate() {
        if !kept.contains(&(row as u32)) {
            features.iter_mut().for_each(|x| *x = 3.0 - 2.0 * *x);
        }
    }
    disturbed
}

impl RowLeakage {
    fn finding(&self, member: usize) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Error,
            place: format!("model {member}"),
            seen: "other numbers in some rows changed the predictions of rows that had stayed the same"
                .to_owned(),
            cause: "the software: every row is its own".to_owned(),
            advice: "manytune --gradcheck; --engine cpu meanwhile; report it with the device's name"
                .to_owned(),
        }
    }
}
