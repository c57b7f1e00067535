//! Runs cases in an engine, through its public trait alone: what is verified is what ships.

use super::case::{Case, Start};
use crate::engine::{Engine, MemberId, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::recipe::Member;
use std::collections::HashMap;

/// Names of members that are points, apart from those of cases.
const POINT_IDS: MemberId = 1 << 40;

/// What an engine did with a case.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The state at the start, then after each epoch.
    pub snapshots: Vec<Snapshot>,
    /// One per epoch.
    pub reports: Vec<Report>,
    /// The state once all other cases of the wave were done.
    pub last: Option<Snapshot>,
}

/// Runs cases together: as many at a time as the engine has room for, each epoch of all before the next.
pub fn drive(engine: &mut dyn Engine, cases: &[&Case], next_id: &mut MemberId) -> Result<Vec<Trace>> {
    let mut traces = Vec::with_capacity(cases.len());
    while traces.len() < cases.len() {
        let first = *next_id;
        let wave = admit_wave(engine, &cases[traces.len()..], next_id)?;
        let ids: Vec<MemberId> = (first..*next_id).collect();
        traces.extend(run_wave(engine, &wave, &ids)?);
        engine.retire(&ids);
    }
    Ok(traces)
}

/// Admits the first of the cases, as many as fit.
fn admit_wave<'a>(
    engine: &mut dyn Engine,
    cases: &[&'a Case],
    next_id: &mut MemberId,
) -> Result<Vec<&'a Case>> {
    let mut wave = Vec::new();
    for &case in cases {
        engine.check(&case.member)?;
        if engine.room(&case.member) == 0 {
            break;
        }
        match &case.start {
            Start::Fresh => engine.admit(*next_id, case.member.clone())?,
            Start::At(snapshot) => engine.restore(*next_id, case.member.clone(), snapshot)?,
        }
        *next_id += 1;
        wave.push(case);
    }
    if wave.is_empty() { Err(no_room(engine)) } else { Ok(wave) }
}

fn no_room(engine: &dyn Engine) -> Error {
    Error::device(engine.device(), "an empty engine has no room for a small network")
        .advice("raise --memory, or use --engine cpu")
}

/// One state of a member, to train one epoch from.
pub struct Point {
    /// The model.
    pub member: Member,
    /// Where it starts.
    pub state: Snapshot,
    /// Whether its state is read afterwards.
    pub is_read: bool,
}

/// One epoch from every point, as many at a time as the engine has room for: what it reported, and the
/// state after it of those that are read.
pub fn points(engine: &mut dyn Engine, points: Vec<Point>) -> Result<Vec<(Report, Option<Snapshot>)>> {
    let mut outcomes = Vec::with_capacity(points.len());
    let mut points = points.into_iter().peekable();
    let mut next_id = POINT_IDS;
    while points.peek().is_some() {
        let first = next_id;
        let mut reads = Vec::new();
        while let Some(point) = points.next_if(|point| engine.room(&point.member) > 0) {
            reads.push(point.is_read.then(|| point.member.network.parameter_count()));
            engine.restore(next_id, point.member, &point.state)?;
            next_id += 1;
        }
        if reads.is_empty() {
            return Err(no_room(engine));
        }
        let ids: Vec<MemberId> = (first..next_id).collect();
        for ((id, report), read) in ids.iter().zip(one_epoch(engine, &ids)?).zip(reads) {
            let state = read.map(|count| snapshots_of(engine, &[count], &[*id])).transpose()?;
            outcomes.push((report, state.and_then(|mut states| states.pop())));
        }
        engine.retire(&ids);
    }
    Ok(outcomes)
}

