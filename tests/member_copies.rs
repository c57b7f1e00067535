//! A copy of a member on the engine is what its snapshot restored there would be, bit for bit, and goes on by
//! itself.

mod common;

use common::{member, train};
use manytune::data::Task;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::gpu::GpuEngine;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::{Engine, Job, Snapshot};
use manytune::model::recipe::Member;
use manytune::model::{activation, optimizer};
use std::sync::Arc;

fn job() -> Job {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 60, 5, 3);
    Job { dataset: Arc::new(dataset), seed: 99, with_outputs: true }
}

/// Guarded where they can be, so that a copy beside its place would be found.
fn engines(job: &Job) -> Vec<(&'static str, Box<dyn Engine>)> {
    let mut engines: Vec<(&'static str, Box<dyn Engine>)> =
        vec![("cpu", Box::new(CpuEngine::new(job.clone(), Some(2)).unwrap()))];
    for plans in ["tiled", "resident"] {
        let Some(device) = common::gpu() else { break };
        let engine = GpuEngine::new(job.clone(), device, None).unwrap();
        engines.push((plans, Box::new(engine.with_plans(Plans::named(plans).unwrap()).guarded())));
    }
    engines
}

/// Shapes that need padding and one that does not; one clips, so that its arenas are more.
fn members(job: &Job) -> Vec<Member> {
    let shapes: [&[usize]; 4] = [&[], &[17], &[8, 8], &[6, 5, 4]];
    let one = |(index, shape): (usize, &&[usize])| {
        let mut one = member(job, shape, |network, recipe| {
            network.activation = activation::ALL[7 - index];
            recipe.optimizer = optimizer::ALL[index % optimizer::ALL.len()];
            recipe.batch_size = [8, 13, 40, 64][index];
            recipe.clip_norm = if index == 1 { 0.5 } else { 0.0 };
        });
        one.fold = index % 3;
        one
    };
    shapes.iter().enumerate().map(one).collect()
}

fn changed(mut member: Member) -> Member {
    member.recipe.learning_rate *= 1.2;
    member.recipe.dropout = 0.2;
    member
}

fn train_on(engine: &mut dyn Engine, ids: &[u64]) {
    engine.train(ids).unwrap();
    while !engine.wait().unwrap().is_empty() {}
}

fn bits(state: &Snapshot) -> (u32, u64, Vec<u32>) {
    let parts = [&state.parameters, &state.m, &state.v].into_iter().chain(&state.kept);
    (state.epoch, state.step, parts.flatten().map(|x| x.to_bits()).collect())
}

#[test]
fn a_copy_is_a_snapshot_restored() {
    let job = job();
    let members = members(&job);
    for (name, mut engine) in engines(&job) {
        let engine = engine.as_mut();
        train(engine, &members, 2);
        let ids: Vec<u64> = (0..members.len() as u64).collect();
        engine.keep(&ids[1..3]).unwrap();
        train_on(engine, &ids);
        let before = engine.snapshot(&ids).unwrap();
        for (&id, one) in ids.iter().zip(&members) {
            engine.copy(100 + id, changed(one.clone()), id).unwrap();
            engine.restore(200 + id, changed(one.clone()), &before[id as usize]).unwrap();
        }
        for (id, before) in ids.iter().zip(&before) {
            let [source, copy, restored] = [0, 100, 200].map(|from| engine.snapshot(&[from + id]).unwrap());
            assert_eq!(before.kept.is_some(), (1..3).contains(id), "{name}");
            for state in [source, copy, restored] {
                assert_eq!(bits(&state[0]), bits(before), "{name}, member {id}");
            }
        }
        let all: Vec<u64> =
            [0, 100, 200].iter().flat_map(|from| ids.iter().map(move |id| from + id)).collect();
        train_on(engine, &all);
        for id in &ids {
            let [source, copy, restored] =
                [0, 100, 200].map(|from| bits(&engine.snapshot(&[from + id]).unwrap()[0]));
            assert_eq!(copy, restored, "{name}, member {id}, an epoch later");
            assert_ne!(copy, source, "{name}, member {id}: the other numbers are not heeded");
        }
        // The source may go: nothing is shared.
        engine.retire(&ids);
        let left = engine.snapshot(&[101]).unwrap();
        assert_eq!(left[0].epoch, 4, "{name}");
        assert_eq!(engine.disturbed().unwrap().unwrap_or_default(), [""; 0], "{name}");
    }
}

/// In the middle of an epoch the sum of its losses counts too.
#[test]
fn a_member_paused_within_an_epoch_is_copied_too() {
    let job = job();
    let one = member(&job, &[17], |_, recipe| recipe.batch_size = 1);
    for (name, mut engine) in engines(&job) {
        let engine = engine.as_mut();
        engine.admit(0, one.clone()).unwrap();
        engine.train(&[0]).unwrap();
        engine.pause().unwrap();
        engine.advance().unwrap();
        engine.copy(1, one.clone(), 0).unwrap();
        train_on(engine, &[0, 1]);
        let states = engine.snapshot(&[0, 1]).unwrap();
        assert_eq!(bits(&states[0]), bits(&states[1]), "{name}");
        assert_eq!(states[0].loss_sum, states[1].loss_sum, "{name}");
    }
}
