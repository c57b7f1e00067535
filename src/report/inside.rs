//! What went on inside the model of a trial while it trained: each layer over the epochs, for people and scripts.

use super::columns;
use super::number::significant;
use crate::error::{Error, Result};
use crate::model::inside::{Histogram, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY, ZERO, exponent_of};
use crate::study::inside::{LayerHistograms, LayerSummary, Look};
use crate::study::store::Store;
use crate::trial;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Characters of a bar that is full.
const BAR: usize = 10;
/// Characters of a histogram.
const SPARK: usize = 16;
/// Eighths of a character.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// The same from the left.
const LEFT_EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// The histograms of the table, by their place in [`LayerHistograms::NAMES`], and what they are called there.
const SHOWN: [(usize, &str); 2] = [(0, "|z|"), (3, "|gradient|")];

/// A layer after so many epochs: its numbers, and its histograms where they are kept.
pub type Seen<'a> = (u32, &'a LayerSummary, Option<&'a LayerHistograms>);

/// What was seen inside one trial.
pub struct Inside {
    /// Which.
    pub trial: u64,
    /// By epoch; at least one.
    pub looks: Vec<Look>,
}

impl Inside {
    /// Of a trial of the study in a folder, of the best one for `None`.
    pub fn open(folder: &Path, number: Option<u64>) -> Result<Self> {
        let store = Store::read(folder)?;
        let mut trials = store.trials()?;
        let order = store.header()?.order()?;
        trials.sort_by(|a, b| trial::compare(order, a, b));
        let is_one = |number: u64| trials.iter().any(|trial| trial.number == number);
        if let Some(number) = number.filter(|&number| !is_one(number)) {
            let last = trials.iter().map(|trial| trial.number).max();
            let allowed =
                last.map_or("none: the study has no trials".to_owned(), |last| format!("0 to {last}"));
            return Err(Error::usage("--trial", format!("there is no trial {number}")).allowed(allowed));
        }
        let first = trials.first().map(|trial| trial.number);
        let looks = match number.or(first) {
            Some(trial) => store.inside(Some(trial))?,
            None => Vec::new(),
        };
        let Some(trial) = looks.first().map(|look| look.trial) else {
            return Err(Error::usage("--inside", "nothing was looked at inside this trial")
                .allowed("a study of networks, tuned with --histograms best:N or all")
                .advice("another --trial; or the study anew in another folder"));
        };
        Ok(Self { trial, looks })
    }

    /// The layers, from the input on: each over the epochs.
    pub fn layers(&self) -> impl Iterator<Item = Vec<Seen<'_>>> {
        let count = self.looks.iter().map(|look| look.layers.len()).max().unwrap_or(0);
        (0..count).map(|layer| {
            self.looks
                .iter()
                .filter_map(|look| {
                    let histograms = look.histograms.as_ref().and_then(|layers| layers.get(layer));
                    Some((look.epoch, look.layers.get(layer)?, histograms))
                })
                .collect()
        })
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut text = format!("inside trial {}: its first fold, after so many epochs\n", self.trial);
        for (index, epochs) in self.layers().enumerate() {
            let Some((_, first, _)) = epochs.first() else { continue };
            let kind =
                if first.closed.is_some() { format!("layer {}", index + 1) } else { "output".to_owned() };
            text += &format!("\n{kind}, {} units\n{}", first.unit_count, layer_table(&epochs));
        }
        text + "\nclosed: (row, unit) pairs whose activation is flat; dead: units closed in every row; update: \
                ‖Δw‖/‖w‖ of a step\n"
    }

    /// The same, with all histograms that are kept, as JSON.
    pub fn json(&self) -> Value {
        let epoch = |look: &Look| {
            let layer = |(index, summary): (usize, &LayerSummary)| {
                let mut object = json!(summary);
                if let Some(histograms) = look.histograms.as_ref().and_then(|layers| layers.get(index)) {
                    let named =
                        histograms.named().map(|(name, histogram)| (name.to_owned(), counts(histogram)));
                    object["histograms"] = Value::Object(named.collect());
                }
                object
            };
            let layers: Vec<Value> = look.layers.iter().enumerate().map(layer).collect();
            json!({"epoch": look.epoch, "layers": layers})
        };
        json!({"trial": self.trial, "epochs": self.looks.iter().map(epoch).collect::<Vec<_>>()})
    }
}

