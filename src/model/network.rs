//! The multilayer perceptron: composes layers and activations, forward and backward, generic over the
//! number type.

use super::layer::dense;
use super::layer::dropout::{self, Mask};
use super::real::Real;
use super::recipe::Network;
use crate::random::{Purpose, Stream};

/// Where the parameters of each layer lie in the one vector that holds them all: per layer W (input,
/// output) row-major, then b (output). The layout of everything that is stored or compared.
pub fn layer_ranges(network: &Network) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    network
        .layers()
        .map(|(inputs, outputs)| {
            let range = start..start + (inputs + 1) * outputs;
            start = range.end;
            range
        })
        .collect()
}

/// The initial parameters of a network: weights from the study's streams, biases 0.
pub fn initial_parameters(
    network: &Network,
    initializer: &dyn super::initializer::Initializer,
    seed: u64,
    member_stream: u32,
) -> Vec<f32> {
    let mut parameters = vec![0.0; network.parameter_count()];
    for (layer, (range, (inputs, outputs))) in
        layer_ranges(network).into_iter().zip(network.layers()).enumerate()
    {
        let stream = Stream::new(seed, Purpose::Initialize, layer, 0, member_stream);
        let weights = &mut parameters[range][..inputs * outputs];
        initializer.fill(stream, inputs, outputs, weights);
    }
    parameters
}

/// The intermediate values of one minibatch, reused from step to step.
#[derive(Default)]
pub struct Workspace<R> {
    /// Per layer, what enters it: (row, input). `inputs[0]` is the minibatch itself.
    pub inputs: Vec<Vec<R>>,
    /// Per hidden layer, the derivative of its activation (dropout included), then dL/dz: (row, unit).
    pub derivatives: Vec<Vec<R>>,
    /// The outputs, replaced by the gradient of the loss: (row, output).
    pub outputs: Vec<R>,
}

impl<R: Real> Workspace<R> {
    /// Makes room for `rows` rows.
    pub fn reserve(&mut self, network: &Network, rows: usize) {
        self.inputs.resize_with(network.layer_count(), Vec::new);
        self.derivatives.resize_with(network.hidden.len(), Vec::new);
        for (layer, (inputs, _)) in network.layers().enumerate() {
            self.inputs[layer].resize(rows * inputs, R::ZERO);
        }
        for (derivatives, units) in self.derivatives.iter_mut().zip(&network.hidden) {
            derivatives.resize(rows * units, R::ZERO);
        }
        self.outputs.resize(rows * network.output_count, R::ZERO);
    }
}

/// outputs = network(inputs\[0\]) for the first `rows` rows of the workspace.
///
/// `masks[layer]` drops units that enter the layer; none where a model is used rather than trained. The
/// derivative of each hidden unit with respect to its pre-activation is kept for the way back.
pub fn forward<R: Real>(
    network: &Network,
    parameters: &[R],
    rows: usize,
    workspace: &mut Workspace<R>,
    masks: &[Option<Mask>],
) {
    if let Some(Some(mask)) = masks.first() {
        let inputs = &mut workspace.inputs[0][..rows * network.input_count];
        dropout::apply(mask, network.input_count, inputs, None);
    }
    let mut parameters = parameters;
    for (layer, (inputs, outputs)) in network.layers().enumerate() {
        let (own, rest) = parameters.split_at((inputs + 1) * outputs);
        parameters = rest;
        if layer == network.hidden.len() {
            let x = &workspace.inputs[layer][..rows * inputs];
            dense::forward(rows, x, own, outputs, &mut workspace.outputs[..rows * outputs]);
            continue;
        }
        let (before, after) = workspace.inputs.split_at_mut(layer + 1);
        let values = &mut after[0][..rows * outputs];
        let derivatives = &mut workspace.derivatives[layer][..rows * outputs];
        dense::forward(rows, &before[layer][..rows * inputs], own, outputs, values);
        R::activate(network.activation, values, derivatives);
        if let Some(Some(mask)) = masks.get(layer + 1) {
            dropout::apply(mask, outputs, values, Some(derivatives));
        }
    }
}

/// gradient = dL/dparameters, given dL/doutputs in the workspace's outputs.
///
/// Replaces each layer's derivatives by dL/dz on the way.
pub fn backward<R: Real>(
    network: &Network,
    parameters: &[R],
    rows: usize,
    workspace: &mut Workspace<R>,
    gradient: &mut [R],
) {
    let mut end = parameters.len();
    for layer in (0..network.layer_count()).rev() {
        let (inputs, outputs) = network.shape(layer);
        let range = end - (inputs + 1) * outputs..end;
        end = range.start;
        let (below, above) = workspace.derivatives.split_at_mut(layer);
        let d_z = above.first().unwrap_or(&workspace.outputs);
        let d_z = &d_z[..rows * outputs];
        let x = &workspace.inputs[layer][..rows * inputs];
        dense::backward_parameters(rows, x, d_z, outputs, &mut gradient[range.clone()]);
        if let Some(slopes) = below.last_mut() {
            dense::backward_input(rows, d_z, &parameters[range], outputs, &mut slopes[..rows * inputs]);
        }
    }
}
