//! Judges what an engine did with a case, epoch by epoch, against the f64 reference.

use super::case::{Case, Formula, Judge, describe, setting};
use super::checks::minibatch;
use super::differences;
use super::drive::Trace;
use super::findings::{Findings, Label, Measure};
use super::outcome::Kind;
use super::rounding::{self, SUBNORMAL, UNIT, Uncertain, forward, uncertain_loss};
use super::track::{Track, resume, widened};
use crate::engine::{EngineKind, Job, Report, Snapshot};
use crate::model::loss::{LossParameters, Target, cross_entropy};
use crate::model::metric::Evaluation;
use crate::model::network::initial_parameters;
use crate::model::trainer::Scratch;

/// What the checks of scores are called.
pub const SCORES: &str = "evaluation/scores";

/// What the check of the reference against the second computation is called.
pub const SECOND: &str = "reference/second_computation";

/// What the check of members that others train beside is called.
pub const UNDISTURBED: &str = "company/undisturbed";

/// How one case is judged.
pub struct Judging<'a> {
    /// The case.
    pub case: &'a Case,
    /// Its table.
    pub job: &'a Job,
    /// Which engine ran it.
    pub engine: EngineKind,
    /// Parameters of each tensor that are compared with differences.
    pub differences: usize,
}

impl Judging<'_> {
    /// All comparisons of the case.
    pub fn judge(&self, trace: &Trace) -> Findings {
        let mut findings = Findings::default();
        let case = self.case;
        if case.judge == Judge::Initial {
            self.initial(&mut findings, &trace.snapshots[0]);
        }
        if case.judge == Judge::Diverges {
            self.diverges(&mut findings, trace);
            return findings;
        }
        for (epoch, report) in trace.reports.iter().enumerate() {
            let pair = (&trace.snapshots[epoch], &trace.snapshots[epoch + 1]);
            self.epoch(&mut findings, pair, report);
            if report.diverged_at_step.is_some() {
                break;
            }
        }
        if case.judge == Judge::Order
            && let Some(after) = trace.snapshots.get(1)
        {
            minibatch::judge(&mut findings, case, self.job, &trace.snapshots[0], after, &self.suffix());
        }
        let undisturbed = trace.last.as_ref() == trace.snapshots.last();
        findings.add_exact(UNDISTURBED, Kind::Exact, usize::from(!undisturbed), || {
            format!("the state between two epochs changed while others trained {}", self.suffix())
        });
        if case.differences {
            let (setting, suffix) = (setting(self.job, &case.member), self.suffix_of(&case.formula.host));
            let start = &trace.snapshots[0];
            differences::check(&mut findings, &case.name, setting, start, self.differences, &suffix);
        }
        findings
    }

    /// What was trained, and the file of the formula that an engine ran.
    fn suffix(&self) -> String {
        self.suffix_of(self.case.formula.file(self.engine))
    }

    fn suffix_of(&self, file: &str) -> String {
        let member = &self.case.member;
        format!("[{}, fold {}; {file}]", describe(member, self.job), member.fold)
    }

    fn initial(&self, findings: &mut Findings, found: &Snapshot) {
        let Case { member, name, .. } = self.case;
        let expected =
            initial_parameters(&member.network, member.recipe.initializer, self.job.seed, member.stream());
        let fresh = Snapshot::fresh(expected);
        let different = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).filter(|(a, b)| a.to_bits() != b.to_bits()).count() + a.len().abs_diff(b.len())
        };
        let count = different(&found.parameters, &fresh.parameters)
            + different(&found.m, &fresh.m)
            + different(&found.v, &fresh.v)
            + usize::from((found.epoch, found.step) != (0, 0));
        findings.add_exact(name, Kind::Exact, count, || {
            format!("{count} numbers of a new member are not those drawn on the host {}", self.suffix())
        });
    }

    fn diverges(&self, findings: &mut Findings, trace: &Trace) {
        let expected = Some(trace.snapshots[0].step);
        let found = trace.reports.first();
        let right = found.is_some_and(|report| {
            report.diverged_at_step == expected && report.train_loss.is_nan() && report.evaluation.is_none()
        });
        findings.add_exact(&self.case.name, Kind::Exact, usize::from(!right), || {
            let found = found.map(|report| (report.diverged_at_step, report.train_loss));
            format!(
                "a loss that overflows: found (diverged at, train loss) {found:?}, expected ({expected:?}, NaN) {}",
                self.suffix()
            )
        });
    }

    /// One epoch from a known state to the engine's next.
    fn epoch(&self, findings: &mut Findings, (before, after): (&Snapshot, &Snapshot), report: &Report) {
        let Case { name, kind, member, .. } = self.case;
        let suffix = format!("{} in epoch {}", self.suffix(), before.epoch);
        let setting = setting(self.job, member);
        let (_, steps) = member.recipe.steps(setting.fold().train.len());
        self.counts(findings, (before, after), report, steps);
        if report.diverged_at_step.is_some() {
            return;
        }
        let mut track = Track::new(setting, before);
        let (mut loss, mut variance) = (0.0, 0.0);
        for _ in 0..steps {
            let (value, spread) = track.step();
            loss += value / steps as f64;
            variance += (spread / steps as f64).powi(2);
        }
        let summation = UNIT * loss.abs() * (1.0 + 0.25 * (steps as f64).sqrt());
        let expected = (loss, variance.sqrt().hypot(summation));
        let label = Label { name, kind: *kind, suffix: &suffix };
        findings.compare(label, "train loss", expected, report.train_loss);
        let plain =
            member.recipe.optimizer.state_count() == 1 && member.recipe.optimizer_parameters.momentum == 0.0;
        let m_is = if plain { "gradient (m)" } else { "m" };
        for (which, what, found) in
            [(0, "parameter", &after.parameters), (1, m_is, &after.m), (2, "v", &after.v)]
        {
            findings.compare_layers(label, &member.network, what, &track.state(which), found);
        }
        let place = format!("two f64 computations of the gradient disagree {suffix}");
        // Both round in f64: 2⁻⁵³ against 2⁻²⁴, with room for sums.
        findings.add(SECOND, Kind::Reference, Measure { error: track.disagreement, tolerance: 1e-6, place });
        match &report.evaluation {
            Some(evaluation) => self.evaluation(findings, after, evaluation, &suffix),
            None => findings.add_exact(SCORES, Kind::Exact, 1, || format!("no scores came back {suffix}")),
        }
    }

    /// Everything that is counted.
    fn counts(
        &self,
        findings: &mut Findings,
        (before, after): (&Snapshot, &Snapshot),
        report: &Report,
        steps: u64,
    ) {
        let expected = (before.epoch + 1, before.step + steps, None);
        let found = (report.epoch, report.step, report.diverged_at_step);
        let stored = (after.epoch, after.step, None);
        let count = usize::from(found != expected) + usize::from(stored != expected);
        findings.add_exact(&self.case.name, Kind::Exact, count, || {
            format!(
                "(epoch, step, diverged at): reported {found:?}, stored {stored:?}, expected {expected:?} {}",
                self.suffix()
            )
        });
    }

    /// The scores of the validation rows, at the parameters the engine ended with.
    fn evaluation(&self, findings: &mut Findings, after: &Snapshot, found: &Evaluation, suffix: &str) {
        let Case { name, kind, member, .. } = self.case;
        let setting = setting(self.job, member);
        let rows = &setting.fold().validation;
        let parameters = Uncertain::exact(widened(&after.parameters));
        let second = forward(setting, &parameters, rows, &[]).outputs;
        let mut scratch = Scratch::default();
        let reference = resume(member, self.job.seed, after);
        let transforms = &setting.fold().transforms;
        let value = reference.outputs(setting.dataset, transforms, rows, &mut scratch).to_vec();
        let outputs = Uncertain { value, spread: second.spread };
        let width = member.network.output_count;
        if self.job.with_outputs {
            let found = found.outputs.as_deref().unwrap_or_default();
            findings.compare_outputs(Label { name, kind: *kind, suffix }, &outputs, found, width);
        }
        let file = Formula::new("shaders/kernel/loss.wgsl", "src/model/trainer.rs");
        let suffix = format!("{} after epoch {}", self.suffix_of(file.file(self.engine)), after.epoch);
        let expected = reference.evaluate(setting.dataset, &mut scratch, false);
        let label = Label { name: SCORES, kind: Kind::Kernels, suffix: &suffix };
        let spreads = score_spreads(setting, rows, &outputs);
        let [loss, absolute] = [
            ("sum of validation losses", expected.loss_sum, spreads.loss_sum, found.loss_sum),
            (
                "sum of absolute errors",
                expected.absolute_error_sum,
                spreads.absolute_error_sum,
                found.absolute_error_sum,
            ),
        ];
        for (what, expected, spread, found) in [loss, absolute] {
            findings.compare(label, what, (expected, spread), found);
        }
        self.tallies(findings, &expected, found, &spreads.undecided, &suffix);
    }

    /// Rows right and predicted, by class. A row whose two largest outputs lie within rounding of each
    /// other may be counted either way.
    fn tallies(
        &self,
        findings: &mut Findings,
        expected: &Evaluation,
        found: &Evaluation,
        undecided: &[u32],
        suffix: &str,
    ) {
        let free: u32 = undecided.iter().sum();
        let mut wrong = usize::from(found.row_count != expected.row_count)
            + found.correct.len().abs_diff(expected.correct.len())
            + found.predicted.len().abs_diff(expected.predicted.len());
        for (class, (found, expected)) in found.correct.iter().zip(&expected.correct).enumerate() {
            wrong += usize::from(found.abs_diff(*expected) > undecided[class]);
        }
        for (found, expected) in found.predicted.iter().zip(&expected.predicted) {
            wrong += usize::from(found.abs_diff(*expected) > free);
        }
        findings.add_exact(SCORES, Kind::Exact, wrong, || {
            format!(
                "rows, correct and predicted by class: found {} {:?} {:?}, expected {} {:?} {:?} {suffix}",
                found.row_count,
                found.correct,
                found.predicted,
                expected.row_count,
                expected.correct,
                expected.predicted
            )
        });
    }
}

