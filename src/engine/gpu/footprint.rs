//! How much of each arena a member takes, and how its parameters lie in them.
//!
//! On the device a layer's parameters are (4·⌈inputs/4⌉ + 1) rows of ⌈outputs/4⌉ vec4: the weights, padded
//! with zeros to a multiple of 4 either way, then the bias. Nothing is padded to a wider neighbour.

use super::resident::layout::Layout;
use super::resident::variant::Variant;
use super::tables::{LayerRow, NONE};
use crate::model::network::layer_ranges;
use crate::model::recipe::{Member, Network};

/// Rows of a scoring tick: bounds the scratch of a member whose minibatch is smaller.
pub const SCORING_ROWS: usize = 256;

/// Numbers a vector holds.
const QUAD: usize = 4;

/// What a member takes of the arenas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// vec4 of parameters; the moments take twice that.
    pub parameters: u64,
    /// vec4 of scratch.
    pub scratch: u64,
    /// Rows of its minibatch or of a scoring tick, whichever is more.
    pub rows: u64,
    /// Words of results.
    pub results: u64,
}

impl Footprint {
    /// The footprint of a member whose fold has so many training and validation rows.
    pub fn of(member: &Member, train_count: usize, validation_count: usize) -> Self {
        let (batch, _) = member.recipe.steps(train_count);
        let rows = batch.max(SCORING_ROWS.min(validation_count)) as u64;
        let network = &member.network;
        // Every layer's input, every hidden layer's derivative, the outputs.
        let hidden: usize = network.hidden.iter().map(|units| 2 * units.div_ceil(QUAD)).sum();
        let ends = network.input_count.div_ceil(QUAD).max(1) + network.output_count.div_ceil(QUAD);
        Self {
            parameters: padded_layers(network).map(|(rows, quads)| (rows * quads) as u64).sum(),
            scratch: rows * (hidden + ends) as u64,
            rows,
            results: 4 + 2 * network.output_count as u64,
        }
    }

    /// The footprint of a member that a variant of the resident plan holds: of scratch, the activations that
    /// are not on chip and, where they are wanted, the outputs of all validation rows.
    pub fn resident(member: &Member, layout: &Layout, variant: &Variant, output_rows: u32) -> Self {
        let network = &member.network;
        let activations = if variant.activations_on_chip { 0 } else { u64::from(layout.activations) };
        let outputs = u64::from(output_rows) * network.output_count.div_ceil(QUAD) as u64;
        Self {
            parameters: u64::from(layout.parameters),
            scratch: (activations + outputs).max(1),
            rows: 1,
            results: 4 + 2 * network.output_count as u64,
        }
    }

    /// The same with a gap of so many words, a multiple of 4, behind it in every arena.
    pub fn with_gap(self, words: u64) -> Self {
        Self {
            parameters: self.parameters + words / QUAD as u64,
            scratch: self.scratch + words / QUAD as u64,
            rows: self.rows + words,
            results: self.results + words,
        }
    }

    /// Bytes of device memory, with moments and the kept copy, and the gradients of a member that clips.
    pub fn bytes(&self, clips: bool) -> u64 {
        16 * (self.parameters * if clips { 5 } else { 4 } + self.scratch) + 4 * (self.rows + self.results)
    }
}

/// Rows and vec4 a row of each layer's parameters on the device.
pub fn padded_layers(network: &Network) -> impl Iterator<Item = (usize, usize)> + '_ {
    network
        .layers()
        .map(|(inputs, outputs)| (QUAD * inputs.div_ceil(QUAD).max(1) + 1, outputs.div_ceil(QUAD)))
}

/// vec4 of each layer's inputs and outputs.
pub fn strides(network: &Network) -> impl Iterator<Item = (u32, u32)> + '_ {
    let quads = |units: usize| units.div_ceil(QUAD) as u32;
    network.layers().map(move |(inputs, outputs)| (quads(inputs).max(1), quads(outputs)))
}

