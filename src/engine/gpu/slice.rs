//! A slice: the ticks that one submission runs for the active members of a shard. In every training tick
//! each member takes one step; members that are at the end of their epoch are scored in the scoring ticks
//! behind them, over as many slices as that takes.
//!
//! This file turns members into the tables that kernels read, as plain data; it names no device.

pub mod look;

use super::footprint::layer_rows;
use super::pace::Budget;
use super::pipelines::Kernel;
use super::progress::Progress;
use super::shard::Tenant;
use super::tables::{ControlRow, LayerRow, MemberRow, NONE, WorkRow};
use super::variant::{self, Product, Tiles};
use crate::data::Dataset;
use crate::engine::MemberId;
use crate::model::{activation, loss, optimizer};
use crate::random::Permutation;
use std::cmp::Reverse;
use std::ops::Range;

/// Fewest ticks of a slice while any member has steps left: shorter ones pay more in round trips than
/// the members that rest lose.
const FEWEST_TICKS: u64 = 4;
/// Most ticks of each kind in a slice: bounds the tables.
const MOST_TICKS: u64 = 64;

/// Rows of a gather workgroup; vec4 of a clip workgroup.
const GATHER_ROWS: u32 = 16;
const CLIP_QUADS: u32 = 64;

/// One dispatch of every tick of its phase: a kernel over a range of the work list.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Which kernel.
    pub kernel: Kernel,
    /// In which variant, where it has several.
    pub variant: usize,
    /// Which work rows.
    pub work: Range<u32>,
}

/// Everything one submission needs.
#[derive(Default)]
pub struct Slice {
    /// What becomes of the active members, the one with the most work first.
    pub progress: Vec<Progress>,
    /// One row per active member.
    pub members: Vec<MemberRow>,
    /// The layers of all active members.
    pub layers: Vec<LayerRow>,
    /// The work of all stages.
    pub work: Vec<WorkRow>,
    /// (tick, member): training ticks, then scoring ticks.
    pub controls: Vec<ControlRow>,
    /// The dispatches of a training tick, in order.
    pub training: Vec<Stage>,
    /// The dispatches of a scoring tick, in order.
    pub scoring: Vec<Stage>,
    /// Number of training ticks.
    pub training_ticks: u64,
    /// Number of scoring ticks.
    pub scoring_ticks: u64,
    /// Floating-point operations of all ticks.
    pub operations: f64,
}

/// Members of a slice with the first of their layers' rows.
struct Active<'a> {
    tenant: &'a Tenant,
    index: u32,
    layers_at: u32,
}

impl Active<'_> {
    fn layer_count(&self) -> u32 {
        self.tenant.member.network.layer_count() as u32
    }

    /// Where its layers lie in the slice's.
    fn layers(&self) -> Range<u32> {
        self.layers_at..self.layers_at + self.layer_count()
    }
}

/// Plans a slice over members that are to go on, of at most so many floating-point operations, but at least
/// one tick for those that train and one for those that are scored: nobody waits for others.
pub fn plan(
    asked: &[(MemberId, &Tenant)],
    dataset: &Dataset,
    targets_at: u32,
    tiles: &Tiles,
    budget: Budget,
) -> Slice {
    let budget = budget.total;
    let mut asked = asked.to_vec();
    asked.sort_by(|(a_id, a), (b_id, b)| b.operations().total_cmp(&a.operations()).then(a_id.cmp(b_id)));
    let mut slice = Slice::default();
    let mut active = Vec::new();
    for (index, (_, tenant)) in asked.iter().enumerate() {
        active.push(Active { tenant, index: index as u32, layers_at: slice.layers.len() as u32 });
        slice.members.push(MemberRow { targets_at, ..member_row(tenant, dataset) });
        slice.layers.extend(rows_of_layers(tenant));
    }
    let training: Vec<&Active> = active.iter().filter(|a| a.tenant.steps_left() > 0).collect();
    slice.count_training_ticks(&training, budget);
    slice.add_training_stages(&training, tiles);
    slice.add_training_controls(&active);
    let ticks = slice.training_ticks;
    for (id, tenant) in &asked {
        let (steps, scored) = (ticks.min(tenant.steps_left()), tenant.scored_rows..tenant.scored_rows);
        slice.progress.push(Progress::new(*id, tenant, steps, scored));
    }
    let finishing: Vec<&Active> = active.iter().filter(|a| a.tenant.steps_left() <= ticks).collect();
    slice.count_scoring_ticks(&finishing, budget);
    slice.add_scoring_stages(&finishing, tiles);
    slice.add_scoring_controls(&finishing);
    slice
}

