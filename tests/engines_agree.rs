//! The two engines train the same member from the same numbers to the same results, within rounding.

mod common;

use common::{member, train};
use manytune::data::Task;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::gpu::GpuEngine;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::{Engine, Job, MemoryLimit};
use manytune::model::recipe::Member;
use manytune::model::{activation, loss, lr_schedule, optimizer};
use std::sync::Arc;

fn assert_close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (found - expected).abs() <= tolerance * scale.max(1e-6);
        assert!(close, "{name}, element {i}: {found} against {expected}");
    }
}

/// Trains on both engines and compares everything they give.
fn compare(job: &Job, members: &[Member], epochs: u32, tolerance: f32) {
    let Some(device) = common::gpu() else { return };
    for plans in ["fastest", "tiled", "resident", "weights-activations-32k", "weights-32k"] {
        let gpu = GpuEngine::new(job.clone(), device.clone(), None).unwrap();
        compare_with(gpu.with_plans(Plans::named(plans).unwrap()), job, members, epochs, tolerance);
    }
}

fn compare_with(mut gpu: GpuEngine, job: &Job, members: &[Member], epochs: u32, tolerance: f32) {
    let mut cpu = CpuEngine::new(job.clone(), None).unwrap();
    let found = train(&mut gpu, members, epochs);
    let expected = train(&mut cpu, members, epochs);
    for (i, ((report, state), (cpu_report, cpu_state))) in found.iter().zip(&expected).enumerate() {
        let name = |what: &str| format!("member {i}, {what}");
        assert_eq!((report.epoch, report.step), (cpu_report.epoch, cpu_report.step));
        assert_close(&name("parameters"), &state.parameters, &cpu_state.parameters, tolerance);
        assert_close(&name("m"), &state.m, &cpu_state.m, 10.0 * tolerance);
        let (a, b) = (report.evaluation.as_ref().unwrap(), cpu_report.evaluation.as_ref().unwrap());
        assert_close(
            &name("train loss"),
            &[report.train_loss as f32],
            &[cpu_report.train_loss as f32],
            tolerance,
        );
        assert_close(&name("loss"), &[a.loss_sum as f32], &[b.loss_sum as f32], tolerance);
        let errors = ([a.absolute_error_sum as f32], [b.absolute_error_sum as f32]);
        assert_close(&name("absolute error"), &errors.0, &errors.1, tolerance);
        let outputs = (a.outputs.as_ref().unwrap(), b.outputs.as_ref().unwrap());
        assert_close(&name("outputs"), outputs.0, outputs.1, 5.0 * tolerance);
        for (counts, cpu_counts) in [(&a.correct, &b.correct), (&a.predicted, &b.predicted)] {
            assert_eq!(counts.len(), cpu_counts.len());
            let moved: u32 = counts.iter().zip(cpu_counts).map(|(x, y)| x.abs_diff(*y)).sum();
            // A row whose two largest outputs are equal within rounding may fall either way.
            assert!(moved <= 2, "{}: {counts:?} against {cpu_counts:?}", name("counts"));
        }
    }
}

fn job(task: Task) -> Job {
    Job { dataset: Arc::new(common::dataset(task, 90, 5, 3)), seed: 0x1234_5678_9abc, with_outputs: true }
}

/// Widths, depths, batch sizes and folds all mixed in one cohort, plain descent on smooth networks.
#[test]
fn shapes_of_every_kind_train_alike_side_by_side() {
    for task in [Task::Classification { class_count: 3 }, Task::Regression] {
        let job = job(task);
        let shapes: [&[usize]; 7] = [&[], &[1], &[4], &[7, 3], &[33], &[40, 5, 9], &[8, 8, 8, 8]];
        let mut members = Vec::new();
        for (i, hidden) in shapes.iter().enumerate() {
            for batch_size in [1, 7, 33, 500].into_iter().skip(i % 2).step_by(2) {
                let mut one = member(&job, hidden, |_, recipe| recipe.batch_size = batch_size);
                one.fold = i % 3;
                members.push(one);
            }
        }
        compare(&job, &members, 3, 2e-5);
    }
}