/// The layers of a member whose parameters and activations begin at these vec4. Its activations are, in
/// order: the minibatch, then per hidden layer its activations and its derivatives, then the outputs; `area`
/// says how many vec4 all rows of so many vec4 take.
pub fn layer_rows(
    network: &Network,
    mut parameters_at: u32,
    activations_at: u32,
    area: impl Fn(u32) -> u32,
) -> Vec<LayerRow> {
    let mut input_at = activations_at;
    let mut input_gradient_at = NONE;
    let mut next = activations_at;
    let mut take = |stride: u32| {
        let at = next;
        next += area(stride);
        at
    };
    let mut table = Vec::new();
    for (index, ((inputs, outputs), (input_stride, output_stride))) in
        network.layers().zip(strides(network)).enumerate()
    {
        if index == 0 {
            input_at = take(input_stride);
        }
        let hidden = index < network.hidden.len();
        let output_at = take(output_stride);
        let gradient_at = if hidden { take(output_stride) } else { output_at };
        table.push(LayerRow {
            input_count: inputs as u32,
            input_stride,
            output_count: outputs as u32,
            output_stride,
            parameters_at,
            input_at,
            output_at,
            gradient_at,
            input_gradient_at,
            hidden: u32::from(hidden),
            index: index as u32,
            before_at: NONE,
        });
        parameters_at += (4 * input_stride + 1) * output_stride;
        (input_at, input_gradient_at) = (output_at, gradient_at);
    }
    table
}

/// Visits every parameter: its place in the canonical vector, and in the padded one.
fn places(network: &Network, mut visit: impl FnMut(std::ops::Range<usize>, usize)) {
    let mut padded_start = 0;
    for ((range, (inputs, outputs)), (rows, quads)) in
        layer_ranges(network).into_iter().zip(network.layers()).zip(padded_layers(network))
    {
        for row in 0..=inputs {
            let canonical = range.start + row * outputs;
            let padded_row = if row == inputs { rows - 1 } else { row };
            visit(canonical..canonical + outputs, padded_start + padded_row * quads * QUAD);
        }
        padded_start += rows * quads * QUAD;
    }
}

/// Canonical parameters as the device holds them.
pub fn pad(network: &Network, canonical: &[f32]) -> Vec<f32> {
    let length: usize = padded_layers(network).map(|(rows, quads)| rows * quads * QUAD).sum();
    let mut padded = vec![0.0; length];
    places(network, |from, to| padded[to..to + from.len()].copy_from_slice(&canonical[from]));
    padded
}

/// Parameters as the device holds them, made canonical.
pub fn unpad(network: &Network, padded: &[f32]) -> Vec<f32> {
    let mut canonical = vec![0.0; network.parameter_count()];
    places(network, |to, from| {
        let length = to.len();
        canonical[to].copy_from_slice(&padded[from..from + length]);
    });
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_back_changes_nothing() {
        for hidden in [vec![], vec![1], vec![4, 8], vec![7, 3, 5]] {
            let activation = crate::model::activation::ALL[0];
            let network = Network { input_count: 6, hidden, output_count: 3, activation };
            let canonical: Vec<f32> = (1..=network.parameter_count()).map(|i| i as f32).collect();
            let padded = pad(&network, &canonical);
            assert_eq!(unpad(&network, &padded), canonical);
            let sum: f32 = canonical.iter().sum();
            assert_eq!(padded.iter().sum::<f32>(), sum, "the padding is not zero");
        }
    }

    fn network(input_count: usize, hidden: &[usize], output_count: usize) -> Network {
        let activation = crate::model::activation::ALL[0];
        Network { input_count, hidden: hidden.to_vec(), output_count, activation }
    }

    #[test]
    fn padding_adds_less_than_a_third_to_the_shapes_of_the_benchmarks() {
        for (inputs, hidden, outputs) in
            [(16, &[32][..], 2), (64, &[128, 128], 10), (784, &[256, 256], 10), (100, &[64], 2)]
        {
            let network = network(inputs, hidden, outputs);
            let padded: usize = padded_layers(&network).map(|(rows, quads)| rows * quads * QUAD).sum();
            let share = padded as f64 / network.parameter_count() as f64;
            assert!(share <= 1.3, "{inputs}-{hidden:?}-{outputs}: {share}");
        }
    }
}
