//! Comma-, tab- or semicolon-separated text, with or without a header, into a [`Table`].
//!
//! Quoting follows RFC 4180. Spaces around cells are not part of them. Blank lines are skipped. A byte
//! order mark and any line ending are accepted.

use super::numbers::parse_number;
use super::options::{ColumnRef, DataOptions};
use super::sniff::{delimiter_of, guess_header};
use super::source::nothing_in;
use super::table::{Cells, Column, Format, MAX_COLUMNS, Table, TextCells};
use crate::error::{Error, Result, cut};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// What is known of a file before it is read.
pub(super) struct Hints<'a> {
    has_header: Option<bool>,
    /// Names that a study uses: a first record that holds one is a header.
    names: Vec<&'a str>,
}

impl<'a> Hints<'a> {
    pub fn of_study(options: &'a DataOptions) -> Self {
        let split = &options.split;
        let references = options.target.iter().chain(&split.fold_column).chain(&split.group_column);
        let names = references.chain(&options.ignore).filter_map(|reference| match reference {
            // A number is more likely a position, and may well be a cell of the first record.
            ColumnRef::Name(name) if parse_number(name).is_none() => Some(name.as_str()),
            _ => None,
        });
        let names = names.chain(options.column_types.keys().map(String::as_str)).collect();
        Self { has_header: options.has_header, names }
    }

    pub fn of_prediction(has_header: bool) -> Self {
        Self { has_header: Some(has_header), names: Vec::new() }
    }
}

/// A record with no quote in it that no file holds; read last, it proves that no quote was left open.
const SENTINEL: &str = "\u{1}end\u{1}";

/// Reads a whole file.
pub(super) fn parse(path: &Path, bytes: &[u8], hints: &Hints) -> Result<Table> {
    let text = decode(path, bytes)?;
    let delimiter = delimiter_of(path, text);
    let mut records = Records::new(path, text, delimiter);
    let Some(first) = records.first()? else {
        return Err(nothing_in(path));
    };
    let width = first.fields;
    if width > MAX_COLUMNS {
        return Err(Error::data(first.place(path), format!("{width} columns"))
            .allowed(format!("at most {MAX_COLUMNS} columns"))
            .advice("leave out columns before, or keep one row a line if the table is on its side"));
    }
    let has_header = hints.has_header.unwrap_or_else(|| guess_header(text, delimiter, width, &hints.names));
    let names = if has_header { header(path, &records, first.line)? } else { numbered(width) };
    let mut cells = vec![TextCells::default(); width];
    let mut lines = Vec::new();
    let mut current = (!has_header).then_some(first);
    loop {
        if current.is_none() {
            current = records.next()?;
        }
        let Some(record) = current.take() else { break };
        if record.fields == 1 && width > 1 && records.record[0].trim().is_empty() {
            continue;
        }
        if record.fields != width {
            return Err(ragged(path, &record, width, has_header));
        }
        lines.push(record.line);
        for (column, cell) in cells.iter_mut().zip(&records.record) {
            column.push(&decimal_point(cell.trim(), delimiter));
        }
    }
    if lines.is_empty() {
        return Err(Error::data(path.display(), "has a header and no rows").allowed("a header and rows").advice(
            "if its only record is data, set has_header = false; if rows are missing, make the file again",
        ));
    }
    let columns = names
        .into_iter()
        .zip(cells)
        .map(|(name, cells)| Column { name, cells: Cells::Text(cells) })
        .collect();
    let row_count = lines.len();
    let notes = Vec::new();
    Ok(Table { path: path.into(), format: Format::Csv, has_header, columns, row_count, lines, notes })
}

/// A cell with its decimal comma as a point, in files that separate by semicolons because of it.
fn decimal_point(cell: &str, delimiter: u8) -> Cow<'_, str> {
    let is_number =
        |cell: &str| cell.matches(',').count() == 1 && parse_number(&cell.replace(',', ".")).is_some();
    match delimiter == b';' && is_number(cell) {
        true => Cow::Owned(cell.replace(',', ".")),
        false => Cow::Borrowed(cell),
    }
}

