//! Matrices whose rows are worked on eight at a time.

use super::lanes::{LANES, Lanes};

/// A matrix in panels of eight rows, each panel contiguous, column by column. The rows of the last panel that the
/// matrix does not have are zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Panels {
    row_count: usize,
    /// Room for so many columns, a multiple of eight.
    width: usize,
    /// Element (i, k) is `numbers[i / 8 * width + k][i % 8]`.
    numbers: Vec<Lanes>,
}

impl Panels {
    /// Zeros, with room for at least so many columns.
    pub(super) fn zeros(row_count: usize, column_count: usize) -> Self {
        let width = column_count.next_multiple_of(LANES);
        Self { row_count, width, numbers: vec![Lanes::default(); row_count.div_ceil(LANES) * width] }
    }

    /// How many rows.
    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    /// Room for so many columns.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many panels.
    pub(super) fn len(&self) -> usize {
        self.row_count.div_ceil(LANES)
    }

    /// Rows 8·`index` to 8·`index` + 7, column by column.
    #[inline(always)]
    pub(super) fn panel(&self, index: usize) -> &[Lanes] {
        &self.numbers[index * self.width..][..self.width]
    }

    /// Rows 8·`index` to 8·`index` + 7, column by column.
    #[inline(always)]
    pub(super) fn panel_mut(&mut self, index: usize) -> &mut [Lanes] {
        &mut self.numbers[index * self.width..][..self.width]
    }

    /// Element (`row`, `column`).
    #[inline(always)]
    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.numbers[row / LANES * self.width + column].0[row % LANES]
    }

    /// Sets element (`row`, `column`).
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.numbers[row / LANES * self.width + column].0[row % LANES] = value;
    }

    /// The same, with room for so many rows more.
    #[must_use]
    pub(super) fn with_room(mut self, more: usize) -> Self {
        let panels = (self.row_count + more).div_ceil(LANES);
        self.numbers.resize(panels * self.width, Lanes::default());
        self
    }

    /// Says how many rows it has, for which there must be room.
    pub(super) fn set_row_count(&mut self, count: usize) {
        self.row_count = count;
    }

    /// Adds a row of zeros, for which there must be room.
    pub(super) fn push_row(&mut self) {
        self.row_count += 1;
    }

    /// The panels below `index`, and the panel itself.
    pub(super) fn split_at(&mut self, index: usize) -> (PanelSlice<'_>, &mut [Lanes]) {
        let (below, rest) = self.numbers.split_at_mut(index * self.width);
        (PanelSlice { width: self.width, numbers: below }, &mut rest[..self.width])
    }

    /// All panels.
    pub(super) fn all(&self) -> PanelSlice<'_> {
        PanelSlice { width: self.width, numbers: &self.numbers }
    }
}

/// Some of the panels of a matrix.
#[derive(Clone, Copy)]
pub(super) struct PanelSlice<'a> {
    width: usize,
    numbers: &'a [Lanes],
}

impl<'a> PanelSlice<'a> {
    #[inline(always)]
    pub(super) fn panel(&self, index: usize) -> &'a [Lanes] {
        &self.numbers[index * self.width..][..self.width]
    }
}
