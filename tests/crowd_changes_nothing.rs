//! A member's bits do not depend on its company: alone, in a crowd, in another slot, in waves, beside a
//! diverged neighbour, and after a resume or a pause anywhere, on both engines.

mod common;

use common::{member, train};
use manytune::data::Task;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::gpu::GpuEngine;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::{Engine, EngineKind, Job, MemoryLimit, Report, Snapshot};
use manytune::model::recipe::Member;
use manytune::model::trainer::{Scratch, Trainer};
use manytune::model::{activation, optimizer};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

const EPOCHS: u32 = 3;

/// All of a member on chip, some of it, and nothing.
const PLANS: [&str; 4] = ["tiled", "resident", "weights-activations-32k", "weights-32k"];

fn job() -> Job {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 60, 5, 3);
    Job { dataset: Arc::new(dataset), seed: 99, with_outputs: true }
}

/// Members of many shapes, batch sizes and optimizers; some clip, some drop units.
fn crowd(job: &Job, count: usize) -> Vec<Member> {
    let shapes: [&[usize]; 6] = [&[], &[3], &[17], &[8, 8], &[35, 4], &[6, 5, 4]];
    (0..count)
        .map(|i| {
            let mut one = member(job, shapes[i % 6], |network, recipe| {
                network.activation = activation::ALL[i % activation::ALL.len()];
                recipe.optimizer = optimizer::ALL[i % optimizer::ALL.len()];
                recipe.learning_rate = 0.001 * (1 + i % 5) as f64;
                recipe.batch_size = [1, 8, 13, 40, 64][i % 5];
                recipe.dropout = if i % 4 == 1 { 0.3 } else { 0.0 };
                recipe.clip_norm = if i % 7 == 3 { 0.5 } else { 0.0 };
            });
            one.fold = i % 3;
            one
        })
        .collect()
}

/// Every engine under test, made anew; `small` forces waves: little memory, so many shards.
fn engines(job: &Job, small: bool) -> Vec<(&'static str, Box<dyn Engine>)> {
    let memory = small.then_some(MemoryLimit::Bytes(128 << 10));
    let mut engines: Vec<(&'static str, Box<dyn Engine>)> =
        vec![("cpu", Box::new(CpuEngine::within(job.clone(), None, memory).unwrap()))];
    let memory = small.then_some(MemoryLimit::Bytes(400 << 10));
    for plans in PLANS {
        let Some(device) = common::gpu() else { break };
        let engine = GpuEngine::new(job.clone(), device, memory).unwrap();
        engines.push((plans, Box::new(engine.with_plans(Plans::named(plans).unwrap()))));
    }
    engines
}

fn assert_same(name: &str, (report, state): &(Report, Snapshot), (other, other_state): &(Report, Snapshot)) {
    assert_eq!(report.epoch, other.epoch, "{name}");
    assert_eq!(report.train_loss.to_bits(), other.train_loss.to_bits(), "{name}: train loss");
    let (a, b) = (report.evaluation.as_ref().unwrap(), other.evaluation.as_ref().unwrap());
    assert_eq!(a.loss_sum.to_bits(), b.loss_sum.to_bits(), "{name}: loss");
    assert_eq!(a, b, "{name}: evaluation");
    let bits = |state: &Snapshot| {
        let parts = [&state.parameters, &state.m, &state.v];
        parts.iter().flat_map(|part| part.iter().map(|x| x.to_bits())).collect::<Vec<u32>>()
    };
    assert_eq!(bits(state), bits(other_state), "{name}: state");
}

#[test]
fn alone_or_in_a_crowd_or_in_another_slot() {
    let job = job();
    let members = crowd(&job, 48);
    for ((name, mut together), (_, mut backwards)) in
        engines(&job, false).into_iter().zip(engines(&job, false))
    {
        let crowded = train(together.as_mut(), &members, EPOCHS);
        let reversed: Vec<Member> = members.iter().rev().cloned().collect();
        let mut other_slots = train(backwards.as_mut(), &reversed, EPOCHS);
        other_slots.reverse();
        for (i, (one, other)) in crowded.iter().zip(&other_slots).enumerate() {
            assert_same(&format!("{name}, member {i}, other slot"), one, other);
        }
        for i in [0, 1, 9, 24, 47] {
            let (_, mut alone) = engines(&job, false).into_iter().find(|(n, _)| *n == name).unwrap();
            let lonely = train(alone.as_mut(), &members[i..=i], EPOCHS);
            assert_same(&format!("{name}, member {i}, alone"), &crowded[i], &lonely[0]);
        }
    }
}

/// A member alone, alone once more, and in a thousand: the first, one of the middle, the last.
#[test]
fn among_a_thousand() {
    let job = job();
    let mut members = crowd(&job, 1000);
    // Few steps each: a software adapter takes them one after another.
    members.iter_mut().for_each(|member| member.recipe.batch_size = member.recipe.batch_size.max(20));
    for (name, mut together) in engines(&job, false) {
        let crowded = train(together.as_mut(), &members, 1);
        for i in [0, 499, 999] {
            let alone = || {
                let (_, mut engine) = engines(&job, false).into_iter().find(|(n, _)| *n == name).unwrap();
                train(engine.as_mut(), &members[i..=i], 1).remove(0)
            };
            let (once, twice) = (alone(), alone());
            assert_same(&format!("{name}, member {i}, twice"), &once, &twice);
            assert_same(&format!("{name}, member {i} of a thousand"), &crowded[i], &once);
        }
    }
}

/// Threads that have no member help those that have one: products and updates large enough are split.
#[test]
fn on_one_thread_or_helped_by_three_or_among_many() {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 330, 40, 3);
    let job = Job { dataset: Arc::new(dataset), seed: 99, with_outputs: true };
    let large = member(&job, &[256, 257], |network, recipe| {
        network.activation = activation::ALL[1];
        recipe.optimizer = optimizer::ALL[3];
        recipe.batch_size = 150;
        recipe.dropout = 0.1;
    });
    let engine = |threads| CpuEngine::new(job.clone(), Some(threads)).unwrap();
    let alone = train(&mut engine(1), std::slice::from_ref(&large), EPOCHS).remove(0);
    for round in 0..5 {
        let helped = train(&mut engine(4), std::slice::from_ref(&large), EPOCHS).remove(0);
        assert_same(&format!("helped, round {round}"), &alone, &helped);
    }
    let mut members = crowd(&job, 12);
    members.extend([large.clone(), large]);
    for crowded in &train(&mut engine(4), &members, EPOCHS)[12..] {
        assert_same("among many", &alone, crowded);
    }
}