/// Ticks of so many operations within a budget: at least one.
fn ticks_within(budget: f64, operations: f64) -> u64 {
    ((budget / operations.max(1.0)) as u64).clamp(1, MOST_TICKS)
}

impl Slice {
    fn stage(&mut self, kernel: Kernel, work: impl Iterator<Item = WorkRow>) -> Option<Stage> {
        let start = self.work.len() as u32;
        self.work.extend(work);
        let work = start..self.work.len() as u32;
        (!work.is_empty()).then_some(Stage { kernel, variant: variant::BASE, work })
    }

    /// A stage for each variant that the layers take, given as (member, layer, rows). Workgroups with a long
    /// inner dimension come first: a short one that is left over at the end delays the next stage less.
    fn tiled_stages(
        &mut self,
        kernel: Kernel,
        tiles: &Tiles,
        layers: impl Iterator<Item = (u32, u32, u32)>,
    ) -> Vec<Stage> {
        let taken = |(member, layer, rows): (u32, u32, u32)| {
            let product = Product::of(kernel, &self.layers[layer as usize], rows);
            (tiles.variant(kernel, &product), product, member, layer)
        };
        let mut taken: Vec<(usize, Product, u32, u32)> = layers.map(taken).collect();
        taken.sort_by_key(|(variant, product, ..)| (*variant, Reverse(product.inner)));
        let mut stages = Vec::new();
        for group in taken.chunk_by(|(a, ..), (b, ..)| a == b) {
            let chosen = group[0].0;
            let work = group.iter().flat_map(|(_, product, member, layer)| {
                workgroups(*member, *layer, variant::ALL[chosen].workgroups(kernel, product))
            });
            stages.extend(self.stage(kernel, work).map(|stage| Stage { variant: chosen, ..stage }));
        }
        stages
    }

    fn count_training_ticks(&mut self, training: &[&Active], budget: f64) {
        let left = || training.iter().map(|a| a.tenant.steps_left());
        let (shortest, longest) = (left().min().unwrap_or(0), left().max().unwrap_or(0));
        let operations: f64 = training.iter().map(|a| a.tenant.operations()).sum();
        let limit = ticks_within(budget, operations);
        self.training_ticks = shortest.max(FEWEST_TICKS).min(longest).min(limit);
        self.operations = operations * self.training_ticks as f64;
    }

    fn count_scoring_ticks(&mut self, finishing: &[&Active], budget: f64) {
        let rows_left = |r: &Tenant| r.fold.validation_count - r.scored_rows;
        let ticks = finishing.iter().map(|a| rows_left(a.tenant).div_ceil(a.tenant.scoring_rows()));
        let operations: f64 = finishing.iter().map(|a| a.tenant.scoring_operations()).sum();
        let limit = ticks_within(budget - self.operations, operations);
        self.scoring_ticks = u64::from(ticks.max().unwrap_or(0)).min(limit);
        self.operations += operations * self.scoring_ticks as f64;
        for a in finishing {
            let start = a.tenant.scored_rows;
            let rows = rows_left(a.tenant).min(self.scoring_ticks as u32 * a.tenant.scoring_rows());
            let progress = &mut self.progress[a.index as usize];
            let steps = self.training_ticks.min(a.tenant.steps_left());
            *progress = Progress::new(progress.id, a.tenant, steps, start..start + rows);
        }
    }

