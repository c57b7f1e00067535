//! Whether there is anything to learn: quick models against one that always says the same, against a linear one, and
//! against themselves without inputs.

use super::small::{Example, Trained, examples, thinned, train, with_fold};
use crate::data::{Dataset, Targets};
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use crate::model::recipe::Member;

/// Scores no better than without features.
pub struct NoSignal;

/// Epochs of a quick model, and of one without inputs, which has a bias to learn.
const EPOCHS: u32 = 20;
const BLIND_EPOCHS: u32 = 5;
/// Rows that it trains and is scored on: so many numbers, within limits.
const NUMBERS: usize = 1_000_000;
const FEWEST_ROWS: usize = 512;
const MOST_ROWS: usize = 4096;
/// Standard errors by which the best of some models must beat one that always says the same.
const FAR: f64 = 3.0;

impl Diagnosis for NoSignal {
    fn name(&self) -> &'static str {
        "no_signal"
    }
    fn healthy(&self) -> &'static str {
        "quick models beat one that always says the same"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let dataset = patient.dataset();
        let Some(fold) = dataset.folds.first() else { return Ok(Vec::new()) };
        let most = (NUMBERS / dataset.feature_count.max(1)).clamp(FEWEST_ROWS, MOST_ROWS);
        let rows = with_fold(dataset, &thinned(&fold.train, most), &thinned(&fold.validation, most));
        let blind = Dataset { features: vec![0.0; rows.features.len()], ..rows.clone() };
        let examples = examples(patient)?;
        let is_machine = examples.iter().any(|example| example.member.recipe.machine.is_some());
        let quick = |example: &Example| {
            let mut member = example.member.clone();
            member.recipe.max_epochs = EPOCHS;
            member
        };
        let mut members: Vec<Member> = examples.iter().map(quick).collect();
        // The last one has no hidden layers: the linear model.
        if !is_machine && let Some(mut linear) = members.first().cloned() {
            linear.network.hidden.clear();
            members.push(linear);
        }
        let epochs = if is_machine { 1 } else { EPOCHS };
        let seeing = train(patient, rows.clone(), &members, epochs)?;
        let unseeing = train(patient, blind, &members, epochs.min(BLIND_EPOCHS))?;
        let judged = Judged { dataset: &rows };
        let constant = judged.of_constant();
        let best = |all: &[Trained]| {
            all.iter().map(|trained| judged.score(trained)).fold(f64::NEG_INFINITY, f64::max)
        };
        let (best_score, without) = (best(&seeing), best(&unseeing));
        let linear = match is_machine {
            true => String::new(),
            false => format!(", linear {}", judged.text(best(&seeing[members.len() - 1..]))),
        };
        patient.say(format!(
            "{} of fold 0: always the same {}, without inputs {}{linear}, best of {} quick models {}",
            judged.name(),
            judged.text(constant),
            judged.text(without),
            members.len(),
            judged.text(best_score)
        ));
        let best_one = seeing.iter().max_by(|a, b| judged.score(a).total_cmp(&judged.score(b)));
        let error = best_one.map_or(f64::NAN, |trained| judged.error_beside_constant(trained));
        // Where no model has a score there is nothing to compare.
        if best_score - constant > FAR * error || !best_score.is_finite() {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("target {}", patient.prepared.encoder.target_name()),
            seen: format!(
                "the best of {} quick models has {} {}, one that always says the same {} (within {FAR} standard errors)",
                members.len(),
                judged.name(),
                judged.text(best_score),
                judged.text(constant)
            ),
            cause: "labels that have nothing to do with the features: shuffled, of other rows, or noise"
                .to_owned(),
            advice: "check that rows and labels belong together; look for columns that say more".to_owned(),
        }])
    }
}

/// Scores of validation rows: the share that is right, or the share of the variance that is explained.
struct Judged<'a> {
    dataset: &'a Dataset,
}

impl Judged<'_> {
    fn name(&self) -> &'static str {
        if matches!(self.dataset.targets, Targets::Classes(_)) { "accuracy" } else { "R2" }
    }

    fn text(&self, score: f64) -> String {
        format!("{score:.3}")
    }

    /// Validation rows whose class is the most frequent of the training rows; 0 for values: their mean explains
    /// nothing.
    fn of_constant(&self) -> f64 {
        let (fold, Targets::Classes(classes)) = (&self.dataset.folds[0], &self.dataset.targets) else {
            return 0.0;
        };
        let mut counts = vec![0_usize; self.dataset.task.output_count()];
        fold.train.iter().for_each(|&row| counts[classes[row as usize] as usize] += 1);
        let most = counts.iter().enumerate().max_by_key(|(class, count)| (**count, usize::MAX - class));
        let most = most.map_or(0, |(class, _)| class as u32);
        let right = fold.validation.iter().filter(|&&row| classes[row as usize] == most).count();
        right as f64 / fold.validation.len().max(1) as f64
    }

    fn score(&self, trained: &Trained) -> f64 {
        match self.name() {
            "accuracy" => trained.correct() as f64 / self.dataset.folds[0].validation.len().max(1) as f64,
            _ => 1.0 - trained.loss() / self.spread(),
        }
    }

    /// (validation row) standardised values; empty for classes. The mean of the training rows is 0.
    fn values(&self) -> Vec<f64> {
        let (fold, Targets::Values { stored, .. }) = (&self.dataset.folds[0], &self.dataset.targets) else {
            return Vec::new();
        };
        fold.validation.iter().map(|&row| f64::from(fold.target.apply(stored[row as usize]))).collect()
    }

    /// Mean squared distance of validation values from the mean of the training rows.
    fn spread(&self) -> f64 {
        let values = self.values();
        let sum: f64 = values.iter().map(|value| value * value).sum();
        (sum / values.len().max(1) as f64).max(f64::MIN_POSITIVE)
    }

    /// The standard error of the difference between a model's score and that of always saying the same: paired, both
    /// are judged on the same rows.
    fn error_beside_constant(&self, trained: &Trained) -> f64 {
        let count = self.dataset.folds[0].validation.len().max(1) as f64;
        if self.name() == "accuracy" {
            let p = self.score(trained).max(self.of_constant()).clamp(1.0 / count, 1.0 - 1.0 / count);
            return (p * (1.0 - p) / count).sqrt();
        }
        let outputs = trained.report.evaluation.as_ref().and_then(|scores| scores.outputs.as_deref());
        let pairs = self.values().into_iter().zip(outputs.unwrap_or_default());
        let gains: Vec<f64> =
            pairs.map(|(value, &said)| value * value - (value - f64::from(said)).powi(2)).collect();
        let mean = gains.iter().sum::<f64>() / count;
        let variance = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / count;
        (variance / count).sqrt() / self.spread()
    }
}
