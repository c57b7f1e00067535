//! How gradients change from the output layer down to the first: the root mean square of dL/dz of the first, as a share
//! of that of the output.

use super::inside::Seen;
use super::record::median;
use crate::study::inside::Look;

/// The fewest layers that have a depth.
const FEWEST_LAYERS: usize = 3;

/// The share, the median over looks; `None` for networks with fewer than two hidden layers, and where there were no
/// gradients to compare.
pub fn first_by_last(seen: &Seen<'_>) -> Option<f64> {
    let share = |look: &Look| {
        let layers = look.layers.iter().map(|layer| layer.d_rms).collect::<Option<Vec<f64>>>()?;
        let (first, last) = (*layers.first()?, *layers.last()?);
        (layers.len() >= FEWEST_LAYERS && last > 0.0).then(|| first / last)
    };
    let shares: Vec<f64> = seen.looks.iter().filter_map(share).collect();
    (!shares.is_empty()).then(|| median(shares))
}