/// The text of a file without its byte order mark. Errors name the line of the first byte that is not
/// UTF-8, or is NUL.
fn decode<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::data(path.display(), "is UTF-16 text")
            .allowed("UTF-8")
            .advice("save it as UTF-8"));
    }
    let place = |offset: usize| {
        let line_start = bytes[..offset].iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
        let line = 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count();
        format!("{}, line {line}, byte {}", path.display(), offset - line_start + 1)
    };
    // What is gzipped was unpacked before: by its first bytes, whatever its name.
    let is_named_gz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let allowed = if is_named_gz { "UTF-8 text, or gzip of it, which this is not" } else { "UTF-8 text" };
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(Error::data(place(offset), "a NUL byte: this is not a text file, or it is damaged")
            .allowed(allowed)
            .advice("fetch or copy the file again, or save its table as csv"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        Error::data(place(offset), format!("byte 0x{:02x} is not UTF-8", bytes[offset]))
            .allowed(allowed)
            .advice("save the file as UTF-8 (it may be Latin-1 or Windows-1252)")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// One record: where it begins and how many fields it has; the fields are in [`Records::record`].
struct Record {
    line: u32,
    fields: usize,
}

impl Record {
    fn place(&self, path: &Path) -> String {
        format!("{}, line {}", path.display(), self.line)
    }
}

/// The records of a text, with the line that each begins on.
struct Records<'a> {
    path: &'a Path,
    text: &'a str,
    reader: ::csv::Reader<std::io::Chain<&'a [u8], &'a [u8]>>,
    record: ::csv::StringRecord,
    /// Bytes whose line ends are counted in `line`.
    counted: usize,
    line: u32,
}

impl<'a> Records<'a> {
    fn new(path: &'a Path, text: &'a str, delimiter: u8) -> Self {
        const TAIL: &[u8] = b"\n\x01end\x01\n";
        let reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(std::io::Read::chain(text.as_bytes(), TAIL));
        Self { path, text, reader, record: ::csv::StringRecord::new(), counted: 0, line: 1 }
    }

    /// Reads the first record that is not blank.
    fn first(&mut self) -> Result<Option<Record>> {
        loop {
            match self.next()? {
                Some(record) if record.fields == 1 && self.record[0].trim().is_empty() => {}
                found => return Ok(found),
            }
        }
    }

    /// Reads the next record; `None` after the last.
    fn next(&mut self) -> Result<Option<Record>> {
        let start = self.reader.position().byte() as usize;
        let found = self.reader.read_record(&mut self.record);
        let found = found.map_err(|error| {
            Error::data(self.path.display(), error)
                .allowed("UTF-8 text, one record a line")
                .advice("save it as csv")
        })?;
        let line = self.line_of(start);
        if found && self.record.len() == 1 && &self.record[0] == SENTINEL {
            return Ok(None);
        }
        if !found || self.record.iter().next_back().is_some_and(|cell| cell.contains(SENTINEL)) {
            let place = format!("{}, line {line}", self.path.display());
            return Err(Error::data(place, "a quote is opened in this record and never closed")
                .allowed("quotes in pairs")
                .advice("close it, or write a quote inside quotes as two"));
        }
        Ok(Some(Record { line, fields: self.record.len() }))
    }

    /// The line of the record that begins at or after `start`, past line ends and blank lines.
    fn line_of(&mut self, start: usize) -> u32 {
        let bytes = self.text.as_bytes();
        let start = start.min(bytes.len());
        let blank = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (from, to) = (self.counted, start + blank);
        self.line += bytes[from..to].iter().filter(|&&byte| byte == b'\n').count() as u32;
        self.counted = to;
        self.line
    }
}

fn ragged(path: &Path, record: &Record, width: usize, has_header: bool) -> Error {
    let like = if has_header { "the header" } else { "the first record" };
    let fields = if record.fields == 1 { "1 field".to_string() } else { format!("{} fields", record.fields) };
    let error = Error::data(record.place(path), fields).allowed(format!("{width}, as in {like}"));
    error.advice(if record.fields > width {
        "quote a field that has the separator in it, or complete the header"
    } else {
        "write a missing value as an empty field; look for a line that is cut short"
    })
}

fn numbered(width: usize) -> Vec<String> {
    (0..width).map(|index| format!("column_{index}")).collect()
}

/// The name of a first column that has none; [`super::infer`] leaves it out where it numbers the rows.
pub(super) const UNNAMED: &str = "(unnamed)";

/// The names in a header. A name that is empty or comes twice is an error, but for an empty first one,
/// which is how pandas and R write row numbers.
fn header(path: &Path, records: &Records, line: u32) -> Result<Vec<String>> {
    let mut seen = HashMap::new();
    let mut names = Vec::with_capacity(records.record.len());
    let place = format!("{}, line {line}", path.display());
    for (index, name) in records.record.iter().enumerate() {
        let name = name.trim();
        let name = if name.is_empty() && index == 0 && records.record.len() > 1 { UNNAMED } else { name };
        if name.is_empty() {
            return Err(Error::data(place, format!("field {} of the header has no name", index + 1))
                .allowed("one name for each column")
                .advice("name it, or set has_header = false if the file has no header"));
        }
        if let Some(before) = seen.insert(name, index) {
            let found =
                format!("the header has \"{}\" twice: fields {} and {}", cut(name), before + 1, index + 1);
            return Err(Error::data(place, found)
                .allowed("names that differ")
                .advice("rename one, or set has_header = false if the file has no header"));
        }
        names.push(name.to_string());
    }
    Ok(names)
}