/// Rooms that fill up: members are admitted when others leave, into slots used before.
#[test]
fn in_waves_through_small_arenas() {
    let job = job();
    let members = crowd(&job, 24);
    for ((name, mut roomy), (_, mut small)) in engines(&job, false).into_iter().zip(engines(&job, true)) {
        let expected = train(roomy.as_mut(), &members, EPOCHS);
        let mut waiting: Vec<usize> = (0..members.len()).rev().collect();
        let mut waves = 0;
        while !waiting.is_empty() {
            let mut wave = Vec::new();
            while let Some(&next) = waiting.last()
                && wave.len() < 7
                && small.room(&members[next]) > 0
            {
                small.admit(next as u64, members[next].clone()).unwrap();
                wave.push(next as u64);
                waiting.pop();
            }
            assert!(!wave.is_empty(), "{name}: no room for a member in an empty engine");
            small.train(&wave).unwrap();
            loop {
                let reports = small.wait().unwrap();
                if reports.is_empty() {
                    break;
                }
                for report in reports {
                    if report.epoch < EPOCHS {
                        small.train(&[report.id]).unwrap();
                        continue;
                    }
                    let state = small.snapshot(&[report.id]).unwrap().remove(0);
                    let id = report.id;
                    assert_same(
                        &format!("{name}, member {id}, waves"),
                        &expected[id as usize],
                        &(report, state),
                    );
                    small.retire(&[id]);
                }
            }
            waves += 1;
        }
        assert!(waves >= 4, "{name}: the arenas were not small");
    }
}

#[test]
fn beside_a_member_that_diverges() {
    let job = job();
    let calm = crowd(&job, 6);
    let wild = member(&job, &[8], |network, recipe| {
        network.activation = activation::ALL[0];
        recipe.learning_rate = 1e20;
    });
    for ((name, mut clean), (_, mut mixed)) in engines(&job, false).into_iter().zip(engines(&job, false)) {
        let expected = train(clean.as_mut(), &calm, EPOCHS);
        let ids: Vec<u64> = (0..7).collect();
        for (&id, one) in ids.iter().zip(calm.iter().chain([&wild])) {
            mixed.admit(id, one.clone()).unwrap();
        }
        mixed.train(&ids).unwrap();
        let mut diverged = None;
        let mut found = std::collections::BTreeMap::new();
        loop {
            let reports = mixed.wait().unwrap();
            if reports.is_empty() {
                break;
            }
            for report in reports {
                if report.id == 6 {
                    assert!(report.evaluation.is_none() && report.train_loss.is_nan());
                    diverged = report.diverged_at_step;
                } else if report.epoch < EPOCHS {
                    mixed.train(&[report.id]).unwrap();
                } else {
                    found.insert(report.id, report);
                }
            }
        }
        let step = diverged.expect("a rate of 1e20 diverges");
        assert!((1..=4).contains(&step), "{name}: diverged at step {step}");
        for (id, report) in found {
            let state = mixed.snapshot(&[id]).unwrap().remove(0);
            assert_same(&format!("{name}, member {id}"), &expected[id as usize], &(report, state));
        }
    }
}