/// Everything that may vary but the shape: one member each.
#[test]
fn every_part_of_a_recipe_trains_alike() {
    let job = job(Task::Classification { class_count: 4 });
    let mut members = Vec::new();
    for choice in activation::ALL {
        members.push(member(&job, &[6, 5], |network, _| network.activation = *choice));
    }
    for choice in optimizer::ALL {
        members.push(member(&job, &[6], |_, recipe| {
            recipe.optimizer = *choice;
            recipe.optimizer_parameters = choice.defaults();
            recipe.optimizer_parameters.weight_decay = 0.1;
            // Far from 0, where the sign of a moment or the ratio of two tiny ones may differ by rounding.
            recipe.optimizer_parameters.epsilon = 1e-3;
            recipe.learning_rate = 0.003;
        }));
    }
    for choice in lr_schedule::ALL {
        members.push(member(&job, &[6], |_, recipe| {
            recipe.lr_schedule = *choice;
            recipe.lr_schedule_parameters.warmup_epochs = 0.7;
        }));
    }
    members.push(member(&job, &[6], |_, recipe| recipe.optimizer_parameters.momentum = 0.9));
    members.push(member(&job, &[6], |_, recipe| {
        recipe.optimizer_parameters.momentum = 0.9;
        recipe.optimizer_parameters.nesterov = true;
    }));
    members.push(member(&job, &[9, 6], |_, recipe| recipe.dropout = 0.4));
    members.push(member(&job, &[9, 6], |_, recipe| recipe.input_dropout = 0.3));
    members.push(member(&job, &[6], |_, recipe| recipe.balanced = true));
    members.push(member(&job, &[6], |_, recipe| recipe.loss_parameters.label_smoothing = 0.2));
    members.push(member(&job, &[6], |_, recipe| recipe.l2_penalty = 0.1));
    members.push(member(&job, &[6], |_, recipe| recipe.l1_penalty = 0.01));
    members.push(member(&job, &[6, 4], |_, recipe| recipe.clip_norm = 0.2));
    compare(&job, &members, 2, 3e-5);
}

#[test]
fn huber_trains_alike() {
    let job = job(Task::Regression);
    let huber = loss::ALL.iter().copied().find(|loss| loss.name() == "huber").unwrap();
    let members = [member(&job, &[6], |_, recipe| {
        recipe.loss = huber;
        recipe.loss_parameters.huber_delta = 0.3;
    })];
    compare(&job, &members, 3, 2e-5);
}

/// 9,000 rows of 8 padded features take 288 KB: two buffers when all memory is 200 KB.
#[test]
fn a_table_in_several_buffers_gives_the_same_rows() {
    let Some(device) = common::gpu() else { return };
    let dataset = common::dataset(Task::Regression, 9_000, 5, 3);
    let job = Job { dataset: Arc::new(dataset), seed: 5, with_outputs: true };
    let gpu = GpuEngine::new(job.clone(), device, Some(MemoryLimit::Bytes(200_000))).unwrap();
    let facts = gpu.explain().join("\n");
    assert!(facts.contains("table in 2 buffers"), "{facts}");
    let members = [member(&job, &[4], |_, recipe| recipe.batch_size = 500)];
    compare_with(gpu, &job, &members, 1, 2e-5);
}

/// A model that no binding of the device can hold is refused with the limit, not attempted.
#[test]
fn a_model_past_the_limits_of_the_device_is_refused() {
    let Some(device) = common::gpu() else { return };
    let job = job(Task::Regression);
    let mut gpu = GpuEngine::new(job.clone(), device, Some(MemoryLimit::Bytes(1 << 20))).unwrap();
    let wide = member(&job, &[400, 400], |_, _| ());
    let error = gpu.check(&wide).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().contains("1048576 bytes"), "{error}");
    assert_eq!(gpu.room(&wide), 0);
    assert_eq!(gpu.admit(0, wide).unwrap_err().exit_code(), 4);
}
