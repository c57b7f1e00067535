//! Looks inside a member between two epochs. Its own state stays as it is: a step is taken on a copy.

use super::{EVALUATION_ROWS, Scratch, Trainer, gather};
use crate::data::Dataset;
use crate::model::inside::{Histogram, LOOK_ROWS, LayerProbe, Probe, closed_below};
use crate::model::layer::dense;
use crate::model::real::Real;

// The workspace is planned for so many rows.
const _: () = assert!(LOOK_ROWS <= EVALUATION_ROWS);

impl<R: Real> Trainer<R> {
    /// What the member's validation rows come to in every layer, and what its next step would do.
    pub fn probe(&self, dataset: &Dataset, scratch: &mut Scratch<R>) -> Probe {
        let _flushing = R::flushing();
        let mut layers = vec![LayerProbe::default(); self.member.network.layer_count()];
        self.look(dataset, scratch, &mut layers);
        let loss = self.step_aside(dataset, scratch, &mut layers);
        Probe { step: self.step, loss, layers }
    }

    /// The way forward of the first validation rows, without dropout.
    fn look(&self, dataset: &Dataset, scratch: &mut Scratch<R>, layers: &mut [LayerProbe]) {
        let (network, fold) = (&self.member.network, self.fold(dataset));
        let rows = &fold.validation[..fold.validation.len().min(LOOK_ROWS)];
        let Scratch { workspace, columns, gradient, .. } = scratch;
        workspace.reserve(network, rows.len());
        columns.load(&fold.transforms);
        gather(dataset, columns, rows, &mut workspace.inputs[0]);
        let mut parameters = &self.parameters[..];
        for (index, (inputs, units)) in network.layers().enumerate() {
            let (own, rest) = parameters.split_at((inputs + 1) * units);
            parameters = rest;
            let layer = &mut layers[index];
            layer.unit_count = units as u32;
            let (below, above) = workspace.inputs.split_at_mut(index + 1);
            let is_last = index == network.hidden.len();
            let z = if is_last { &mut workspace.outputs } else { &mut above[0] };
            let z = &mut z[..rows.len() * units];
            dense::forward(rows.len(), &below[index][..rows.len() * inputs], own, units, z);
            layer.pre_activations = Histogram::of(z.iter().copied());
            if !is_last {
                // Not yet needed: its place serves the slopes, which some activations keep nowhere.
                gradient.grow(z.len());
                let slopes = &mut gradient[..z.len()];
                R::activate(network.activation, z, Some(&mut *slopes));
                layer.look(units, z, slopes, closed_below(network.activation));
            }
        }
    }

    /// The next step, on a copy; returns its loss. Unlike training, it goes on where that is not finite.
    fn step_aside(&self, dataset: &Dataset, scratch: &mut Scratch<R>, layers: &mut [LayerProbe]) -> f64 {
        let network = &self.member.network;
        let loss = self.forward(dataset, scratch);
        let row_count = scratch.rows.len();
        scratch.gradient.resize(self.parameters.len());
        let mut end = self.parameters.len();
        let mut ranges = Vec::new();
        for index in (0..network.layer_count()).rev() {
            let own = self.layer_before(index, end);
            end = own.start;
            let count = row_count * network.shape(index).1;
            layers[index].look_back(&scratch.workspace.d_pre_activations(network, index)[..count]);
            self.backward_layer(index, own.clone(), scratch, own.clone());
            ranges.push((index, own));
        }
        for (index, own) in &ranges {
            layers[*index].gradients = Histogram::of(scratch.gradient[own.clone()].iter().copied());
        }
        self.clip(&mut scratch.gradient);
        let mut copy = self.clone();
        let (_, steps_per_epoch) = self.member.recipe.steps(self.fold(dataset).train.len());
        let scalars = self.member.recipe.scalars_aside(self.step, steps_per_epoch);
        for (index, own) in ranges {
            copy.update_layer(index, own.clone(), &scalars, &scratch.gradient[own.clone()]);
            let (inputs, units) = network.shape(index);
            let weights = own.start..own.start + inputs * units;
            layers[index].look_at_update(&self.parameters[weights.clone()], &copy.parameters[weights]);
        }
        loss
    }
}