fn run_wave(engine: &mut dyn Engine, wave: &[&Case], ids: &[MemberId]) -> Result<Vec<Trace>> {
    let starts = snapshots(engine, wave, ids)?;
    let mut traces: Vec<Trace> =
        starts.into_iter().map(|start| Trace { snapshots: vec![start], ..Default::default() }).collect();
    // A diverged member trains no further, whatever it was meant to do.
    let mut epoch = 0;
    loop {
        let going: Vec<usize> = (0..wave.len())
            .filter(|&i| epoch < wave[i].epochs)
            .filter(|&i| traces[i].reports.last().is_none_or(|report| report.diverged_at_step.is_none()))
            .collect();
        if going.is_empty() {
            break;
        }
        let asked: Vec<MemberId> = going.iter().map(|&i| ids[i]).collect();
        let reports = one_epoch(engine, &asked)?;
        let asked_cases: Vec<&Case> = going.iter().map(|&i| wave[i]).collect();
        let snapshots = snapshots(engine, &asked_cases, &asked)?;
        for ((&i, report), snapshot) in going.iter().zip(reports).zip(snapshots) {
            traces[i].reports.push(report);
            traces[i].snapshots.push(snapshot);
        }
        epoch += 1;
    }
    for (trace, last) in traces.iter_mut().zip(snapshots(engine, wave, ids)?) {
        trace.last = Some(last);
    }
    Ok(traces)
}

fn snapshots(engine: &mut dyn Engine, cases: &[&Case], ids: &[MemberId]) -> Result<Vec<Snapshot>> {
    let counts: Vec<usize> = cases.iter().map(|case| case.member.network.parameter_count()).collect();
    snapshots_of(engine, &counts, ids)
}

/// The states of members with so many parameters each. One of another size could not even be compared.
fn snapshots_of(engine: &mut dyn Engine, counts: &[usize], ids: &[MemberId]) -> Result<Vec<Snapshot>> {
    let snapshots = engine.snapshot(ids)?;
    let wrong = |found: String, expected: String| {
        Err(Error::check(engine.device(), format!("a snapshot has {found}; expected {expected}"))
            .advice("report this with the device's name: the engine lost part of a model"))
    };
    if snapshots.len() != ids.len() {
        return wrong(format!("{} members", snapshots.len()), ids.len().to_string());
    }
    for (snapshot, &expected) in snapshots.iter().zip(counts) {
        let found = [snapshot.parameters.len(), snapshot.m.len(), snapshot.v.len()];
        if found != [expected; 3] {
            return wrong(format!("{found:?} parameters, m and v"), format!("{expected} of each"));
        }
    }
    Ok(snapshots)
}

/// Trains one epoch of each; the reports in the order of `ids`.
fn one_epoch(engine: &mut dyn Engine, ids: &[MemberId]) -> Result<Vec<Report>> {
    engine.train(ids)?;
    let mut reports: HashMap<MemberId, Report> = HashMap::new();
    while reports.len() < ids.len() {
        let news = engine.wait()?;
        if news.is_empty() {
            return Err(Error::check(
                engine.device(),
                format!("{} of {} epochs were never reported", ids.len() - reports.len(), ids.len()),
            ));
        }
        reports.extend(news.into_iter().map(|report| (report.id, report)));
    }
    ids.iter()
        .map(|id| {
            let strange =
                || Error::check("verify", format!("no report names member {id}, which was trained"));
            reports.remove(id).ok_or_else(strange)
        })
        .collect()
}

/// What [`Engine::keep`] kept: a member's parameters before an epoch, and what the snapshot after it says.
pub fn keep(
    engine: &mut dyn Engine,
    case: &Case,
    next_id: &mut MemberId,
) -> Result<(Vec<f32>, Option<Vec<f32>>)> {
    let id = *next_id;
    admit_wave(engine, &[case], next_id)?;
    let before = snapshot_of(engine, id)?.parameters;
    engine.keep(&[id])?;
    one_epoch(engine, &[id])?;
    let kept = snapshot_of(engine, id)?.kept;
    engine.retire(&[id]);
    Ok((before, kept))
}

fn snapshot_of(engine: &mut dyn Engine, id: MemberId) -> Result<Snapshot> {
    let snapshot = engine.snapshot(&[id])?.pop();
    snapshot.ok_or_else(|| Error::check(engine.device(), format!("no snapshot of member {id} came back")))
}
