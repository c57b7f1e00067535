//! Lower triangular factors and their solves, eight rows side by side.
//!
//! A crate's factorisation chooses its blocks and fused products by the processor at hand, and so its last
//! bits. Here each element is its own sum in ascending order, whatever the width of the lanes, so that a seed
//! proposes the same bits on every platform.

use super::lanes::{Eight, LANES, Lanes, Wide};
use super::panels::{PanelSlice, Panels};
use pulp::Simd;

/// Eight rows of eight columns.
type Tile<S, const N: usize> = [Eight<S, N>; LANES];

#[inline(always)]
fn load_tile<S: Simd, const N: usize>(panel: &[Lanes]) -> Tile<S, N> {
    std::array::from_fn(|c| Eight::load(&panel[c]))
}

#[inline(always)]
fn store_tile<S: Simd, const N: usize>(tile: Tile<S, N>, panel: &mut [Lanes]) {
    tile.into_iter().zip(panel).for_each(|(eight, lanes)| eight.store(lanes));
}

/// sum − left · right.
#[inline(always)]
fn less<S: Simd, const N: usize>(simd: S, sum: Eight<S, N>, left: Eight<S, N>, right: f64) -> Eight<S, N> {
    sum.minus(simd, left.times(simd, Eight::splat(simd, right)))
}

/// `tile[c][r] −= Σₖ left[k][r] · right[k][c]`, k ascending.
#[inline(always)]
fn subtract_product<S: Simd, const N: usize>(
    simd: S,
    mut tile: Tile<S, N>,
    left: &[Lanes],
    right: &[Lanes],
) -> Tile<S, N> {
    for (left, right) in left.iter().zip(right) {
        let left = Eight::load(left);
        for (sum, right) in tile.iter_mut().zip(right.0) {
            *sum = less(simd, *sum, left, right);
        }
    }
    tile
}

/// Solves x·Lᵀ = b for eight rows b in place, with rows `from` (a multiple of eight) to `count` − 1 of L; the rows
/// are zero before `from`.
#[inline(always)]
fn solve_rows<S: Simd, const N: usize>(
    simd: S,
    factor: PanelSlice<'_>,
    from: usize,
    count: usize,
    rows: &mut [Lanes],
) {
    for start in (from..count).step_by(LANES) {
        let own = factor.panel(start / LANES);
        let (before, rest) = rows.split_at_mut(start);
        let mut tile = subtract_product::<S, N>(simd, load_tile(rest), &before[from..], &own[from..start]);
        for c in 0..LANES.min(count - start) {
            for k in 0..c {
                tile[c] = less(simd, tile[c], tile[k], own[start + k].0[c]);
            }
            tile[c] = tile[c].over(simd, Eight::splat(simd, own[start + c].0[c]));
        }
        store_tile(tile, rest);
    }
}

/// Solves x·L = b for eight rows b in place.
#[inline(always)]
fn solve_rows_transposed<S: Simd, const N: usize>(
    simd: S,
    factor: PanelSlice<'_>,
    count: usize,
    rows: &mut [Lanes],
) {
    for start in (0..count).step_by(LANES).rev() {
        let own = factor.panel(start / LANES);
        let (before, rest) = rows.split_at_mut(start);
        let mut tile: Tile<S, N> = load_tile(rest);
        let height = LANES.min(count - start);
        for c in (0..height).rev() {
            for k in c + 1..height {
                tile[c] = less(simd, tile[c], tile[k], own[start + c].0[k]);
            }
            tile[c] = tile[c].over(simd, Eight::splat(simd, own[start + c].0[c]));
        }
        for (row, own) in before.iter_mut().zip(own) {
            let mut sum = Eight::load(row);
            for (solved, own) in tile.iter().zip(own.0).take(height) {
                sum = less(simd, sum, *solved, own);
            }
            sum.store(row);
        }
        store_tile(tile, rest);
    }
}

/// Factors one panel behind those before it; false where a pivot is not positive.
#[inline(always)]
fn factor_panel<S: Simd, const N: usize>(simd: S, matrix: &mut Panels, index: usize) -> bool {
    let (start, height) = (index * LANES, LANES.min(matrix.row_count() - index * LANES));
    let (done, panel) = matrix.split_at(index);
    solve_rows::<S, N>(simd, done, 0, start, panel);
    let (before, rest) = panel.split_at_mut(start);
    store_tile(subtract_product::<S, N>(simd, load_tile(rest), before, before), rest);
    for c in 0..height {
        for k in 0..c {
            let factor = rest[k].0[c];
            (c..height).for_each(|r| rest[c].0[r] -= rest[k].0[r] * factor);
        }
        let pivot = rest[c].0[c];
        // Written so that NaN fails.
        if !(pivot > 0.0 && pivot.is_finite()) {
            return false;
        }
        let root = pivot.sqrt();
        (0..LANES).for_each(|r| rest[c].0[r] = if r < c { 0.0 } else { rest[c].0[r] / root });
    }
    true
}