    /// Gather and all layers forward, for `rows` rows of each member.
    fn forward_stages<'a>(
        &mut self,
        active: &[&'a Active<'a>],
        tiles: &Tiles,
        rows: fn(&Tenant) -> u32,
    ) -> Vec<Stage> {
        let active = active.iter().copied();
        let deepest = active.clone().map(Active::layer_count).max().unwrap_or(0);
        let gather =
            active.clone().flat_map(|a| workgroups(a.index, NONE, rows(a.tenant).div_ceil(GATHER_ROWS)));
        let mut stages: Vec<Stage> = self.stage(Kernel::Gather, gather).into_iter().collect();
        for depth in 0..deepest {
            let layers = active.clone().filter(|a| depth < a.layer_count());
            let layers = layers.map(|a| (a.index, a.layers_at + depth, rows(a.tenant)));
            stages.extend(self.tiled_stages(Kernel::Forward, tiles, layers));
        }
        stages.extend(self.stage(Kernel::Loss, active.flat_map(|a| workgroups(a.index, NONE, 1))));
        stages
    }

    fn add_training_stages(&mut self, active: &[&Active], tiles: &Tiles) {
        let mut stages = self.forward_stages(active, tiles, |tenant| tenant.batch);
        let deepest = active.iter().map(|a| a.layer_count()).max().unwrap_or(0);
        // From the output down, all members in step: a member's layer waits for the one above it only.
        for from_top in 0..deepest.saturating_sub(1) {
            let layers = active.iter().filter(|a| from_top + 1 < a.layer_count());
            let layers =
                layers.map(|a| (a.index, a.layers_at + a.layer_count() - 1 - from_top, a.tenant.batch));
            stages.extend(self.tiled_stages(Kernel::BackwardInput, tiles, layers));
        }
        let layers = active.iter().flat_map(|a| a.layers().map(|layer| (a.index, layer, a.tenant.batch)));
        stages.extend(self.tiled_stages(Kernel::BackwardParameters, tiles, layers));
        let clipping = || active.iter().filter(|a| a.tenant.member.recipe.clip_norm > 0.0);
        stages.extend(self.stage(Kernel::ClipNorm, clipping().flat_map(|a| workgroups(a.index, NONE, 1))));
        let layers: Vec<(u32, u32)> =
            clipping().flat_map(|a| a.layers().map(|layer| (a.index, layer))).collect();
        let quads = |layer: &LayerRow| (4 * layer.input_stride + 1) * layer.output_stride;
        let counts: Vec<u32> = layers
            .iter()
            .map(|(_, layer)| quads(&self.layers[*layer as usize]).div_ceil(CLIP_QUADS))
            .collect();
        let work =
            layers.iter().zip(counts).flat_map(|((member, layer), count)| workgroups(*member, *layer, count));
        stages.extend(self.stage(Kernel::ClipApply, work));
        self.training = stages;
    }

    fn add_training_controls(&mut self, active: &[Active]) {
        for tick in 0..self.training_ticks {
            self.controls.extend(active.iter().map(|a| training_control(a.tenant, tick)));
        }
    }

    fn add_scoring_stages(&mut self, finishing: &[&Active], tiles: &Tiles) {
        self.scoring = self.forward_stages(finishing, tiles, Tenant::scoring_rows);
    }

    fn add_scoring_controls(&mut self, finishing: &[&Active]) {
        let member_count = self.members.len();
        for tick in 0..self.scoring_ticks {
            let start = self.controls.len();
            self.controls.resize(start + member_count, ControlRow::default());
            for a in finishing {
                let Tenant { scored_rows, fold, .. } = a.tenant;
                let row_start = scored_rows + tick as u32 * a.tenant.scoring_rows();
                let left = fold.validation_count.saturating_sub(row_start);
                self.controls[start + a.index as usize] = ControlRow {
                    row_count: left.min(a.tenant.scoring_rows()),
                    row_start,
                    first: u32::from(row_start == 0),
                    ..Default::default()
                };
            }
        }
    }
}

