//! Tells rows that are images, so that they are shown as such.

use crate::data::{Encoder, Format, Table};

/// The size of the images that rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels of a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// Columns that are called pixels, of which there are fewer, are no image.
const LEAST: usize = 16;

/// The columns of a table that are learned from.
pub fn learned(table: &Table, encoder: &Encoder) -> Vec<usize> {
    let target = encoder.target_name();
    (0..).zip(table.column_names()).filter(|(_, name)| *name != target).map(|(column, _)| column).collect()
}

/// The pixels of a row of the table that is an image, by its columns that are learned from; 0 where one is no number.
pub fn pixels(table: &Table, row: usize, learned: &[usize]) -> Vec<f64> {
    learned.iter().map(|&column| table.cell(row, column).parse().unwrap_or(0.0)).collect()
}

/// The size of the images, where the columns that are learned from are named `pixel_<line>_<place>`, line by line, as
/// IDX files name theirs; or are a square of columns named alike with a number at the end, `pixel` or `px` or `p`
/// before it, in order.
pub fn size(table: &Table, encoder: &Encoder) -> Option<Size> {
    let target = encoder.target_name();
    let names: Vec<&str> = table.column_names().filter(|name| *name != target).collect();
    if names.len() < LEAST {
        return None;
    }
    let count = names.len();
    let of_lines = |name: &&str| -> Option<(usize, usize)> {
        let (line, place) = name.strip_prefix("pixel_")?.split_once('_')?;
        Some((line.parse().ok()?, place.parse().ok()?))
    };
    if let Some(places) = names.iter().map(of_lines).collect::<Option<Vec<_>>>() {
        let width = places.iter().take_while(|(line, _)| *line == places[0].0).count();
        let is_in_order = (0..count).all(|at| places[at] == (at / width, at % width));
        return (is_in_order && count.is_multiple_of(width)).then(|| Size { width, height: count / width });
    }
    let side = (count as f64).sqrt().round() as usize;
    let numbered = |name: &&str| -> Option<usize> {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_pixel = ["pixel", "px", "p"].contains(&stem.trim_end_matches('_').to_lowercase().as_str());
        name[stem.len()..].parse().ok().filter(|_| is_pixel)
    };
    let numbers: Vec<usize> = names.iter().map(numbered).collect::<Option<_>>()?;
    let is_in_order = numbers.iter().enumerate().all(|(at, number)| *number == numbers[0] + at);
    (side * side == count && is_in_order && table.format() != Format::Libsvm)
        .then_some(Size { width: side, height: side })
}
