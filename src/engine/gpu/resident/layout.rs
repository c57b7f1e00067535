//! Where a member's activations lie while one workgroup trains it: rows of odd length, so that threads
//! that read neighbouring rows meet different banks of the memory.

use crate::engine::gpu::footprint::{layer_rows, padded_layers, strides};
use crate::engine::gpu::tables::LayerRow;
use crate::model::recipe::{Member, Network};

/// Validation rows scored at a time by a member whose minibatch is smaller, where there are as many.
const SCORING_ROWS: u32 = 64;

/// How much room a member takes, in vec4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Rows of activations: of a minibatch or of one lot of validation rows, a multiple of 4.
    pub rows: u32,
    /// Its parameters, padded.
    pub parameters: u32,
    /// Its activations, and the gradient of a member that clips.
    pub activations: u32,
}

/// vec4 from one row of activations to the next; the twin of row_stride in `shaders/resident/memory.wgsl`.
fn row_stride(stride: u32) -> u32 {
    stride | 1
}

impl Layout {
    /// The layout of a member with minibatches of `batch` rows; `None` where it could not be counted.
    pub fn of(member: &Member, batch: u32, validation_count: u32) -> Option<Self> {
        let network = &member.network;
        let parameters: u64 = padded_layers(network).map(|(rows, quads)| (rows * quads) as u64).sum();
        let rows = batch.max(SCORING_ROWS.min(validation_count)).checked_next_multiple_of(4)?;
        let input = strides(network).next().map_or(0, |(inputs, _)| u64::from(row_stride(inputs)));
        // Every hidden layer's activations and derivatives, the outputs.
        let outputs: Vec<u64> = strides(network).map(|(_, outputs)| u64::from(row_stride(outputs))).collect();
        let a_row = input + 2 * outputs.iter().sum::<u64>() - outputs.last().unwrap_or(&0);
        let clips = member.recipe.clip_norm > 0.0;
        let gradients = if clips { parameters } else { 0 };
        let activations = u32::try_from(u64::from(rows) * a_row + gradients).ok()?;
        Some(Self { rows, parameters: u32::try_from(parameters).ok()?, activations })
    }

    /// Where the gradient of a member that clips begins, given where its activations do.
    pub fn gradients_at(&self, activations_at: u32) -> u32 {
        activations_at + self.activations - self.parameters
    }

    /// The layers of a member whose activations begin at `activations_at`. Parameters count from the
    /// member's first.
    pub fn layers(&self, network: &Network, activations_at: u32) -> Vec<LayerRow> {
        layer_rows(network, 0, activations_at, |stride| self.rows * row_stride(stride))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_one_after_another_and_fill_the_layout() {
        let activation = crate::model::activation::ALL[0];
        for hidden in [vec![], vec![1], vec![4, 8], vec![7, 33, 5]] {
            let network = Network { input_count: 6, hidden, output_count: 3, activation };
            let layout = Layout { rows: 8, parameters: 0, activations: 0 };
            let layers = layout.layers(&network, 100);
            let mut regions = vec![(layers[0].input_at, row_stride(layers[0].input_stride))];
            for layer in &layers {
                regions.push((layer.output_at, row_stride(layer.output_stride)));
                if layer.hidden == 1 {
                    regions.push((layer.gradient_at, row_stride(layer.output_stride)));
                }
            }
            let mut expected = 100;
            for (at, stride) in regions {
                assert_eq!((at, stride % 2), (expected, 1));
                expected += 8 * stride;
            }
            let total: usize = padded_layers(&network).map(|(rows, quads)| rows * quads).sum();
            let last = layers.last().unwrap();
            assert_eq!(last.parameters_at + (4 * last.input_stride + 1) * last.output_stride, total as u32);
        }
    }
}
