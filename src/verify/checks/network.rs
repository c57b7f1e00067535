//! Whole networks, drawn at random over all families at once: what no list of single features covers.

use super::Plan;
use crate::model::optimizer::OptimizerParameters;
use crate::model::recipe::Member;
use crate::model::{activation, initializer, loss, lr_schedule, optimizer};
use crate::random::{Purpose, Stream, StreamReader};
use crate::verify::case::{Age, Case, Start, plain_member, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::TRAIN_COUNTS;
use rand::Rng;

const WIDTHS: &[usize] = &[1, 2, 3, 4, 7, 8, 16, 17, 33, 65];
const BATCHES: &[usize] = &[1, 2, 5, 16, 33, 64, 200];
const MOST_STEPS: usize = 5;
const AGES: &[Age] = &[Age::Young, Age::Trained, Age::Saturated];

/// Cases of random networks.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let count = plan.by_level(8, 40, 200);
    let tables = plan.general_tables();
    let largest = plan.by_level(17, 65, 130);
    (0..count)
        .map(|number| {
            let table = number % tables;
            let job = &plan.jobs[table];
            let mut random = Stream::new(job.seed, Purpose::Verify, 5, number as u32, 0).reader();
            let depth = number / tables % 4;
            let member = draw(&plan, table, depth, largest, &mut random);
            let age = pick(AGES, &mut random);
            let start = Start::At(state(job, &member, age, random.next_u32() % 9, 600 + number as u32));
            let name = format!("network/{depth}_hidden_layers");
            let case = Case::new(name, Kind::Kernels, table, member, start)
                .formula("shaders/layer/dense_forward.wgsl", "src/model/network.rs");
            // Differences of the largest cost seconds and say nothing that those of small ones do not.
            if number < 16 { case } else { case.without_differences() }
        })
        .collect()
}

fn pick<T: Copy>(from: &[T], random: &mut StreamReader) -> T {
    from[random.next_u32() as usize % from.len()]
}

fn draw(plan: &Plan<'_>, table: usize, depth: usize, largest: usize, random: &mut StreamReader) -> Member {
    let job = &plan.jobs[table];
    let widths: Vec<usize> = WIDTHS.iter().copied().chain([130]).filter(|&width| width <= largest).collect();
    let hidden: Vec<usize> = (0..depth).map(|_| pick(&widths, random)).collect();
    let fold = random.next_u32() as usize % TRAIN_COUNTS.len();
    // More steps to an epoch let trajectories diverge legitimately (Lion's sign, Adam near 0).
    let batch = pick(BATCHES, random).max(TRAIN_COUNTS[fold].div_ceil(MOST_STEPS));
    let mut member = plain_member(job, fold, &hidden, pick(activation::ALL, random), batch);
    member.repeat = (random.next_u32() % 3) as u16;
    let fitting: Vec<_> = loss::ALL.iter().copied().filter(|loss| loss.fits(job.dataset.task)).collect();
    let recipe = &mut member.recipe;
    recipe.loss = pick(&fitting, random);
    recipe.optimizer = pick(optimizer::ALL, random);
    recipe.initializer = pick(initializer::ALL, random);
    recipe.lr_schedule = pick(lr_schedule::ALL, random);
    recipe.lr_schedule_parameters.warmup_epochs = pick(&[0.0, 1.5], random);
    recipe.optimizer_parameters = OptimizerParameters {
        momentum: pick(&[0.0, 0.5], random),
        nesterov: pick(&[false, true], random),
        weight_decay: pick(&[0.0, 0.5], random),
        ..recipe.optimizer_parameters
    };
    recipe.loss_parameters.label_smoothing = pick(&[0.0, 0.125], random);
    recipe.balanced = pick(&[false, true], random);
    recipe.dropout = pick(&[0.0, 0.0, 0.25], random);
    recipe.input_dropout = pick(&[0.0, 0.0, 0.125], random);
    recipe.l1_penalty = pick(&[0.0, 0.0, 0.015625], random);
    recipe.l2_penalty = pick(&[0.0, 0.0, 0.0625], random);
    recipe.clip_norm = pick(&[0.0, 0.0, 0.25], random);
    member
}
