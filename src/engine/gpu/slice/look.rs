//! The slice of a look inside members: their validation rows forward, then their next step, each counted.
//!
//! The kernels are those of training. A layer that is said to be the last stops at z: so the way forward of the look
//! goes through every layer twice, once for z and once for what enters the next.

use super::{Active, Slice, Stage, control};
use crate::data::Dataset;
use crate::engine::MemberId;
use crate::engine::gpu::footprint::strides;
use crate::engine::gpu::pipelines::Kernel;
use crate::engine::gpu::shard::Tenant;
use crate::engine::gpu::tables::{ControlRow, LayerRow, MemberRow, WorkRow};
use crate::engine::gpu::variant::Tiles;
use crate::model::inside::{LOOK_ROWS, closed_below};
use crate::model::recipe::Network;
use std::ops::Range;

/// Histograms of a layer.
pub const HISTOGRAMS: usize = 5;
/// Behind a histogram's number in the tile of its workgroup; the twin of KINDS in `shaders/kernel/inside.wgsl`.
const KINDS: u32 = 8;
/// Those of the look; the others are of the step.
const LOOK: Range<u32> = 0..2;
const STEP: Range<u32> = 2..HISTOGRAMS as u32;
/// The one that the output layer has not.
const ACTIVATIONS: u32 = 1;

/// Where a look keeps what training does not, in vec4 of scratch.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    /// The parameters before the step.
    pub parameters: u32,
    /// z of all layers: (layer, row, unit).
    pub pre_activations: u32,
}

impl Beside {
    /// vec4 that it takes: of parameters, and of z.
    pub fn size(network: &Network, parameters: u64, rows: u64) -> [u64; 2] {
        let units: u64 = strides(network).map(|(_, outputs)| u64::from(outputs)).sum();
        [parameters, rows * units]
    }
}

/// The slice of a look inside some members: the look's tick, then the step's. Histograms are numbered by member,
/// layer and kind.
pub fn plan(
    asked: &[(MemberId, &Tenant, Beside)],
    dataset: &Dataset,
    targets_at: u32,
    tiles: &Tiles,
) -> Slice {
    let mut slice = Slice { training_ticks: 1, scoring_ticks: 1, ..Slice::default() };
    let mut active = Vec::new();
    for (index, (_, tenant, beside)) in asked.iter().enumerate() {
        active.push(Active { tenant, index: index as u32, layers_at: slice.layers.len() as u32 });
        slice.members.push(MemberRow { targets_at, ..super::member_row(tenant, dataset) });
        let own = super::rows_of_layers(tenant);
        let before = |layer: LayerRow| LayerRow {
            before_at: beside.parameters + layer.parameters_at - tenant.place.parameters,
            ..layer
        };
        slice.layers.extend(own.into_iter().map(before));
    }
    // The same layers once more, as they are looked at.
    let count = slice.layers.len() as u32;
    for (_, tenant, beside) in asked {
        let mut at = beside.pre_activations;
        for mut layer in super::rows_of_layers(tenant) {
            (layer.output_at, layer.hidden) = (at, 0);
            at += tenant.footprint.rows as u32 * layer.output_stride;
            slice.layers.push(layer);
        }
    }
    let active: Vec<&Active> = active.iter().collect();
    slice.controls.extend(active.iter().map(|a| look_control(a.tenant)));
    slice.controls.extend(active.iter().map(|a| step_control(a.tenant)));
    slice.add_look_stages(&active, tiles, count);
    let look = std::mem::take(&mut slice.training);
    slice.add_training_stages(&active, tiles);
    let counted = slice.histograms(&active, 0, STEP);
    slice.training.extend(counted);
    slice.scoring = std::mem::replace(&mut slice.training, look);
    slice
}

fn look_rows(tenant: &Tenant) -> u32 {
    tenant.fold.validation_count.min(LOOK_ROWS as u32)
}

fn look_control(tenant: &Tenant) -> ControlRow {
    let closed_below = closed_below(tenant.member.network.activation);
    ControlRow { row_count: look_rows(tenant), closed_below, ..ControlRow::default() }
}

fn step_control(tenant: &Tenant) -> ControlRow {
    let control = control(tenant, tenant.step);
    let scalars = tenant.member.recipe.scalars_aside::<f32>(tenant.step, tenant.steps_per_epoch);
    ControlRow {
        rate: scalars.rate,
        decay: scalars.decay,
        correction1: scalars.correction1,
        correction2: scalars.correction2,
        first: 1,
        ..control
    }
}

impl Slice {
    fn add_look_stages(&mut self, active: &[&Active], tiles: &Tiles, layer_count: u32) {
        let mut stages = self.forward_stages(active, tiles, look_rows);
        // No loss: z of the last layer is looked at.
        stages.retain(|stage| stage.kernel != Kernel::Loss);
        let looked = active
            .iter()
            .flat_map(|a| a.layers().map(|layer| (a.index, layer_count + layer, look_rows(a.tenant))));
        stages.extend(self.tiled_stages(Kernel::Forward, tiles, looked));
        stages.extend(self.histograms(active, layer_count, LOOK));
        self.training = stages;
    }

    /// A workgroup for each of these histograms of each layer; the rows of the layers begin at `layers_at`.
    fn histograms(&mut self, active: &[&Active], layers_at: u32, kinds: Range<u32>) -> Option<Stage> {
        let of_layer = |a: &&Active, layer: u32| {
            let (member, is_last) = (a.index, layer + 1 == a.layers().end);
            let kinds = kinds.clone().filter(move |&kind| !(is_last && kind == ACTIVATIONS));
            kinds.map(move |kind| {
                let place = layer * HISTOGRAMS as u32 + kind;
                WorkRow { member, layer: layers_at + layer, tile: place * KINDS + kind, padding0: 0 }
            })
        };
        let work: Vec<WorkRow> =
            active.iter().flat_map(|a| a.layers().flat_map(|layer| of_layer(a, layer))).collect();
        self.stage(Kernel::Inside, work.into_iter())
    }
}
