//! What is kept of a look: numbers of each layer as JSON, its histograms as bytes.

use super::encoding;
use crate::model::inside::{Histogram, LayerProbe, Probe, ZERO};
use serde::{Deserialize, Serialize};

/// What a layer came to, in numbers. What is infinite or no number is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Units.
    pub unit_count: u32,
    /// Units that are closed in every row looked at: nothing passes back through them.
    pub dead_count: u32,
    /// Share of (row, unit) pairs that are closed; `None` for the output layer, which has no activation.
    pub closed: Option<f64>,
    /// Mean |activation|; `None` for the output layer.
    pub mean_activation: Option<f64>,
    /// Root mean square of dL/dz over the minibatch.
    pub d_rms: Option<f64>,
    /// ‖Δw‖/‖w‖ of one step.
    pub update_ratio: Option<f64>,
    /// Share of parameters whose gradient was 0 in the minibatch.
    pub zero_gradients: f64,
    /// Share of pre-activations and gradients that are infinite or no numbers.
    pub not_finite: f64,
}

/// The histograms of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerHistograms {
    /// As in [`LayerHistograms::NAMES`].
    pub all: [Histogram; 5],
}

impl LayerHistograms {
    /// Their names, in order.
    pub const NAMES: [&str; 5] =
        ["pre_activations", "activations", "d_pre_activations", "gradients", "update_ratios"];

    /// Each with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Histogram)> {
        Self::NAMES.into_iter().zip(&self.all)
    }
}

/// One look into one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Which trial.
    pub trial: u64,
    /// After so many epochs.
    pub epoch: u32,
    /// From the input on.
    pub layers: Vec<LayerSummary>,
    /// From the input on; `None` where they are not kept.
    pub histograms: Option<Vec<LayerHistograms>>,
}

impl Look {
    /// What a probe saw.
    pub fn new(trial: u64, epoch: u32, probe: &Probe) -> Self {
        Self {
            trial,
            epoch,
            layers: probe.layers.iter().map(summary).collect(),
            histograms: Some(probe.layers.iter().map(histograms).collect()),
        }
    }

    /// As it was stored; `None` where that makes no sense.
    pub fn stored(trial: u64, epoch: u32, layers: &str, histograms: Option<&[u8]>) -> Option<Self> {
        let layers: Vec<LayerSummary> = serde_json::from_str(layers).ok()?;
        let histograms = match histograms {
            Some(bytes) => Some(encoding::decode(bytes, layers.len())?),
            None => None,
        };
        Some(Self { trial, epoch, layers, histograms })
    }

    /// The numbers of its layers as JSON.
    pub fn layers_text(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.layers)
    }

    /// Its histograms as bytes.
    pub fn histogram_bytes(&self) -> Option<Vec<u8>> {
        self.histograms.as_deref().map(encoding::encode)
    }
}

fn histograms(layer: &LayerProbe) -> LayerHistograms {
    let LayerProbe { pre_activations, activations, d_pre_activations, gradients, update_ratios, .. } = layer;
    LayerHistograms {
        all: [pre_activations, activations, d_pre_activations, gradients, update_ratios].map(Clone::clone),
    }
}

fn summary(layer: &LayerProbe) -> LayerSummary {
    let finite = |x: f64| Some(x).filter(|x| x.is_finite());
    let activation_count = layer.activations.total();
    let of_activations = |sum: f64| (activation_count > 0).then(|| sum / activation_count as f64);
    let values = [&layer.pre_activations, &layer.gradients];
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), histogram| {
        let total = histogram.total() as f64;
        (sum + histogram.share_not_finite() * total, count + total)
    });
    LayerSummary {
        unit_count: layer.unit_count,
        dead_count: layer.dead_count,
        closed: of_activations(layer.closed_count as f64),
        mean_activation: of_activations(layer.activation_sum).and_then(finite),
        d_rms: finite((layer.d_square_sum / layer.d_pre_activations.total() as f64).sqrt()),
        update_ratio: finite((layer.update_square_sum / layer.weight_square_sum).sqrt()),
        zero_gradients: layer.gradients.share([ZERO]),
        not_finite: sum / f64::max(count, 1.0),
    }
}
