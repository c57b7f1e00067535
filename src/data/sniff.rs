//! Guesses about separated text: which character separates, and whether the first record is a header.

use super::numbers::parse_number;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// The separator that splits the first lines into equally many fields: tab before semicolon before
/// comma, which may be a decimal sign between the others. Where none does, the most frequent one of the
/// first line. In a .tsv it is a tab wherever there is one.
pub(super) fn delimiter_of(path: &Path, text: &str) -> u8 {
    const CANDIDATES: [u8; 3] = [b'\t', b';', b','];
    if super::source::plain_name(path).ends_with(".tsv") && text.contains('\t') {
        return b'\t';
    }
    let counts = separators_by_line(text, &CANDIDATES);
    let Some(first) = counts.first() else { return b',' };
    let is_even = |&candidate: &usize| {
        first[candidate] > 0 && counts.iter().all(|line| line[candidate] == first[candidate])
    };
    let even = (0..CANDIDATES.len()).find(is_even);
    // The last of equally frequent ones, the comma, also where there is none of them.
    CANDIDATES[even.or_else(|| (0..CANDIDATES.len()).max_by_key(|&candidate| first[candidate])).unwrap_or(2)]
}

/// The names in the first record of a table of separated text, gzipped or not, as far as its first 64 KiB
/// tell; `None` where it cannot be read or has one column.
pub fn column_names(path: &Path) -> Option<Vec<String>> {
    const MOST_BYTES: u64 = 1 << 16;
    let file = std::fs::File::open(path).ok()?;
    let is_packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let reader: Box<dyn Read> =
        if is_packed { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let delimiter = delimiter_of(path, text);
    let reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let first = reader.into_records().next()?.ok()?;
    (first.len() > 1).then(|| first.iter().map(|name| name.trim().to_owned()).collect())
}

/// How often each candidate stands outside quotes, in each of the first twenty lines that are not blank.
fn separators_by_line(text: &str, candidates: &[u8; 3]) -> Vec<[usize; 3]> {
    let mut counts = Vec::new();
    let (mut current, mut quoted, mut blank) = ([0; 3], false, true);
    for &byte in text.as_bytes().iter().chain(b"\n") {
        match byte {
            b'\n' | b'\r' if !quoted => {
                if !blank {
                    counts.push(current);
                }
                (current, blank) = ([0; 3], true);
                if counts.len() == 20 {
                    break;
                }
                continue;
            }
            b'"' => quoted = !quoted,
            _ if quoted => {}
            _ => {
                if let Some(which) = candidates.iter().position(|&candidate| candidate == byte) {
                    current[which] += 1;
                }
            }
        }
        blank = false;
    }
    counts
}

/// Whether the first record names the columns, judged from the first hundred records (fewer if wide).
pub(super) fn guess_header(text: &str, delimiter: u8, width: usize, names: &[&str]) -> bool {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let records: Vec<Vec<String>> = reader
        .records()
        .take((1_000_000 / width).clamp(2, 100))
        .map_while(|record| record.ok())
        .map(|record| record.iter().map(|cell| cell.trim().to_string()).collect())
        .collect();
    let Some((first, rest)) = records.split_first() else { return true };
    let is_number = |cell: &str| parse_number(cell).is_some();
    let counts_up = |from: usize| {
        let mut pairs = first.iter().enumerate();
        first.len() > 2 && pairs.all(|(index, cell)| *cell == (index + from).to_string())
    };
    if first.iter().any(|cell| names.contains(&cell.as_str())) || counts_up(0) || counts_up(1) {
        return true;
    }
    if first.iter().any(|cell| is_number(cell)) {
        return false;
    }
    let column = |index: usize| rest.iter().filter_map(move |record| record.get(index));
    let names_numbers = |index: usize| column(index).any(|cell| is_number(cell));
    let named: Vec<usize> = (0..first.len()).filter(|&index| !first[index].is_empty()).collect();
    let distinct: HashSet<&String> = named.iter().map(|&index| &first[index]).collect();
    named.iter().any(|&index| names_numbers(index))
        || (distinct.len() == named.len()
            && named.iter().all(|&index| column(index).all(|cell| *cell != first[index])))
}
