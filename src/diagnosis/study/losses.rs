//! Training and validation losses on one scale: shares of the loss of a model that always says the same, so that 1 is
//! nothing learned and 0 is everything, whatever the task and the unit.
//!
//! What a training loss is: the mean over an epoch's minibatches while the parameters move, the last and shorter one
//! counting as much as the others, with dropout, label smoothing and class weights as trained. What smoothing costs at least is taken off; where dropout or weights are
//! in it, it is an upper bound of what the model itself has ([`Losses::is_raised`]). Penalties are never in it.

use super::Record;
use crate::data::{Dataset, Targets};
use crate::model::hyperparameter;
use crate::model::loss::Target;
use crate::model::recipe::Recipe;
use crate::trial::{FoldEpoch, Trial};

/// How much of the fall of its first half a curve must lose in its second to be falling still: of an exponential
/// one, that it had fewer than 2.4 time constants (e^−1.2 = 0.3).
const GOES_ON: f64 = 0.3;
/// A fall of so much is one, however it came.
pub(super) const FALL: f64 = 0.01;
/// Else so many epochs of the second half must fall.
const FALLING_EPOCHS: f64 = 0.8;
/// A best epoch is late in the last of so many parts of the epochs there are.
const PARTS: u32 = 10;
/// Fewer epochs are no curve.
pub(super) const FEWEST_EPOCHS: usize = 4;
/// An error, in standard deviations of the target, at which every loss is as good as quadratic.
const SMALL: f64 = 1e-3;

/// The losses of a trial, means over folds, as shares of the loss of a model that always says the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    /// (epoch) of the minibatches, as trained.
    pub train: Vec<f64>,
    /// (epoch) of the validation rows: cross-entropy, or squared errors.
    pub validation: Vec<f64>,
    /// The epoch of the least validation loss, from 0.
    pub best: usize,
    /// Whether the training loss is more than the model's own on the same rows, by dropout or class weights.
    pub is_raised: bool,
}

impl Losses {
    /// Of a trial, with the loss of always saying the same; `None` where it has no epochs, its data are not there, or the
    /// losses are undefined.
    pub fn of(record: &Record<'_>, trial: &Trial, ignorance: f64) -> Option<Self> {
        let dataset = record.dataset.filter(|_| record.has_epochs())?;
        let (_, recipe) = hyperparameter::build(
            &trial.configuration,
            dataset.task,
            dataset.feature_count,
            record.plan.max_epochs,
        )
        .ok()?;
        let scale = Scale::new(&recipe, dataset, ignorance);
        let folds = trial.history.fold_count();
        let epochs = trial.history.epochs().chunks_exact(folds);
        let mean = |of: &dyn Fn(usize, &FoldEpoch) -> f64| -> Vec<f64> {
            let sum = |epoch: &[FoldEpoch]| -> f64 { epoch.iter().enumerate().map(|(i, e)| of(i, e)).sum() };
            epochs.clone().map(|epoch| sum(epoch) / folds as f64).collect()
        };
        let train = mean(&|_, epoch| scale.train(epoch.train_loss));
        let validation = mean(&|fold, epoch| scale.validation(dataset, fold, epoch.score.tie_break));
        let best = (0..validation.len()).min_by(|&a, &b| validation[a].total_cmp(&validation[b]))?;
        let is_defined = train.iter().chain(&validation).all(|loss| loss.is_finite());
        is_defined.then_some(Self {
            train,
            validation,
            best,
            is_raised: recipe.dropout > 0.0 || recipe.input_dropout > 0.0 || recipe.balanced,
        })
    }

    /// Training loss at the epoch of the least validation loss.
    pub fn train_at_best(&self) -> f64 {
        self.train[self.best]
    }

    /// The least validation loss.
    pub fn least(&self) -> f64 {
        self.validation[self.best]
    }

    /// The training loss of the last epoch.
    pub fn train_at_end(&self) -> f64 {
        self.train.last().copied().unwrap_or(f64::NAN)
    }

    /// The validation loss of the last epoch.
    pub fn at_end(&self) -> f64 {
        self.validation.last().copied().unwrap_or(f64::NAN)
    }

    /// Whether a curve is at its least where it ends, or nearly: what falls back from a jump does not improve.
    pub fn ends_low(curve: &[f64]) -> bool {
        let least = (0..curve.len()).min_by(|&a, &b| curve[a].total_cmp(&curve[b]));
        least.is_some_and(|least| is_late(least as u32 + 1, curve.len() as u32))
    }

    /// Whether a curve falls still where it ends, to what it had not come to before.
    pub fn is_improving(curve: &[f64]) -> bool {
        Self::is_falling(curve) && Self::ends_low(curve)
    }

    /// A loss for people: two decimals, or a power of ten where it ran away.
    pub fn text(loss: f64) -> String {
        if loss.abs() < 1000.0 { format!("{loss:.2}") } else { format!("{loss:.1e}") }
    }

    /// Whether a curve goes on falling where it ends.
    pub fn is_falling(curve: &[f64]) -> bool {
        let (count, half) = (curve.len(), curve.len() / 2);
        if count < FEWEST_EPOCHS {
            return false;
        }
        let (early, late) = (curve[0] - curve[half], curve[half] - curve[count - 1]);
        let falls = curve[half..].windows(2).filter(|pair| pair[1] < pair[0]).count() as f64;
        let is_steady = falls >= FALLING_EPOCHS * (count - half - 1) as f64;
        late > 0.0 && late >= GOES_ON * early && (late >= FALL || is_steady)
    }
}

/// Whether an epoch, from 1, is in the last part of so many.
pub(super) fn is_late(epoch: u32, of: u32) -> bool {
    epoch >= of - of / PARTS
}

/// What turns the losses of a recipe into shares.
struct Scale {
    ignorance: f64,
    /// The least that label smoothing leaves: the entropy of the smoothed target.
    floor: f64,
    /// How many of the loss's units a squared error has.
    unit: f64,
}

impl Scale {
    fn new(recipe: &Recipe, dataset: &Dataset, ignorance: f64) -> Self {
        let Targets::Classes(_) = dataset.targets else {
            // Of a small error: a robust loss costs less than the square of a large one.
            let loss = recipe.loss.row_f64(&recipe.loss_parameters, Target::Value(0.0), &mut [SMALL]);
            return Self { ignorance, floor: 0.0, unit: SMALL * SMALL / loss };
        };
        let (smoothing, classes) =
            (recipe.loss_parameters.label_smoothing, dataset.task.output_count() as f64);
        let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let floor = term(1.0 - smoothing + smoothing / classes) + (classes - 1.0) * term(smoothing / classes);
        // So much smoothing that nothing is left to learn.
        let floor = if floor < ignorance { floor } else { 0.0 };
        Self { ignorance, floor, unit: 1.0 }
    }

    fn train(&self, loss: f64) -> f64 {
        (self.unit * loss - self.floor) / (self.ignorance - self.floor)
    }

    /// `score` is the fold's log loss, or its root mean squared error in the target's unit.
    fn validation(&self, dataset: &Dataset, fold: usize, score: f64) -> f64 {
        match dataset.target_unit(fold) {
            None => score / self.ignorance,
            Some(unit) => (score / unit.factor).powi(2),
        }
    }
}