fn workgroups(member: u32, layer: u32, count: u32) -> impl Iterator<Item = WorkRow> {
    (0..count).map(move |tile| WorkRow { member, layer, tile, padding0: 0 })
}

fn training_control(tenant: &Tenant, tick: u64) -> ControlRow {
    if tick >= tenant.steps_left() {
        return ControlRow::default();
    }
    control(tenant, tenant.step + tick)
}

/// The control of a training step.
fn control(tenant: &Tenant, step: u64) -> ControlRow {
    let in_epoch = step % tenant.steps_per_epoch;
    let row_start = in_epoch as u32 * tenant.batch;
    let scalars = tenant.member.recipe.scalars::<f32>(step, tenant.steps_per_epoch);
    ControlRow {
        row_count: tenant.batch.min(tenant.fold.train_count - row_start),
        row_start,
        step: step as u32,
        epoch: (step / tenant.steps_per_epoch) as u32,
        rate: scalars.rate,
        decay: scalars.decay,
        correction1: scalars.correction1,
        correction2: scalars.correction2,
        first: u32::from(in_epoch == 0),
        training: 1,
        ..Default::default()
    }
}

/// The place of a member of a family in its `ALL`: its code on the device.
fn code(name: &str, all: impl Iterator<Item = &'static str>) -> u32 {
    all.into_iter().position(|member| member == name).expect("every member of a family is in its ALL") as u32
}

/// The row of a member, whatever plan trains it. The places in scratch are the tiled plan's.
pub fn member_row(tenant: &Tenant, dataset: &Dataset) -> MemberRow {
    let Tenant { member, place, fold, footprint, .. } = tenant;
    let (network, recipe) = (&member.network, &member.recipe);
    let target = dataset.folds[member.fold].target;
    let input_stride = network.input_count.div_ceil(4).max(1) as u32;
    let output_stride = network.output_count.div_ceil(4) as u32;
    let parameters = recipe.optimizer_parameters;
    MemberRow {
        input_at: place.scratch,
        input_count: network.input_count as u32,
        input_stride,
        output_at: place.scratch + footprint.scratch as u32 - footprint.rows as u32 * output_stride,
        output_count: network.output_count as u32,
        output_stride,
        rows_at: place.rows,
        result_at: place.results,
        train_at: fold.train_at,
        train_count: fold.train_count,
        validation_at: fold.validation_at,
        transform_at: fold.transform_at,
        class_weights_at: if recipe.balanced { fold.class_weights_at } else { NONE },
        stream: member.stream(),
        half_bits: Permutation::half_bits(fold.train_count),
        activation: code(network.activation.name(), activation::ALL.iter().map(|a| a.name())),
        loss: code(recipe.loss.name(), loss::ALL.iter().map(|l| l.name())),
        optimizer: code(recipe.optimizer.name(), optimizer::ALL.iter().map(|o| o.name())),
        parameters_at: place.parameters,
        parameters_length: footprint.parameters as u32,
        label_smoothing: recipe.loss_parameters.label_smoothing as f32,
        huber_delta: recipe.loss_parameters.huber_delta as f32,
        l1_penalty: recipe.l1_penalty as f32,
        l2_penalty: recipe.l2_penalty as f32,
        dropout: recipe.dropout as f32,
        input_dropout: recipe.input_dropout as f32,
        clip_norm: recipe.clip_norm as f32,
        momentum: parameters.momentum as f32,
        nesterov: f32::from(u8::from(parameters.nesterov)),
        beta1: parameters.beta1 as f32,
        beta2: parameters.beta2 as f32,
        epsilon: parameters.epsilon as f32,
        target_shift: target.shift,
        target_scale: target.scale,
        ..Default::default()
    }
}

/// The layers of a tenant, whose rows of activations lie close together.
fn rows_of_layers(tenant: &Tenant) -> Vec<LayerRow> {
    let (place, rows) = (tenant.place, tenant.footprint.rows as u32);
    layer_rows(&tenant.member.network, place.parameters, place.scratch, |stride| rows * stride)
}
