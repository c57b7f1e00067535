//! Verifies exactly what a study will run: its members' shapes and families, on its data.

use super::case::{Age, Case, Start, sgd, state};
use super::outcome::Kind;
use super::{Open, Options, Outcome, describe_device, judged, outcome};
use crate::data::{Dataset, Fold, Targets};
use crate::engine::Job;
use crate::error::Result;
use crate::model::recipe::Member;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Validation rows of each fold that are scored.
const VALIDATION_ROWS: usize = 64;

/// Parameters of each tensor that are compared with differences.
const DIFFERENCES: usize = 3;

/// Products in one forward pass beyond which the reference is not compared with differences: they take
/// hundreds of passes in plain f64 loops, and say of a formula what they say of it in a small network.
const MOST_PRODUCTS: usize = 1_000_000;

/// Checks each member at its initial parameters: outputs, one step, and the gradient of that step.
///
/// The table is cut to one minibatch per fold and batch size, so that an epoch is one step.
pub fn members(options: &Options, job: &Job, members: &[Member], open: Open<'_>) -> Result<Outcome> {
    let (dataset, members) = one_step_each(&job.dataset, members);
    let job = Job { dataset: Arc::new(dataset), seed: job.seed, with_outputs: true };
    let mut cases = Vec::new();
    for (number, member) in members.iter().enumerate() {
        let name = name_of(number, member);
        // The gradient, read through plain gradient descent, where the study begins; then beside that, since
        // biases of 0 leave units behind dead ones exactly at a kink, where no difference is a slope; then
        // the step that the study takes.
        let mut plain = member.clone();
        plain.recipe.optimizer = sgd();
        plain.recipe.optimizer_parameters.momentum = 0.0;
        let products = plain.network.parameter_count() * job.dataset.folds[plain.fold].train.len();
        let beside = Start::At(state(&job, &plain, Age::Young, 0, number as u32));
        for (start, differences) in [(Start::Fresh, false), (beside, products <= MOST_PRODUCTS)] {
            let mut case = Case::new(name.clone(), Kind::Kernels, 0, plain.clone(), start)
                .formula("shaders/layer/dense_forward.wgsl", "src/model/network.rs");
            case.differences = differences;
            cases.push(case);
        }
        let optimizer = member.recipe.optimizer.name();
        let (shader, host) =
            (format!("shaders/optimizer/{optimizer}.wgsl"), format!("src/model/optimizer/{optimizer}.rs"));
        // From a state with moments: the first step of Adam from nothing is all but the sign of a gradient,
        // which rounding decides where that is near 0.
        let start = Start::At(state(&job, member, Age::Young, 0, number as u32));
        let case = Case::new(name, Kind::Steps, 0, member.clone(), start);
        cases.push(case.formula(&shader, &host).without_differences());
    }
    let cases = super::selected(cases, options.only.as_deref())?;
    let mut engine = open(job.clone())?;
    let cases: Vec<&Case> = cases.iter().collect();
    let traces = super::drive(engine.as_mut(), &cases, &mut 0)?;
    let pairs: Vec<_> = cases.into_iter().zip(traces).collect();
    let mut findings = judged(&pairs, &job, engine.kind(), DIFFERENCES);
    super::checks::company::guards(&mut findings, engine.as_mut())?;
    Ok(outcome(describe_device(engine.as_ref()), findings, options.only.as_deref()))
}

/// `study/3 7-64-3 relu adamw`.
fn name_of(number: usize, member: &Member) -> String {
    let mut widths = vec![member.network.input_count];
    widths.extend(&member.network.hidden);
    widths.push(member.network.output_count);
    let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
    let (activation, optimizer) = (member.network.activation.name(), member.recipe.optimizer.name());
    format!("study/{number} {} {activation} {optimizer}", widths.join("-"))
}

/// The table cut to the rows that are needed, and the members on its folds: one fold for each pair of
/// fold and batch size, with one minibatch of training rows.
fn one_step_each(dataset: &Dataset, members: &[Member]) -> (Dataset, Vec<Member>) {
    let mut folds: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut cut = Cut { dataset, rows: BTreeMap::new() };
    let mut made: Vec<Fold> = Vec::new();
    let moved = members.iter().map(|member| {
        let key = (member.fold, member.recipe.batch_size);
        let fold = *folds.entry(key).or_insert_with(|| {
            made.push(cut.fold(&dataset.folds[key.0], key.1));
            made.len() - 1
        });
        Member { fold, ..member.clone() }
    });
    let moved: Vec<Member> = moved.collect();
    (cut.finish(made), moved)
}

/// Collects the rows that are needed and numbers them anew.
struct Cut<'a> {
    dataset: &'a Dataset,
    /// Old number → new.
    rows: BTreeMap<u32, u32>,
}

impl Cut<'_> {
    fn fold(&mut self, fold: &Fold, batch_size: usize) -> Fold {
        let train = self.spread(&fold.train, batch_size);
        let validation = self.spread(&fold.validation, VALIDATION_ROWS);
        Fold { train, validation, ..fold.clone() }
    }

    /// At most `count` of the rows, evenly from all of them: sorted tables have all classes.
    fn spread(&mut self, rows: &[u32], count: usize) -> Vec<u32> {
        let count = count.min(rows.len());
        (0..count).map(|i| self.number(rows[i * rows.len() / count])).collect()
    }

    fn number(&mut self, row: u32) -> u32 {
        let next = self.rows.len() as u32;
        *self.rows.entry(row).or_insert(next)
    }

    fn finish(self, mut folds: Vec<Fold>) -> Dataset {
        for fold in &mut folds {
            fold.train.sort_unstable();
            fold.validation.sort_unstable();
        }
        let mut old: Vec<(u32, u32)> = self.rows.iter().map(|(&old, &new)| (new, old)).collect();
        old.sort_unstable();
        let rows = || old.iter().map(|&(_, old)| old);
        let targets = match &self.dataset.targets {
            Targets::Classes(classes) => Targets::Classes(rows().map(|row| classes[row as usize]).collect()),
            Targets::Values { stored, centre, scale } => Targets::Values {
                stored: rows().map(|row| stored[row as usize]).collect(),
                centre: *centre,
                scale: *scale,
            },
        };
        Dataset {
            task: self.dataset.task,
            feature_count: self.dataset.feature_count,
            features: rows().flat_map(|row| self.dataset.row(row)).copied().collect(),
            targets,
            folds,
        }
    }
}
