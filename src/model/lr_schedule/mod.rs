//! Learning-rate schedules: one file each. Evaluated on the host in f64, once per member and step.

mod constant;
mod cosine;
mod exponential;
mod one_cycle;
mod step;

/// Every learning-rate schedule.
pub static ALL: &[&dyn LrSchedule] =
    &[&constant::Constant, &step::Step, &exponential::Exponential, &cosine::Cosine, &one_cycle::OneCycle];

/// The numbers of a schedule; each reads those it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrScheduleParameters {
    /// Epochs over which the rate first rises linearly from 0; 0 is none. May be a fraction.
    pub warmup_epochs: f64,
    /// `step`: epochs between two drops.
    pub step_epochs: f64,
    /// `step`: the factor of a drop. `exponential`: the factor of an epoch.
    pub decay: f64,
}

impl Default for LrScheduleParameters {
    fn default() -> Self {
        Self { warmup_epochs: 0.0, step_epochs: 10.0, decay: 0.5 }
    }
}

/// How the learning rate changes over training.
pub trait LrSchedule: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The formula and its source, on one line.
    fn summary(&self) -> &'static str;
    /// The factor of the learning rate once `epochs` (a fraction counts the steps within one) of
    /// `total` have passed since the end of the warm-up.
    fn factor(&self, parameters: &LrScheduleParameters, epochs: f64, total: f64) -> f64;
    /// Whether the factor is always 1.
    fn is_constant(&self) -> bool {
        false
    }
}

/// The factor of the learning rate at step `step` (from 0), warm-up included.
///
/// During the warm-up it is (step + 1)/warm-up steps (Goyal et al., 2017); then the schedule runs over
/// the epochs that remain of `max_epochs`.
pub fn factor_at(
    schedule: &dyn LrSchedule,
    parameters: &LrScheduleParameters,
    step: u64,
    steps_per_epoch: u64,
    max_epochs: u32,
) -> f64 {
    let warmup_steps = (parameters.warmup_epochs * steps_per_epoch as f64).round();
    if (step as f64) < warmup_steps {
        return (step + 1) as f64 / warmup_steps;
    }
    let passed = (step as f64 - warmup_steps) / steps_per_epoch as f64;
    let total = f64::from(max_epochs) - warmup_steps / steps_per_epoch as f64;
    schedule.factor(parameters, passed, total.max(f64::MIN_POSITIVE))
}

/// Whether the factor is 1 at step `step` and at all that follow.
pub fn is_settled(
    schedule: &dyn LrSchedule,
    parameters: &LrScheduleParameters,
    step: u64,
    steps_per_epoch: u64,
) -> bool {
    schedule.is_constant() && step as f64 >= (parameters.warmup_epochs * steps_per_epoch as f64).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settled_rate_stays_whole() {
        for schedule in ALL {
            for warmup_epochs in [0.0, 0.5, 3.0] {
                let parameters = LrScheduleParameters { warmup_epochs, ..Default::default() };
                let settled = |step| is_settled(*schedule, &parameters, step, 10);
                let factor = |step| factor_at(*schedule, &parameters, step, 10, 50);
                assert!((0..500).filter(|&step| settled(step)).all(|step| factor(step) == 1.0));
                assert_eq!(settled(499), schedule.name() == "constant", "{}", schedule.name());
            }
        }
    }

    #[test]
    fn every_schedule_stays_between_nothing_and_the_whole_rate() {
        for schedule in ALL {
            for warmup_epochs in [0.0, 0.5, 3.0, 100.0] {
                let parameters = LrScheduleParameters { warmup_epochs, ..Default::default() };
                for step in 0..500 {
                    let factor = factor_at(*schedule, &parameters, step, 10, 50);
                    assert!((0.0..=1.0).contains(&factor), "{} at step {step}: {factor}", schedule.name());
                }
            }
        }
    }

    #[test]
    fn schedules_meet_their_formulas_at_known_points() {
        let parameters = LrScheduleParameters { warmup_epochs: 0.0, step_epochs: 10.0, decay: 0.5 };
        let at = |name: &str, step: u64| {
            let schedule = ALL.iter().find(|s| s.name() == name).unwrap();
            factor_at(*schedule, &parameters, step, 4, 40)
        };
        assert_eq!(at("constant", 77), 1.0);
        assert_eq!((at("step", 39), at("step", 40), at("step", 80)), (1.0, 0.5, 0.25));
        assert!((at("exponential", 8) - 0.25).abs() < 1e-15);
        assert!((at("cosine", 80) - 0.5).abs() < 1e-15);
        assert!(at("cosine", 159) < 1e-3);
        // one_cycle: starts at 1/25, peaks at 30 % of the way, ends near 1/(25·10⁴).
        assert!((at("one_cycle", 0) - 0.04).abs() < 1e-12);
        assert!((at("one_cycle", 48) - 1.0).abs() < 1e-12);
        assert!(at("one_cycle", 159) < 1e-3);
    }
}