#[test]
fn after_a_resume_with_what_was_kept() {
    let job = job();
    let members = crowd(&job, 12);
    for ((name, mut whole), (_, mut first)) in engines(&job, false).into_iter().zip(engines(&job, false)) {
        let expected = train(whole.as_mut(), &members, EPOCHS);
        let half = train(first.as_mut(), &members, 1);
        let ids: Vec<u64> = (0..members.len() as u64).collect();
        first.keep(&ids).unwrap();
        let saved = first.snapshot(&ids).unwrap();
        let (_, mut second) = engines(&job, false).into_iter().find(|(n, _)| *n == name).unwrap();
        for ((&id, one), state) in ids.iter().zip(&members).zip(&saved) {
            assert_eq!(state.kept.as_ref(), Some(&half[id as usize].1.parameters), "{name}: kept");
            second.restore(id, one.clone(), state).unwrap();
        }
        for epoch in 2..=EPOCHS {
            second.train(&ids).unwrap();
            let mut reports = Vec::new();
            while reports.len() < ids.len() {
                reports.extend(second.wait().unwrap());
            }
            if epoch == EPOCHS {
                for report in reports {
                    let id = report.id;
                    let state = second.snapshot(&[id]).unwrap().remove(0);
                    assert_eq!(state.kept, saved[id as usize].kept, "{name}: kept after a resume");
                    let found = (report, state);
                    assert_same(&format!("{name}, member {id}, resumed"), &expected[id as usize], &found);
                }
            }
        }
    }
}

/// 600 training rows, 300 to score in two ticks; epochs of 75, 8, 4, 2 and 1 steps.
fn long_epochs() -> (Job, Vec<Member>) {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 900, 5, 3);
    let job = Job { dataset: Arc::new(dataset), seed: 99, with_outputs: true };
    let mut members = crowd(&job, 12);
    let batches = [8, 75, 150, 300, 600].into_iter().cycle();
    members.iter_mut().zip(batches).for_each(|(member, batch)| member.recipe.batch_size = batch);
    (job, members)
}

/// The engine of a name, whose submissions on a device are of one step each.
fn by_steps(job: &Job, name: &str) -> Box<dyn Engine> {
    match common::gpu() {
        Some(device) if name != "cpu" => {
            let engine = GpuEngine::new(job.clone(), device, None).unwrap().with_submissions_of(0.0);
            Box::new(engine.with_plans(Plans::named(name).unwrap()))
        }
        _ => Box::new(CpuEngine::new(job.clone(), Some(2)).unwrap()),
    }
}

/// What is known of a member between two pauses.
#[derive(Default)]
struct Parted {
    state: Option<Snapshot>,
    last: Option<Report>,
}

impl Parted {
    fn has_ended(&self) -> bool {
        self.last.as_ref().is_some_and(|report| report.epoch == EPOCHS)
    }
}

/// Trains every member that has not ended in a new engine, for a while that depends on `round`, and
/// pauses them wherever they are.
fn train_for_a_while(engine: &mut dyn Engine, members: &[Member], parts: &mut [Parted], round: u32) {
    let ids: Vec<u64> = (0..members.len() as u64).filter(|&id| !parts[id as usize].has_ended()).collect();
    for &id in &ids {
        match &parts[id as usize].state {
            Some(state) => engine.restore(id, members[id as usize].clone(), state).unwrap(),
            None => engine.admit(id, members[id as usize].clone()).unwrap(),
        }
    }
    engine.train(&ids).unwrap();
    match engine.kind() {
        EngineKind::Cpu => std::thread::sleep(Duration::from_micros(u64::from(round % 4) * 500)),
        EngineKind::Gpu => {}
    }
    let calls = if engine.kind() == EngineKind::Gpu { 1 + round % 7 } else { round % 2 };
    for _ in 0..calls {
        for report in engine.advance().unwrap() {
            if report.epoch < EPOCHS {
                engine.train(&[report.id]).unwrap();
            }
            let id = report.id as usize;
            parts[id].last = Some(report);
        }
    }
    engine.pause().unwrap();
    loop {
        let reports = engine.advance().unwrap();
        if reports.is_empty() {
            break;
        }
        reports.into_iter().for_each(|report| {
            let id = report.id as usize;
            parts[id].last = Some(report);
        });
    }
    assert!(engine.is_idle(), "something is in training after a pause");
    for (id, state) in ids.iter().zip(engine.snapshot(&ids).unwrap()) {
        parts[*id as usize].state = Some(state);
    }
}

