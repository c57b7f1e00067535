//! What one dispatch of the resident plan does, as plain data: how many steps each member takes, and which
//! of its validation rows are scored behind them. It names no device.

use super::layout::Layout;
use super::variant::Variant;
use crate::data::Dataset;
use crate::engine::MemberId;
use crate::engine::gpu::pace::Budget;
use crate::engine::gpu::progress::Progress;
use crate::engine::gpu::shard::Tenant;
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
    tenant: &'a Tenant,
    layout: Layout,
    steps: u64,
    score_rows: u32,
}

impl<'a> Share<'a> {
    /// As far as `operations` reach, but at least one step, or one lot of validation rows.
    fn within(id: MemberId, tenant: &'a Tenant, operations: f64) -> Self {
        let layout = layout_of(tenant);
        let left = tenant.steps_left();
        let most = if is_settled_of(tenant) { left } else { left.min(MOST_SCHEDULED_STEPS) };
        let steps = ((operations / tenant.operations()) as u64).max(1).min(most);
        let rows_left = tenant.fold.validation_count - tenant.scored_rows;
        let mut score_rows = 0;
        if steps == left && rows_left > 0 {
            let per_row = 2.0 * tenant.member.network.parameter_count() as f64;
            let affordable = (operations - steps as f64 * tenant.operations()) / per_row;
            // Whole lots: their boundaries decide the order of the sums.
            let lots = ((affordable / f64::from(layout.rows)) as u32).max(u32::from(steps == 0));
            score_rows = lots.saturating_mul(layout.rows).min(rows_left);
        }
        Self { id, tenant, layout, steps, score_rows }
    }

    fn operations(&self) -> f64 {
        let scoring = 2.0 * self.tenant.member.network.parameter_count() as f64;
        self.steps as f64 * self.tenant.operations() + scoring * f64::from(self.score_rows)
    }

    fn progress(&self) -> Progress {
        let Self { tenant, .. } = self;
        let scored = tenant.scored_rows..tenant.scored_rows + self.score_rows;
        Progress::new(self.id, tenant, self.steps, scored)
    }
}

/// The layout of a member that a variant holds.
pub fn layout_of(tenant: &Tenant) -> Layout {
    Layout::of(&tenant.member, tenant.batch, tenant.fold.validation_count)
        .expect("a variant holds the member, so that it was counted")
}

fn is_settled_of(tenant: &Tenant) -> bool {
    let recipe = &tenant.member.recipe;
    let (schedule, parameters) = (recipe.lr_schedule, &recipe.lr_schedule_parameters);
    is_settled(schedule, parameters, tenant.step, tenant.steps_per_epoch)
}

/// Plans a dispatch over members that are to go on, within a budget. Workgroups do not wait for each other:
/// each member goes as far as the budget of the longest one reaches.
pub fn plan(members: &[(MemberId, &Tenant)], homes: Homes<'_>, budget: Budget) -> ResidentSlice {
    let shares = |longest: f64| -> Vec<Share<'_>> {
        members.iter().map(|(id, tenant)| Share::within(*id, tenant, longest)).collect()
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
        let Share { tenant, layout, .. } = share;
        let network = &tenant.member.network;
        let on_chip = homes.variant.activations_on_chip;
        let activations_at =
            if on_chip { homes.variant.activations_at(layout) } else { tenant.place.scratch };
        let layers = layout.layers(network, activations_at);
        let (first, last) = (layers[0], layers[layers.len() - 1]);
        let shape_at = self.shapes.len() as u32;
        self.members.push(MemberRow {
            input_at: first.input_at,
            output_at: last.output_at,
            targets_at: homes.targets_at,
            shape_at,
            ..member_row(tenant, homes.dataset)
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
    let tenant = share.tenant;
    if is_settled_of(tenant) {
        return Vec::new();
    }
    let rate = |step| tenant.member.recipe.scalars::<f32>(step, tenant.steps_per_epoch).rate;
    let all: Vec<f32> = (tenant.step..tenant.step + share.steps).map(rate).collect();
    all.chunks(4).map(|four| std::array::from_fn(|i| four.get(i).copied().unwrap_or(0.0))).collect()
}

fn run_row(share: &Share<'_>, homes: Homes<'_>, activations_at: u32) -> RunRow {
    let Share { tenant, layout, steps, score_rows, .. } = share;
    let in_epoch = tenant.step - u64::from(tenant.epoch) * tenant.steps_per_epoch;
    let recipe = &tenant.member.recipe;
    let parameters = recipe.optimizer_parameters;
    // ln 0 has no number that a shader may be given; e^(-10000 t) is 0 all the same.
    let logarithm = |beta: f64| beta.ln().max(-1e4) as f32;
    let own_scratch = if homes.variant.activations_on_chip { 0 } else { layout.activations };
    RunRow {
        step_count: *steps as u32,
        step: tenant.step as u32,
        row_start: in_epoch as u32 * tenant.batch,
        epoch: tenant.epoch,
        rate: recipe.learning_rate as f32,
        weight_decay: parameters.weight_decay as f32,
        ln_beta1: logarithm(parameters.beta1),
        ln_beta2: logarithm(parameters.beta2),
        rates_at: NONE,
        layer_count: tenant.member.network.layer_count() as u32,
        first: u32::from(in_epoch == 0),
        batch: tenant.batch,
        score_start: tenant.scored_rows,
        score_count: *score_rows,
        score_rows: layout.rows,
        gradients_at: layout.gradients_at(activations_at),
        outputs_at: if homes.with_outputs { tenant.place.scratch + own_scratch } else { NONE },
        ..Default::default()
    }
}
