//! The points that are compared for every trial of a batch: spread over the space, and around the best trials.

use super::encoding::Encoding;
use super::kernel;
use super::lanes::{LANES, Lanes, add_products, dot_and_square};
use super::panels::Panels;
use super::surface::{Surface, least_variance};
use super::{acquisition, lanes};
use crate::random::StreamReader;
use crate::search::normal;

/// Squared distance in length scales within which two points count as one start: the kernel is 0.94 there.
const NEAR: f64 = 0.07;

/// What is known of each point of the pool so far.
pub(super) struct Pool {
    /// (point, column), stretched.
    points: Panels,
    /// v of each.
    solved: Panels,
    /// Eight points an element.
    variance: Vec<Lanes>,
    /// (eight points, fantasy) the mean, of as many fantasies as the surface has.
    means: Vec<Lanes>,
}

impl Pool {
    /// Of stretched columns, with room for so many points under way beside those known.
    pub(super) fn new(surface: &Surface, columns: &[Vec<f64>], room: usize) -> Self {
        let (count, known, width) = (columns.len(), surface.len(), surface.stretch().len());
        let mut points = Panels::zeros(count, width);
        for (row, own) in columns.iter().enumerate() {
            own.iter().enumerate().for_each(|(column, x)| points.set(row, column, *x));
        }
        let mut solved = Panels::zeros(count, known + room);
        let (mut variance, mut means) = (Vec::new(), Vec::new());
        for index in 0..points.len() {
            let eight = surface.posterior(&points.panel(index)[..width]);
            solved.panel_mut(index)[..known].copy_from_slice(&eight.solved[..known]);
            means.extend(surface.fantasies(&eight));
            variance.push(eight.variance);
        }
        Self { points, solved, variance, means }
    }

    /// The acquisition of each.
    pub(super) fn values(&self, surface: &Surface) -> Vec<f64> {
        let eights = self.means.chunks_exact(surface.best().len()).zip(&self.variance);
        let values = eights.flat_map(|(means, variance)| {
            acquisition::improvement(means, surface.best(), lanes::roots(*variance), false).value.0
        });
        values.take(self.points.row_count()).collect()
    }

    /// The most promising, no two of them close to each other where there are as many: their indices.
    pub(super) fn best_apart(&self, values: &[f64], count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|one, other| values[*other].total_cmp(&values[*one]).then(one.cmp(other)));
        let mut taken: Vec<usize> = Vec::with_capacity(count);
        for &index in &order {
            if taken.len() == count {
                return taken;
            }
            if taken.iter().all(|other| self.squared_distance(index, *other) > NEAR) {
                taken.push(index);
            }
        }
        let rest: Vec<usize> = order.into_iter().filter(|index| !taken.contains(index)).collect();
        taken.extend(rest.into_iter().take(count - taken.len()));
        taken
    }

    fn squared_distance(&self, one: usize, other: usize) -> f64 {
        let difference = |column| self.points.at(one, column) - self.points.at(other, column);
        (0..self.points.width()).map(difference).map(|x| x * x).sum()
    }

    /// Takes in the point that the surface took in last.
    pub(super) fn update(&mut self, surface: &Surface) {
        let last = surface.len() - 1;
        let (row, own, normals) = surface.last();
        let fantasies = surface.best().len();
        if surface.pending() == 1 {
            // Until then all fantasies were the same.
            self.means = self.means.iter().flat_map(|mean| vec![*mean; fantasies]).collect();
        }
        for index in 0..self.points.len() {
            let kernel = kernel::values_with_one(&self.points.panel(index)[..own.len()], &own);
            let panel = self.solved.panel_mut(index);
            let product = dot_and_square(&panel[..last], &row[..last]).0;
            let scaled = |r: usize| surface.function_variance() * kernel.0[r];
            let solved = Lanes(std::array::from_fn(|r| (scaled(r) - product.0[r]) / row[last]));
            panel[last] = solved;
            let (variance, least) =
                (&mut self.variance[index].0, least_variance(surface.function_variance()));
            (0..LANES).for_each(|r| variance[r] = (variance[r] - solved.0[r] * solved.0[r]).max(least));
            add_products(&mut self.means[index * fantasies..][..fantasies], &[solved], normals);
        }
    }
}

/// A point around another: each number moves by a normal number times a radius, which is drawn from 10⁻³ to 10^(−½),
/// evenly in its logarithm; a number that has few values moves half of the time, by a value or so at least; a
/// choice is drawn anew with a probability of two changes a point, at least one in five.
pub(super) fn around(encoding: &Encoding, center: &[f64], generator: &mut StreamReader) -> Vec<f64> {
    let radius = libm::exp(-(0.5 + 2.5 * normal::uniform(generator)) * std::f64::consts::LN_10);
    let share = (2.0 / encoding.coded.len() as f64).max(0.2);
    let mut point = center.to_vec();
    for coded in &encoding.coded {
        let (moves, place, step) =
            (normal::uniform(generator), normal::uniform(generator), normal::draw(generator));
        let own = &mut point[coded.dimension];
        match (coded.is_category, coded.values.len()) {
            (true, _) if moves < share => *own = place,
            (false, 0) => *own = mirrored(*own + radius * step),
            (false, count) if moves < share.max(0.5) => {
                *own = mirrored(*own + radius.max(1.0 / count as f64) * step);
            }
            _ => {}
        }
    }
    point
}

/// A coordinate, mirrored at 0 and 1.
fn mirrored(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}
