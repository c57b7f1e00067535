//! The engine on the processor plans its memory: what does not fit is refused before it is made.

mod common;

use common::member;
use manytune::data::Task;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Engine, Job, MemoryLimit};
use std::sync::Arc;

fn job(folds: usize) -> Job {
    let dataset = common::dataset(Task::Regression, 60, 5, folds);
    Job { dataset: Arc::new(dataset), seed: 1, with_outputs: false }
}

/// Widths of 60,000 exhausted the machine, and larger ones passed the largest integer.
#[test]
fn a_network_that_no_machine_holds_is_refused_whatever_its_size() {
    let job = job(2);
    let engine = CpuEngine::new(job.clone(), None).unwrap();
    for hidden in [vec![65_536; 64], vec![4_000_000_000, 4_000_000_000], vec![usize::MAX; 3]] {
        let member = member(&job, &hidden, |_, _| {});
        let error = engine.check(&member).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.found.contains("bytes") && error.allowed.contains("bytes"), "{error}");
        assert!(error.advice.contains("--memory"), "{error}");
        assert_eq!(engine.room(&member), 0);
    }
}

/// `--memory` was ignored on the processor.
#[test]
fn a_limit_decides_how_many_members_fit_and_each_gives_its_room_back() {
    let job = job(2);
    let small = member(&job, &[4], |_, _| {});
    let large = member(&job, &[200, 200], |_, _| {});
    let limit = Some(MemoryLimit::Bytes(4 << 20));
    let mut engine = CpuEngine::within(job.clone(), Some(2), limit).unwrap();
    engine.check(&large).unwrap();
    let (most_small, most_large) = (engine.room(&small), engine.room(&large));
    assert_eq!(most_small, 16, "many small ones fit: threads limit them");
    assert!((2..16).contains(&most_large), "{most_large}");
    for id in 0..most_large as u64 {
        engine.admit(id, large.clone()).unwrap();
    }
    assert_eq!(engine.room(&large), 0);
    let error = engine.admit(99, large.clone()).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    engine.retire(&[0]);
    assert_eq!(engine.room(&large), 1);
    let rest: Vec<u64> = (1..most_large as u64).collect();
    engine.retire(&rest);
    assert_eq!((engine.room(&small), engine.room(&large)), (most_small, most_large));
}

/// Trials that wait at a rung kept others from the cores that they left idle.
#[test]
fn members_that_rest_take_memory_alone() {
    let job = job(2);
    let small = member(&job, &[4], |_, _| {});
    let mut engine = CpuEngine::within(job.clone(), Some(1), None).unwrap();
    for id in 0..8 {
        engine.admit(id, small.clone()).unwrap();
    }
    assert_eq!(engine.room(&small), 0);
    engine.rest(&[0, 1, 2, 99]);
    engine.rest(&[2]);
    assert_eq!(engine.room(&small), 3);
    engine.retire(&[0]);
    assert_eq!(engine.room(&small), 3, "its place was free already");
    engine.train(&[1]).unwrap();
    assert_eq!(engine.room(&small), 2);

    let limit = Some(MemoryLimit::Bytes(4 << 20));
    let large = member(&job, &[200, 200], |_, _| {});
    let mut engine = CpuEngine::within(job.clone(), Some(2), limit).unwrap();
    let most = engine.room(&large) as u64;
    (0..most).for_each(|id| engine.admit(id, large.clone()).unwrap());
    engine.rest(&(0..most).collect::<Vec<_>>());
    assert_eq!(engine.room(&large), 0, "what rests is still in memory");
}

/// Folds train in step: where their states wait, they wait in the same memory.
#[test]
fn the_folds_of_a_trial_must_fit_together() {
    let check = |folds: usize| {
        let job = job(folds);
        let member = member(&job, &[200, 200], |_, _| {});
        CpuEngine::within(job, Some(2), Some(MemoryLimit::Bytes(4 << 20))).unwrap().check(&member)
    };
    check(2).unwrap();
    assert!(check(5).unwrap_err().found.contains("5 folds"));
}

#[test]
fn a_share_is_a_share_of_the_default() {
    let job = job(2);
    let room = |memory| {
        let engine = CpuEngine::within(job.clone(), Some(2), memory).unwrap();
        engine.room(&member(&job, &[64], |_, _| {}))
    };
    assert_eq!(room(None), 16);
    assert_eq!(room(Some(MemoryLimit::Percent(1e-9))), 0);
    // More than there is cannot be had, whoever asks for it.
    let engine = CpuEngine::within(job.clone(), Some(2), Some(MemoryLimit::Bytes(1 << 60))).unwrap();
    assert!(engine.check(&member(&job, &[65_536; 64], |_, _| {})).is_err());
}
