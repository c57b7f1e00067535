//! The step loop of the engine on the processor asks for no memory: what a step needs is there after the
//! first epoch.

mod common;

use manytune::data::Task;
use manytune::engine::Job;
use manytune::model::trainer::{Scratch, Trainer};
use manytune::model::{activation, lr_schedule, optimizer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

/// The system's allocator, counting what each thread asks for.
struct Counting;

thread_local! {
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no counter any more, and is not one that is looked at.
    let _ = REQUESTS.try_with(|requests| requests.set(requests.get() + 1));
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Dropout's masks and the derivatives of products beyond the second cache took memory at every step.
#[test]
fn steps_after_the_first_epoch_allocate_nothing() {
    // The last network has a layer whose products go to the general library.
    let shapes: [&[usize]; 5] = [&[], &[17], &[40, 33], &[8, 4, 2], &[600, 900]];
    for task in [Task::Classification { class_count: 3 }, Task::Regression] {
        let dataset = common::dataset(task, 150, 7, 3);
        let job = Job { dataset: Arc::new(dataset), seed: 5, with_outputs: false };
        let mut scratch = Scratch::<f32>::default();
        for i in 0..20 {
            let member = common::member(&job, shapes[i % shapes.len()], |network, recipe| {
                network.activation = activation::ALL[i % activation::ALL.len()];
                recipe.optimizer = optimizer::ALL[i % optimizer::ALL.len()];
                recipe.optimizer_parameters.weight_decay = [0.0, 0.01][i / 2 % 2];
                recipe.lr_schedule = lr_schedule::ALL[i % lr_schedule::ALL.len()];
                recipe.learning_rate = 1e-4;
                recipe.dropout = [0.0, 0.3, 0.0][i % 3];
                recipe.input_dropout = [0.0, 0.2][i / 3 % 2];
                recipe.clip_norm = [0.0, 0.5][i / 2 % 2];
                recipe.l2_penalty = [0.0, 1e-3][i / 4 % 2];
                recipe.balanced = i % 2 == 0;
                recipe.batch_size = [16, 50, 1][i % 3];
            });
            let (_, steps) = member.recipe.steps(job.dataset.folds[0].train.len());
            let mut trainer = Trainer::new(member, job.seed);
            trainer.epoch(&job.dataset, &mut scratch).unwrap();
            // The first step of an epoch draws the order of its rows; the last may be shorter.
            trainer.train_until(&job.dataset, &mut scratch, steps + 1, || false).unwrap();
            let before = REQUESTS.get();
            trainer.train_until(&job.dataset, &mut scratch, 2 * steps, || false).unwrap();
            assert_eq!(REQUESTS.get() - before, 0, "case {i}, {task:?}, {} steps", steps - 1);
        }
    }
}
