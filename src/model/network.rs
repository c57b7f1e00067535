//! The multilayer perceptron: composes layers and activations, forward and backward, generic over the
//! number type.

use super::buffer::Buffer;
use super::layer::dense;
use super::layer::dropout::{self, Mask};
use super::real::{Epilogue, Real};
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
    /// Per layer, what enters it: (row, input). `inputs[0]` is the minibatch itself. On the way back what has
    /// been used up becomes dL/dz where the activation [`gates`](super::activation::Activation::gates).
    pub inputs: Vec<Buffer<R>>,
    /// Per hidden layer, the derivative of its activation (dropout included), then dL/dz: (row, unit). Unused
    /// where the activation gates.
    pub derivatives: Vec<Buffer<R>>,
    /// The outputs, replaced by the gradient of the loss: (row, output).
    pub outputs: Buffer<R>,
}

impl<R: Real> Workspace<R> {
    /// Makes room for `rows` rows; what was larger stays so.
    pub fn reserve(&mut self, network: &Network, rows: usize) {
        fn enough<R: Real>(buffers: &mut Vec<Buffer<R>>, count: usize) {
            if buffers.len() < count {
                buffers.resize_with(count, Buffer::default);
            }
        }
        enough(&mut self.inputs, network.layer_count());
        enough(&mut self.derivatives, network.hidden.len());
        for (inputs, (count, _)) in self.inputs.iter_mut().zip(network.layers()) {
            inputs.grow(rows * count);
        }
        if !network.activation.gates() {
            for (derivatives, units) in self.derivatives.iter_mut().zip(&network.hidden) {
                derivatives.grow(rows * units);
            }
        }
        self.outputs.grow(rows * network.output_count);
    }

    /// dL/dz of a layer, (row, unit), on the way back: before [`backward`] of that layer, once it has been called
    /// for those above.
    pub fn d_pre_activations(&self, network: &Network, layer: usize) -> &[R] {
        match (layer == network.hidden.len(), network.activation.gates()) {
            (true, _) => &self.outputs,
            (false, true) => &self.inputs[layer + 1],
            (false, false) => &self.derivatives[layer],
        }
    }
}

/// outputs = network(inputs\[0\]) for the first `rows` rows of the workspace.
///
/// `masks[layer]` drops units that enter the layer; none where a model is used rather than trained. What the
/// way back needs of each hidden unit is kept.
pub fn forward<R: Real>(
    network: &Network,
    parameters: &[R],
    rows: usize,
    workspace: &mut Workspace<R>,
    masks: &[Option<Mask>],
) {
    let _flushing = R::flushing();
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
        dense::forward(rows, &before[layer][..rows * inputs], own, outputs, values);
        let mut derivatives =
            (!network.activation.gates()).then(|| &mut workspace.derivatives[layer][..rows * outputs]);
        R::activate(network.activation, values, derivatives.as_deref_mut());
        if let Some(Some(mask)) = masks.get(layer + 1) {
            dropout::apply(mask, outputs, values, derivatives);
        }
    }
}

/// gradient = dL/dparameters of one layer, given dL/dz of its outputs in the workspace; then dL/dz of the
/// layer below replaces what the workspace kept of it. Layers are taken from the last to the first.
pub fn backward<R: Real>(
    network: &Network,
    layer: usize,
    parameters: &[R],
    rows: usize,
    workspace: &mut Workspace<R>,
    masks: &[Option<Mask>],
    gradient: &mut [R],
) {
    let (inputs, outputs) = network.shape(layer);
    let Workspace { inputs: entered, derivatives, outputs: last } = workspace;
    let gates = network.activation.gates();
    let (entered, above) = entered.split_at_mut(layer + 1);
    let (derivatives, slopes_above) = derivatives.split_at_mut(layer);
    let d_z = match (layer == network.hidden.len(), gates) {
        (true, _) => &*last,
        (false, true) => &above[0],
        (false, false) => &slopes_above[0],
    };
    let (d_z, x) = (&d_z[..rows * outputs], &mut entered[layer][..rows * inputs]);
    dense::backward_parameters(rows, x, d_z, outputs, gradient);
    if layer == 0 {
        return;
    }
    if gates {
        let kept = masks.get(layer).copied().flatten().map_or(R::ONE, |mask| R::of(f64::from(mask.kept())));
        dense::backward_input(rows, d_z, parameters, outputs, Epilogue::Gate(kept), x);
    } else {
        let slopes = &mut derivatives[layer - 1][..rows * inputs];
        dense::backward_input(rows, d_z, parameters, outputs, Epilogue::Multiply, slopes);
    }
}