/// Where the pauses of some members fell.
#[derive(Default)]
struct Pauses {
    /// Within the steps of an epoch.
    in_the_middle: usize,
    /// Between the last step of an epoch and the end of its scoring.
    unscored: usize,
}

impl Pauses {
    fn show_all(&self) -> bool {
        self.in_the_middle >= 10 && self.unscored > 0
    }

    fn count(&mut self, name: &str, member: &Member, state: &Snapshot) {
        let (_, steps) = member.recipe.steps(600);
        let ahead = state.step - u64::from(state.epoch) * steps;
        self.in_the_middle += usize::from(ahead > 0 && ahead < steps);
        self.unscored += usize::from(ahead == steps);
        assert!(ahead > 0 || state.loss_sum == 0.0, "{name}: a sum of no losses");
    }
}

#[test]
fn paused_anywhere_and_gone_on_elsewhere() {
    // Where a pause falls is a matter of time, so members are trained until every kind was seen.
    const MOST_TIMES: u32 = 20;
    let (job, narrow) = long_epochs();
    for (name, mut whole) in engines(&job, false) {
        let mut members = narrow.clone();
        if name == "cpu" {
            // Epochs there are to last longer than it takes a busy machine to wake us.
            members.iter_mut().for_each(|one| one.network.hidden.iter_mut().for_each(|units| *units *= 16));
        }
        let expected = train(whole.as_mut(), &members, EPOCHS);
        let (mut pauses, mut round) = (Pauses::default(), 0);
        for _ in 0..MOST_TIMES {
            let mut parts: Vec<Parted> = members.iter().map(|_| Parted::default()).collect();
            while !parts.iter().all(Parted::has_ended) {
                train_for_a_while(by_steps(&job, name).as_mut(), &members, &mut parts, round);
                round += 1;
                for (part, member) in parts.iter().zip(&members) {
                    pauses.count(name, member, part.state.as_ref().unwrap());
                }
            }
            for (i, (part, expected)) in parts.into_iter().zip(&expected).enumerate() {
                let found = (part.last.unwrap(), part.state.unwrap());
                assert_same(&format!("{name}, member {i}, paused"), &found, expected);
            }
            if pauses.show_all() {
                break;
            }
        }
        let Pauses { in_the_middle, unscored } = pauses;
        assert!(
            pauses.show_all(),
            "{name}: {in_the_middle} pauses within an epoch, {unscored} before its score, in {round} rounds"
        );
    }
}

/// A pause that is no end: the same engine goes on, in the middle of epochs and of scoring.
#[test]
fn paused_and_gone_on_in_place() {
    let (job, members) = long_epochs();
    for (name, mut whole) in engines(&job, false) {
        let expected = train(whole.as_mut(), &members, 1);
        let mut engine = by_steps(&job, name);
        let ids: Vec<u64> = (0..members.len() as u64).collect();
        ids.iter().zip(&members).for_each(|(&id, member)| engine.admit(id, member.clone()).unwrap());
        let mut reports = std::collections::BTreeMap::new();
        while reports.len() < ids.len() {
            let left: Vec<u64> = ids.iter().copied().filter(|id| !reports.contains_key(id)).collect();
            engine.train(&left).unwrap();
            reports.extend(engine.advance().unwrap().into_iter().map(|report| (report.id, report)));
            engine.pause().unwrap();
            reports.extend(engine.advance().unwrap().into_iter().map(|report| (report.id, report)));
        }
        for ((id, report), expected) in reports.into_iter().zip(&expected) {
            let state = engine.snapshot(&[id]).unwrap().remove(0);
            assert_same(&format!("{name}, member {id}"), &(report, state), expected);
        }
    }
}

#[test]
fn an_epoch_stopped_before_each_of_its_steps_is_the_epoch() {
    let (job, members) = long_epochs();
    let (scratch, member) = (&mut Scratch::default(), &members[0]);
    let mut whole = Trainer::<f32>::new(member.clone(), job.seed);
    let loss = whole.epoch(&job.dataset, scratch).unwrap();
    let mut parts = Trainer::<f32>::new(member.clone(), job.seed);
    for steps in 1..=75 {
        let before = Cell::new(0);
        let after_one = || before.replace(before.get() + 1) == 1;
        let ended = parts.train_until(&job.dataset, scratch, 75, after_one).unwrap();
        assert_eq!((ended, parts.step), (steps == 75, steps));
    }
    assert_eq!(parts.parameters, whole.parameters);
    assert_eq!((parts.loss_sum / 75.0).to_bits(), loss.to_bits());
}