struct Cholesky<'a>(&'a mut Panels);

impl Wide for Cholesky<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) -> bool {
        (0..self.0.len()).all(|index| factor_panel::<S, N>(simd, self.0, index))
    }
}

struct Solve<'a> {
    factor: &'a Panels,
    is_transposed: bool,
    rows: &'a mut [Lanes],
}

impl Wide for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) {
        let Self { factor, is_transposed, rows } = self;
        match is_transposed {
            false => solve_rows::<S, N>(simd, factor.all(), 0, factor.row_count(), rows),
            true => solve_rows_transposed::<S, N>(simd, factor.all(), factor.row_count(), rows),
        }
    }
}

struct Invert<'a>(&'a Panels);

impl Wide for Invert<'_> {
    type Output = Panels;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) -> Panels {
        let count = self.0.row_count();
        let (mut columns, mut inverse) = (Panels::zeros(count, count), Panels::zeros(count, count));
        for index in 0..columns.len() {
            let start = index * LANES;
            let panel = columns.panel_mut(index);
            (0..LANES.min(count - start)).for_each(|r| panel[start + r].0[r] = 1.0);
            solve_rows::<S, N>(simd, self.0.all(), start, count, panel);
        }
        for index in 0..columns.len() {
            let from = index * LANES;
            for other in 0..=index {
                let (left, right) = (&columns.panel(index)[from..], &columns.panel(other)[from..]);
                let zero = load_tile::<S, N>(&[Lanes::default(); LANES]);
                let tile = subtract_product(simd, zero, left, right);
                let out = &mut inverse.panel_mut(index)[other * LANES..][..LANES];
                store_tile(tile, out);
                out.iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|value| *value = -*value);
            }
        }
        inverse
    }
}

/// A lower triangular matrix L with K = L·Lᵀ, to which rows can be added.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    lower: Panels,
}

impl Factor {
    /// The Cholesky factor of a symmetric matrix, of which the lower triangle is read; `None` where it is not
    /// positive definite. Rows can be added up to the matrix's room for columns.
    pub(super) fn of(mut matrix: Panels) -> Option<Self> {
        Cholesky(&mut matrix).compute().then_some(Self { lower: matrix })
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.lower.row_count()
    }

    /// L itself.
    pub(super) fn lower(&self) -> &Panels {
        &self.lower
    }

    /// Room for so many rows more.
    #[must_use]
    pub(super) fn with_room(self, more: usize) -> Self {
        let count = self.len();
        let mut lower = Panels::zeros(count + more, count + more);
        lower.set_row_count(count);
        for index in 0..self.lower.len() {
            let panel = self.lower.panel(index);
            lower.panel_mut(index)[..panel.len()].copy_from_slice(panel);
        }
        Self { lower }
    }

    /// Adds a row: the numbers below the diagonal, as [`solve`](Self::solve) gives them, and the pivot.
    pub(super) fn push(&mut self, solved: &[f64], pivot: f64) {
        let row = self.len();
        self.lower.push_row();
        for (column, &value) in solved[..row].iter().enumerate() {
            self.lower.set(row, column, value);
        }
        self.lower.set(row, row, pivot);
    }

    /// Solves x·Lᵀ = b for eight rows b in place.
    pub(super) fn solve(&self, rows: &mut [Lanes]) {
        Solve { factor: &self.lower, is_transposed: false, rows }.compute();
    }

    /// Solves x·L = b for eight rows b in place.
    pub(super) fn solve_transposed(&self, rows: &mut [Lanes]) {
        Solve { factor: &self.lower, is_transposed: true, rows }.compute();
    }

    /// Half the logarithm of K's determinant.
    pub(super) fn half_log_determinant(&self) -> f64 {
        (0..self.len()).map(|index| libm::log(self.lower.at(index, index))).sum()
    }

    /// The lower triangle of K⁻¹ = L⁻ᵀ·L⁻¹, in whole blocks of eight.
    pub(super) fn inverse(&self) -> Panels {
        Invert(&self.lower).compute()
    }
}