/// A histogram as JSON: what is no power of two by name, the rest by sign and exponent, empty bins left out.
fn counts(histogram: &Histogram) -> Value {
    let mut object = Map::new();
    let names = [
        ("nan", NAN),
        ("positive_infinity", POSITIVE_INFINITY),
        ("negative_infinity", NEGATIVE_INFINITY),
        ("zero", ZERO),
    ];
    for (name, bin) in names.into_iter().filter(|(_, bin)| histogram.counts[*bin] > 0) {
        object.insert(name.to_owned(), json!(histogram.counts[bin]));
    }
    for (name, wanted) in [("negative", true), ("positive", false)] {
        let of_sign = |(bin, &count): (usize, &u32)| {
            let (exponent, is_negative) = exponent_of(bin)?;
            (is_negative == wanted && count > 0).then(|| (exponent.to_string(), json!(count)))
        };
        let bins: Map<String, Value> = histogram.counts.iter().enumerate().filter_map(of_sign).collect();
        object.insert(name.to_owned(), Value::Object(bins));
    }
    Value::Object(object)
}

/// The epochs of one layer, a row each.
fn layer_table(epochs: &[Seen<'_>]) -> String {
    let has_activation = epochs.iter().any(|(_, layer, _)| layer.closed.is_some());
    let ranges =
        SHOWN.map(|(place, _)| range(epochs.iter().filter_map(|(.., all)| Some(&(*all)?.all[place]))));
    let mut head = vec!["epoch".to_owned()];
    if has_activation {
        head.extend(["dead", "closed", "", "|a|"].map(str::to_owned));
    }
    head.extend(["|dL/dz|", "update", "no gradient"].map(str::to_owned));
    for ((_, name), range) in SHOWN.into_iter().zip(&ranges) {
        head.extend(range.map(|(low, high)| format!("{name} 2^{low} to 2^{high}")));
    }
    let mut rows = vec![head];
    for (epoch, layer, histograms) in epochs {
        let mut row = vec![epoch.to_string()];
        if has_activation {
            let closed = layer.closed.unwrap_or(0.0);
            row.extend([
                layer.dead_count.to_string(),
                format!("{closed:.3}"),
                bar(closed),
                number(layer.mean_activation),
            ]);
        }
        row.extend([number(layer.d_rms), number(layer.update_ratio), format!("{:.3}", layer.zero_gradients)]);
        for ((place, _), range) in SHOWN.into_iter().zip(&ranges) {
            let Some(range) = range else { continue };
            row.push(histograms.map_or(String::new(), |all| spark(&all.all[place], *range)));
        }
        rows.push(row);
    }
    columns::left(&rows).lines().map(|line| format!("  {line}\n")).collect()
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| significant(value, 3))
}

/// A bar of a share.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (8 * BAR) as f64).round() as usize;
    format!("{}{}", EIGHTHS[8].repeat(eighths / 8), LEFT_EIGHTHS[eighths % 8])
}

/// The exponents between which numbers of some histograms lie, whatever their sign; `None` where none does.
fn range<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Option<(i32, i32)> {
    let full = |histogram: &'a Histogram| {
        (0..).zip(&histogram.counts).filter(|(_, count)| **count > 0).filter_map(|(bin, _)| exponent_of(bin))
    };
    let exponents = histograms.flat_map(full).map(|(exponent, _)| exponent);
    exponents.fold(None, |range, e| {
        Some(range.map_or((e, e), |(low, high): (i32, i32)| (low.min(e), high.max(e))))
    })
}

/// A histogram of sizes, a character for one or several powers of two, as high as the fullest of its own.
fn spark(histogram: &Histogram, (low, high): (i32, i32)) -> String {
    let count = (high - low + 1) as usize;
    let each = count.div_ceil(SPARK);
    let mut heights = vec![0_u64; count.div_ceil(each)];
    for (bin, &count) in histogram.counts.iter().enumerate() {
        if let Some((exponent, _)) = exponent_of(bin).filter(|(exponent, _)| (low..=high).contains(exponent))
        {
            heights[(exponent - low) as usize / each] += u64::from(count);
        }
    }
    let most = heights.iter().copied().max().unwrap_or(0).max(1);
    heights.iter().map(|height| EIGHTHS[(height * 8).div_ceil(most) as usize]).collect()
}
