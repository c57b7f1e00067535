//! What a member's company must not change: bystanders, a diverging neighbour, another slot, a resume.

use super::Plan;
use crate::engine::{Engine, Job, MemberId, Report, Snapshot};
use crate::error::Result;
use crate::verify::case::{Age, Case, Judge, Start, describe, plain_member, smooth, state};
use crate::verify::drive::{Trace, drive, keep};
use crate::verify::findings::Findings;
use crate::verify::judge::UNDISTURBED;
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// A member alone in an engine, against itself among others.
pub const ALONE: &str = "company/alone";
/// What an engine keeps of a member.
pub const KEPT: &str = "company/kept";
/// A member restored in the middle, against itself uninterrupted.
pub const RESUMED: &str = "company/resumed";

/// What guards around the members of an engine have seen.
pub const GUARDS: &str = "company/guards";

/// Bystanders on every table, and a member whose loss overflows beside the rest.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (table, job) in plan.jobs.iter().enumerate().take(plan.general_tables()) {
        for (salt, hidden) in [&[][..], &[5], &[33, 3]].into_iter().enumerate() {
            let member = plain_member(job, fold_of(5), hidden, smooth(), 5);
            let start = Start::At(state(job, &member, Age::Young, 1, 700 + salt as u32));
            let case = Case::new(UNDISTURBED.to_owned(), Kind::Exact, table, member, start);
            cases.push(
                case.epochs(0)
                    .formula("shaders/layer/dense_backward_parameters.wgsl", "src/engine/cpu/mod.rs")
                    .without_differences(),
            );
        }
    }
    let (table, job) = (1, &plan.jobs[1]);
    let member = plain_member(job, fold_of(70), &[], smooth(), 33);
    let mut snapshot = state(job, &member, Age::Young, 1, 710);
    // Its errors are about 1e30, their squares beyond f32.
    snapshot.parameters.iter_mut().for_each(|parameter| *parameter = 1e30);
    let case = Case::new("company/diverged".to_owned(), Kind::Exact, table, member, Start::At(snapshot));
    cases.push(
        case.judged(Judge::Diverges)
            .formula("shaders/kernel/loss.wgsl", "src/model/trainer.rs")
            .without_differences(),
    );
    cases
}

/// Trains some of the cases again, each alone in the engine, then from the middle of what the crowd did:
/// the bits must be the same.
pub fn check(
    findings: &mut Findings,
    engine: &mut dyn Engine,
    job: &Job,
    crowd: &[(&Case, Trace)],
    count: usize,
) -> Result<()> {
    let mut next_id: MemberId = 1 << 32;
    let trained: Vec<&(&Case, Trace)> =
        crowd.iter().filter(|(case, _)| case.judge != Judge::Diverges).collect();
    let trained: Vec<_> = trained.into_iter().filter(|(_, trace)| !trace.reports.is_empty()).collect();
    let mut chosen: Vec<usize> =
        (0..count).map(|i| i * trained.len().saturating_sub(1) / (count - 1).max(1)).collect();
    chosen.dedup();
    for (case, trace) in chosen.into_iter().filter_map(|i| trained.get(i)).copied() {
        let alone = drive(engine, &[case], &mut next_id)?.remove(0);
        same(findings, ALONE, case, job, &alone, &trace.snapshots, &trace.reports);
        let (kept_from, kept) = keep(engine, case, &mut next_id)?;
        findings.add_exact(
            "company/kept",
            Kind::Exact,
            usize::from(kept.as_ref() != Some(&kept_from)),
            || {
                format!(
                    "the parameters kept before an epoch are not those there were [{}]",
                    describe(&case.member, job)
                )
            },
        );
        if case.epochs > 1 {
            let (start, epochs) = (Start::At(trace.snapshots[1].clone()), case.epochs - 1);
            let rest = Case { start, epochs, ..(*case).clone() };
            let resumed = drive(engine, &[&rest], &mut next_id)?.remove(0);
            same(
                findings,
                "company/resumed",
                case,
                job,
                &resumed,
                &trace.snapshots[1..],
                &trace.reports[1..],
            );
        }
    }
    Ok(())
}

/// Nothing was written where it must not be, as far as the engine has guards that would tell.
pub fn guards(findings: &mut Findings, engine: &mut dyn Engine) -> Result<()> {
    let Some(faults) = engine.disturbed()? else { return Ok(()) };
    findings.add_exact(GUARDS, Kind::Exact, faults.len(), || match faults.is_empty() {
        true => "nothing was written outside the regions of members".to_owned(),
        false => faults[..faults.len().min(3)].join("; "),
    });
    Ok(())
}

fn same(
    findings: &mut Findings,
    name: &str,
    case: &Case,
    job: &Job,
    found: &Trace,
    snapshots: &[Snapshot],
    reports: &[Report],
) {
    let parts = |s: &Snapshot| [bits(&s.parameters), bits(&s.m), bits(&s.v)].concat();
    let mut different = found.snapshots.len().abs_diff(snapshots.len());
    for (a, b) in found.snapshots.iter().zip(snapshots) {
        different += parts(a).iter().zip(parts(b)).filter(|(a, b)| *a != b).count();
    }
    for (a, b) in found.reports.iter().zip(reports) {
        different += usize::from(a.train_loss.to_bits() != b.train_loss.to_bits());
        different += usize::from(a.evaluation != b.evaluation);
    }
    findings.add_exact(name, Kind::Exact, different, || {
        format!(
            "{different} numbers differ from those of the same member in a crowd [{}]",
            describe(&case.member, job)
        )
    });
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