/// Standard deviations of an evaluation's sums, and the rows whose prediction rounding may decide.
struct ScoreSpreads {
    loss_sum: f64,
    absolute_error_sum: f64,
    /// (class) by true class.
    undecided: Vec<u32>,
}

fn score_spreads(setting: rounding::Setting<'_>, rows: &[u32], outputs: &Uncertain) -> ScoreSpreads {
    let width = setting.member.network.output_count;
    // Equal losses round alike: n additions at half the size of their sum, within what is allowed.
    let summation = UNIT * (1.0 + rows.len() as f64 / (2.0 * rounding::WIDTH));
    let (mut loss_sum, mut absolute_sum) = (0.0, 0.0);
    let (mut loss_variance, mut absolute_variance) = (0.0, 0.0);
    let mut undecided = vec![0; width];
    for (r, &row) in rows.iter().enumerate() {
        let span = r * width..(r + 1) * width;
        let (value, spread) = (outputs.value[span.clone()].to_vec(), outputs.spread[span].to_vec());
        match setting.target(row) {
            Target::Value(target) => {
                let error = (value[0] - target).abs();
                let spread = spread[0].hypot(UNIT * error);
                loss_sum += error * error;
                absolute_sum += error;
                loss_variance += (2.0 * error * spread + rounding::WIDTH * spread * spread).powi(2);
                absolute_variance += spread * spread;
            }
            target @ Target::Class(class) => {
                undecided[class] += u32::from(is_undecided(&value, &spread));
                let plain = LossParameters::default();
                let loss = |outputs: &mut [f64]| cross_entropy().row_f64(&plain, target, outputs);
                let ((value, spread), _) = uncertain_loss(&Uncertain { value, spread }, 0.0, loss);
                loss_sum += value;
                loss_variance += spread * spread;
            }
        }
    }
    ScoreSpreads {
        loss_sum: loss_variance.sqrt().hypot(summation * loss_sum),
        absolute_error_sum: absolute_variance.sqrt().hypot(summation * absolute_sum),
        undecided,
    }
}

/// Whether another output than the largest could be the largest after rounding. Outputs that are equal
/// and exact are decided: the first of them is the prediction.
fn is_undecided(value: &[f64], spread: &[f64]) -> bool {
    let best = (0..value.len()).max_by(|&a, &b| value[a].total_cmp(&value[b])).unwrap_or(0);
    (0..value.len()).any(|k| {
        let reach = rounding::WIDTH * spread[best].hypot(spread[k]);
        k != best && reach > SUBNORMAL && value[best] - value[k] <= reach
    })
}
