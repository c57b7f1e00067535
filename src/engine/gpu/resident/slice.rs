//! What one dispatch of the resident plan does, as plain data: how many steps each member takes, and which
//! of its validation rows are scored behind them. It names no device.

use super::layout::Layout;
use super::variant::Variant;
use crate::data::Dataset;
use crate::engine::MemberId;
use crate::engine::gpu::pace::Budget;
use crate::engine::gpu::progress::Progress;
use crate::engine::gpu::shard::Resident;
use crate::engine::gpu::slice::member_row;
use crate::engine::gpu::tables::{MemberRow, NONE, RunRow};
use crate::model::lr_schedule::is_settled;

/// Most steps of a member whose learning rate changes from one to the next: bounds the tables.
const MOST_SCHEDULED_STEPS: u64 = 1024;

/// Everything one dispatch needs.
#[derive(Default)]
pub struct ResidentSlice {
    /// What becomes of each member, in the order of the workgroups: the longest first.
    pub progress: Vec<Progress>,
    /// One row per member.
    pub members: Vec<MemberRow>,
    /// Per member: its run, its layers, its learning rates.
    pub shapes: Vec<[u32; 4]>,
    /// Floating-point operations of all members, and of the longest.
    pub work: Budget,
}

/// Where a shard's variant keeps things, and where the data lie.
#[derive(Clone, Copy)]
pub struct Homes<'a> {
    /// The variant of the shard.
    pub variant: &'static Variant,
    /// The data set.
    pub dataset: &'a Dataset,
    /// Where the targets begin in the folds buffer.
    pub targets_at: u32,
    /// Whether the outputs of the scored rows are wanted.
    pub with_outputs: bool,
}

/// How far one member goes in a dispatch.
struct Share<'a> {
    id: MemberId,
    resident: &'a Resident,
    layout: Layout,
    steps: u64,
    score_rows: u32,
}

impl<'a> Share<'a> {
    /// As far as `operations` reach, but at least one step, or one lot of validation rows.
    fn within(id: MemberId, resident: &'a Resident, operations: f64) -> Self {
        let layout = layout_of(resident);
        let left = resident.steps_left();
        let most = if is_settled_of(resident) { left } else { left.min(MOST_SCHEDULED_STEPS) };
        let steps = ((operations / resident.operations()) as u64).max(1).min(most);
        let rows_left = resident.fold.validation_count - resident.scored_rows;
        let mut score_rows = 0;
        if steps == left && rows_left > 0 {
            let per_row = 2.0 * resident.member.network.parameter_count() as f64;
            let affordable = (operations - steps as f64 * resident.operations()) / per_row;
            // Whole lots: their boundaries decide the order of the sums.
            let lots = ((affordable / f64::from(layout.rows)) as u32).max(u32::from(steps == 0));
            score_rows = lots.saturating_mul(layout.rows).min(rows_left);
        }
        Self { id, resident, layout, steps, score_rows }
    }

    fn operations(&self) -> f64 {
        let scoring = 2.0 * self.resident.member.network.parameter_count() as f64;
        self.steps as f64 * self.resident.operations() + scoring * f64::from(self.score_rows)
    }

    fn progress(&self) -> Progress {
        let Self { resident, .. } = self;
        let scored = resident.scored_rows..resident.scored_rows + self.score_rows;
        Progress::new(self.id, resident, self.steps, scored)
    }
}

/// The layout of a member that a variant holds.
pub fn layout_of(resident: &Resident) -> Layout {
    Layout::of(&resident.member, resident.batch, resident.fold.validation_count)
        .expect("a variant holds the member, so that it was counted")
}

fn is_settled_of(resident: &Resident) -> bool {
    let recipe = &resident.member.recipe;
    let (schedule, parameters) = (recipe.lr_schedule, &recipe.lr_schedule_parameters);
    is_settled(schedule, parameters, resident.step, resident.steps_per_epoch)
}

