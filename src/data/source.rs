//! Opens a data file: reads it whole, unpacks gzip, recognises its layout by content and name.

use super::encode::Encoder;
use super::options::DataOptions;
use super::table::{Format, Table};
use super::{csv, idx, libsvm};
use crate::error::{Error, Result, nearest};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Largest file read, unpacked: cells are found by 32-bit offsets.
const MAX_BYTES: u64 = u32::MAX as u64;

/// Reads the file of a study into columns of raw cells.
///
/// The layout is told by content where content is plain (IDX, LIBSVM), else by name. Errors are of kind
/// data: a file that is missing, empty, damaged, ragged, not text, or too large.
pub fn load(options: &DataOptions) -> Result<Table> {
    let bytes = read(&options.path)?;
    let format = format_of(&options.path, &bytes)?;
    if let Some(labels) = options.labels.as_ref().filter(|_| format != Format::Idx) {
        let (labels, data) = (labels.display(), options.path.display());
        let found = format!("labels in {labels} beside {data}, which is {}", name_of(format));
        return Err(Error::usage("data.labels", found)
            .allowed("labels beside an IDX file only: the others hold their own")
            .advice("leave labels out; target = \"NAME\" names the column of a CSV file"));
    }
    match format {
        Format::Csv => csv::parse(&options.path, &bytes, &csv::Hints::of_study(options)),
        Format::Libsvm => libsvm::parse(&options.path, &bytes),
        Format::Idx => {
            let mut table = idx::parse(&options.path, &bytes)?;
            match &options.labels {
                Some(labels) => idx::join_labels(&mut table, labels, &read(labels)?)?,
                None => idx::join_sibling_labels(&mut table, read)?,
            }
            Ok(table)
        }
    }
}

/// Reads a file of rows to predict for an encoder; it needs no target.
///
/// Errors as those of [`load`], and a layout other than the one that the encoder was learned from.
pub fn load_for_prediction(path: &Path, encoder: &Encoder) -> Result<Table> {
    let bytes = read(path)?;
    // Rows of a single feature, or none, say too little of their layout.
    let format = match format_of(path, &bytes)? {
        Format::Csv if encoder.format() == Format::Libsvm && !is_named_csv(path) => Format::Libsvm,
        format => format,
    };
    if format != encoder.format() {
        return Err(Error::data(path.display(), format!("is a file of layout {}", name_of(format)))
            .allowed(format!("{}, as the model was trained on", name_of(encoder.format())))
            .advice("write the rows in that layout"));
    }
    match format {
        Format::Csv => csv::parse(path, &bytes, &csv::Hints::of_prediction(encoder.has_header())),
        Format::Libsvm => libsvm::parse(path, &bytes),
        Format::Idx => idx::parse(path, &bytes),
    }
}

fn name_of(format: Format) -> &'static str {
    match format {
        Format::Csv => "CSV",
        Format::Idx => "IDX",
        Format::Libsvm => "LIBSVM",
    }
}

/// The bytes of a file, unpacked where it is gzipped (told by its first two bytes, not its name).
fn read(path: &Path) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        return Err(Error::data(path.display(), "is a folder")
            .allowed("a file: csv, libsvm or idx, or gzipped")
            .advice("the path of one file in it"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = unpack(path, &bytes)?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::data(path.display(), "is larger than 4 GiB, unpacked")
            .allowed("at most 4 GiB")
            .advice("a sample of the rows"));
    }
    if bytes.is_empty() {
        return Err(nothing_in(path));
    }
    Ok(bytes)
}

fn unpack(path: &Path, packed: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(packed).take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| {
        let what = match error.kind() {
            ErrorKind::UnexpectedEof => {
                "is cut short, or followed by what is no gzip: the stream ends too early".to_string()
            }
            _ => format!("is damaged: {error}"),
        };
        Error::data(path.display(), what)
            .allowed("a whole gzip file, or the file unpacked")
            .advice("fetch or copy the file again")
    })?;
    Ok(bytes)
}

/// The error for a file that cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let error = match error.kind() {
        ErrorKind::NotFound => Error::data(path.display(), "no such file"),
        _ => Error::data(path.display(), format!("cannot be read: {error}")),
    };
    error.allowed("a file that exists and can be read").advice(missing_file_advice(path))
}

/// The error for a file that holds no data at all.
pub(super) fn nothing_in(path: &Path) -> Error {
    Error::data(path.display(), "is empty")
        .allowed("a header and rows")
        .advice("another file; or make this one again, and look whether that ends well")
}

/// What to try where a file is not there, or cannot be read: a file of nearly the same name beside it.
pub fn missing_file_advice(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let wanted = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    // Names of one ending are alike by that already: what stands before it must be, too.
    let stem = |name: &str| Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let stems = |name: &&str| Some((stem(&wanted)?, stem(name)?));
    let is_like =
        |name: &&str| stems(name).is_some_and(|(wanted, other)| nearest(&wanted, [other.as_str()]).is_some());
    match nearest(&wanted, names.iter().map(String::as_str).filter(is_like)) {
        Some(near) if !path.exists() => format!("did you mean \"{}\"?", path.with_file_name(near).display()),
        _ => "check the path, and who may read the file".to_owned(),
    }
}

/// Beginnings of files that people have and that this program cannot read yet.
const FOREIGN: [(&[u8], &str); 16] = [
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"{\"", "JSON"),
    (b"[{", "JSON"),
    (b"[[", "JSON"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
    (b"\x89PNG", "an image"),
    (b"%PDF", "a PDF file"),
];

/// The name of a file, lower-cased, without `.gz`.
pub(super) fn plain_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.strip_suffix(".gz").unwrap_or(&name).to_string()
}

fn is_named_csv(path: &Path) -> bool {
    let name = plain_name(path);
    name.ends_with(".csv") || name.ends_with(".tsv")
}

/// The layout of a file, by content where that is plain and else by name.
fn format_of(path: &Path, bytes: &[u8]) -> Result<Format> {
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Error::data(path.display(), format!("is {what}"))
            .allowed("csv, libsvm or idx, each also gzipped")
            .advice("save it as csv"));
    }
    let name = plain_name(path);
    let ends_with = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    Ok(if idx::is_magic(bytes) || ends_with(&["-ubyte", ".ubyte", ".idx", ".idx1", ".idx2", ".idx3"]) {
        Format::Idx
    } else if is_named_csv(path) {
        Format::Csv
    } else if ends_with(&[".libsvm", ".svmlight", ".svm"]) || libsvm::looks_like(bytes) {
        Format::Libsvm
    } else {
        Format::Csv
    })
}
