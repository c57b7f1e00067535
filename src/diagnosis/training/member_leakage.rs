//! A model trained beside others is the same, to the bit, as one trained alone.

use super::small::{examples, thinned, train, with_fold};
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use crate::model::recipe::Member;

/// Members that act on each other.
pub struct MemberLeakage;

/// Rows that are trained on.
const ROWS: usize = 200;
/// Members that are trained alone too.
const ALONE: usize = 3;

impl Diagnosis for MemberLeakage {
    fn name(&self) -> &'static str {
        "member_leakage"
    }
    fn healthy(&self) -> &'static str {
        "no model acts on another that trains beside it"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let dataset = patient.dataset();
        let Some(fold) = dataset.folds.first() else { return Ok(Vec::new()) };
        let rows = with_fold(dataset, &thinned(&fold.train, ROWS), &thinned(&fold.validation, ROWS));
        let members: Vec<Member> = examples(patient)?.into_iter().map(|example| example.member).collect();
        let together = train(patient, rows.clone(), &members, 1)?;
        let mut findings = Vec::new();
        for (number, (member, beside)) in members.iter().zip(&together).enumerate().take(ALONE) {
            let alone = train(patient, rows.clone(), std::slice::from_ref(member), 1)?;
            if alone.first().is_none_or(|alone| alone.state.parameters != beside.state.parameters) {
                findings.push(self.finding(number));
            }
        }
        Ok(findings)
    }
}

impl MemberLeakage {
    fn finding(&self, number: usize) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Error,
            place: format!("model {number}"),
            seen: "alone it came to other weights than beside the others".to_owned(),
            cause: "the software, or the device".to_owned(),
            advice: "manytune --gradcheck; --engine cpu meanwhile; report it with the device's name"
                .to_owned(),
        }
    }
}