/// Plans a dispatch over members that are to go on, within a budget. Workgroups do not wait for each other:
/// each member goes as far as the budget of the longest one reaches.
pub fn plan(members: &[(MemberId, &Resident)], homes: Homes<'_>, budget: Budget) -> ResidentSlice {
    let shares = |longest: f64| -> Vec<Share<'_>> {
        members.iter().map(|(id, resident)| Share::within(*id, resident, longest)).collect()
    };
    let total = |shares: &[Share<'_>]| shares.iter().map(Share::operations).sum::<f64>();
    let mut found = shares(budget.longest);
    let wanted = total(&found);
    if wanted > budget.total {
        found = shares(budget.longest * budget.total / wanted);
    }
    found.sort_by(|a, b| b.operations().total_cmp(&a.operations()).then(a.id.cmp(&b.id)));
    let longest = found.first().map_or(0.0, Share::operations);
    let mut slice = ResidentSlice { work: Budget { total: total(&found), longest }, ..Default::default() };
    for share in &found {
        slice.progress.push(share.progress());
        slice.add(share, homes);
    }
    slice
}

impl ResidentSlice {
    fn add(&mut self, share: &Share<'_>, homes: Homes<'_>) {
        let Share { resident, layout, .. } = share;
        let network = &resident.member.network;
        let on_chip = homes.variant.activations_on_chip;
        let activations_at =
            if on_chip { homes.variant.activations_at(layout) } else { resident.place.scratch };
        let layers = layout.layers(network, activations_at);
        let (first, last) = (layers[0], layers[layers.len() - 1]);
        let shape_at = self.shapes.len() as u32;
        self.members.push(MemberRow {
            input_at: first.input_at,
            output_at: last.output_at,
            targets_at: homes.targets_at,
            shape_at,
            ..member_row(resident, homes.dataset)
        });
        let mut run = run_row(share, homes, activations_at);
        let rates = rates(share);
        if !rates.is_empty() {
            let rows = (size_of::<RunRow>() + std::mem::size_of_val(&layers[..])) / 16;
            run.rates_at = shape_at + rows as u32;
        }
        self.shapes.extend_from_slice(bytemuck::cast_slice(&[run]));
        self.shapes.extend_from_slice(bytemuck::cast_slice(&layers));
        self.shapes.extend_from_slice(bytemuck::cast_slice(&rates));
    }
}

/// The learning rate of each step, in whole vec4; none where all are the same.
fn rates(share: &Share<'_>) -> Vec<[f32; 4]> {
    let resident = share.resident;
    if is_settled_of(resident) {
        return Vec::new();
    }
    let rate = |step| resident.member.recipe.scalars::<f32>(step, resident.steps_per_epoch).rate;
    let all: Vec<f32> = (resident.step..resident.step + share.steps).map(rate).collect();
    all.chunks(4).map(|four| std::array::from_fn(|i| four.get(i).copied().unwrap_or(0.0))).collect()
}

fn run_row(share: &Share<'_>, homes: Homes<'_>, activations_at: u32) -> RunRow {
    let Share { resident, layout, steps, score_rows, .. } = share;
    let in_epoch = resident.step - u64::from(resident.epoch) * resident.steps_per_epoch;
    let recipe = &resident.member.recipe;
    let parameters = recipe.optimizer_parameters;
    // ln 0 has no number that a shader may be given; e^(-10000 t) is 0 all the same.
    let logarithm = |beta: f64| beta.ln().max(-1e4) as f32;
    let own_scratch = if homes.variant.activations_on_chip { 0 } else { layout.activations };
    RunRow {
        step_count: *steps as u32,
        step: resident.step as u32,
        row_start: in_epoch as u32 * resident.batch,
        epoch: resident.epoch,
        rate: recipe.learning_rate as f32,
        weight_decay: parameters.weight_decay as f32,
        ln_beta1: logarithm(parameters.beta1),
        ln_beta2: logarithm(parameters.beta2),
        rates_at: NONE,
        layer_count: resident.member.network.layer_count() as u32,
        first: u32::from(in_epoch == 0),
        batch: resident.batch,
        score_start: resident.scored_rows,
        score_count: *score_rows,
        score_rows: layout.rows,
        gradients_at: layout.gradients_at(activations_at),
        outputs_at: if homes.with_outputs { resident.place.scratch + own_scratch } else { NONE },
        ..Default::default()
    }
}
