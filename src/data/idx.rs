//! IDX, the layout of the MNIST files: a magic number, the sizes of the dimensions, then the numbers.
//!
//! | bytes | hold |
//! |---|---|
//! | 0, 1 | zero |
//! | 2 | the type: 08 u8, 09 i8, 0b i16, 0c i32, 0d f32, 0e f64 |
//! | 3 | the number of dimensions |
//! | 4… | the size of each dimension, u32 big endian; the first counts the rows |
//! | … | the numbers, big endian, last dimension fastest |
//!
//! Source: Y. LeCun, "The MNIST database of handwritten digits".

use super::table::{Cells, Column, Format, MAX_COLUMNS, MAX_NUMBERS, Table};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The name of the column that holds the labels of IDX and LIBSVM files.
pub(super) const LABEL: &str = "label";

/// Whether a file begins as an IDX file does.
pub(super) fn is_magic(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=8, ..])
}

/// The header of a file and where its numbers begin.
struct Header {
    kind: u8,
    sizes: Vec<usize>,
    start: usize,
}

fn width_of(kind: u8) -> usize {
    match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        _ => 8,
    }
}

/// Reads the header and checks that the file is as long as it says.
fn header(path: &Path, bytes: &[u8]) -> Result<Header> {
    if !is_magic(bytes) {
        let start: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        return Err(Error::data(path.display(), format!("begins with {}: not an IDX file", start.join(" ")))
            .allowed("00 00, then a type of 08, 09, 0b, 0c, 0d, 0e, then 01 to 08 dimensions")
            .advice("fetch the file again; a csv file is named .csv"));
    }
    let (kind, dimensions) = (bytes[2], bytes[3] as usize);
    let start = 4 + 4 * dimensions;
    let Some(sizes) = bytes.get(4..start) else {
        return Err(Error::data(path.display(), "is cut short within its header")
            .allowed(format!("a header of {start} bytes"))
            .advice("fetch or copy the file again"));
    };
    let sizes: Vec<usize> =
        sizes.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
    let expected = sizes.iter().try_fold(width_of(kind), |product, &size| product.checked_mul(size));
    if expected != Some(bytes.len() - start) {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let expected = expected.map_or("more than can be".into(), |expected| expected.to_string());
        return Err(Error::data(path.display(), format!("holds {} bytes of numbers", bytes.len() - start))
            .allowed(format!("{expected} bytes, for the sizes {} in its header", sizes.join(" × ")))
            .advice("fetch or copy the file again"));
    }
    Ok(Header { kind, sizes, start })
}

/// Reads a file of images (or of any numbers): one row for each of the first dimension, flattened.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Table> {
    let Header { kind, sizes, start } = header(path, bytes)?;
    let row_count = sizes[0];
    if sizes.len() == 1 {
        return Err(Error::data(path.display(), "has one dimension: these are labels, not rows of features")
            .allowed("two dimensions or more")
            .advice("path = the file of images, labels = this file"));
    }
    // Sizes with a zero among them can hide any width: an empty file matches every one.
    let width = sizes[1..].iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let Some(width) = width.filter(|&width| row_count > 0 && width > 0) else {
        return Err(Error::data(path.display(), "holds no rows")
            .allowed("at least one row of at least one number")
            .advice("another file"));
    };
    if width > MAX_COLUMNS || row_count.saturating_mul(width) > MAX_NUMBERS {
        return Err(Error::data(path.display(), format!("{row_count} rows of {width} numbers"))
            .allowed(format!("at most {MAX_COLUMNS} numbers a row and {MAX_NUMBERS} in all"))
            .advice("fewer rows, or smaller images"));
    }
    let columns = (0..width)
        .map(|index| Column {
            name: name_of(&sizes[1..], index),
            cells: column(kind, &bytes[start..], row_count, width, index),
        })
        .collect();
    Ok(Table {
        path: path.into(),
        format: Format::Idx,
        has_header: true,
        columns,
        row_count,
        lines: Vec::new(),
        notes: Vec::new(),
    })
}

/// `feature_7` in rows, `pixel_0_7` in images: one number per dimension, from 0.
fn name_of(sizes: &[usize], index: usize) -> String {
    let mut places = Vec::new();
    let mut rest = index;
    for &size in sizes.iter().rev() {
        places.push((rest % size).to_string());
        rest /= size;
    }
    places.reverse();
    let kind = if sizes.len() == 1 { "feature" } else { "pixel" };
    format!("{kind}_{}", places.join("_"))
}

/// One column of a row-major body.
fn column(kind: u8, body: &[u8], row_count: usize, width: usize, index: usize) -> Cells {
    let size = width_of(kind);
    let cells = (0..row_count).map(|row| &body[(row * width + index) * size..][..size]);
    match kind {
        0x08 => Cells::Bytes(cells.map(|b| b[0]).collect()),
        0x09 => Cells::Numbers(cells.map(|b| f64::from(b[0] as i8)).collect()),
        0x0b => Cells::Numbers(cells.map(|b| f64::from(i16::from_be_bytes([b[0], b[1]]))).collect()),
        0x0c => {
            Cells::Numbers(cells.map(|b| f64::from(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))).collect())
        }
        0x0d => {
            Cells::Numbers(cells.map(|b| f64::from(f32::from_be_bytes([b[0], b[1], b[2], b[3]]))).collect())
        }
        _ => Cells::Numbers(
            cells.map(|b| f64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])).collect(),
        ),
    }
}

/// Adds the column of labels that a second file holds.
pub(super) fn join_labels(table: &mut Table, path: &Path, bytes: &[u8]) -> Result<()> {
    let Header { kind, sizes, start } = header(path, bytes)?;
    if sizes.len() != 1 {
        return Err(Error::data(path.display(), format!("has {} dimensions", sizes.len()))
            .allowed("one: a label for each row")
            .advice("labels = the file of labels, with idx1 in its name"));
    }
    if sizes[0] != table.row_count {
        return Err(Error::data(path.display(), format!("{} labels", sizes[0]))
            .allowed(format!("{}, one for each row of {}", table.row_count, table.path.display()))
            .advice("images and labels of the same set: both train, or both t10k"));
    }
    let cells = column(kind, &bytes[start..], sizes[0], 1, 0);
    table.columns.push(Column { name: LABEL.into(), cells });
    Ok(())
}

/// Adds the labels of the file beside it that has `labels-idx1` for `images-idx3` in its name.
pub(super) fn join_sibling_labels(table: &mut Table, read: impl Fn(&Path) -> Result<Vec<u8>>) -> Result<()> {
    let name = table.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let sibling: PathBuf =
        table.path.with_file_name(name.replace("images", "labels").replace("idx3", "idx1"));
    if sibling == table.path || !sibling.exists() {
        return Err(Error::usage("data.labels", "an IDX file holds no labels, and none are given")
            .allowed("the IDX file of labels that belongs to it")
            .advice("labels = \"…-labels-idx1-ubyte.gz\" under [data]"));
    }
    join_labels(table, &sibling, &read(&sibling)?)?;
    table.notes.push(format!("labels are read from {}", sibling.display()));
    Ok(())
}
