//! A TOML file with the place of everything in it, so that each error says file, line, column and key.

use crate::data::missing_file_advice;
use crate::error::{Error, Result, cut, unknown_name};
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text of a TOML file and its name.
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Reads a file. Errors are of kind usage: missing, unreadable, not text.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| {
            let found = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file".to_string(),
                _ if path.is_dir() => "is a folder".to_string(),
                _ => error.to_string(),
            };
            Error::usage(path.display(), found)
                .allowed("a study file that can be read")
                .advice(missing_file_advice(path))
        })?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).to_vec();
        let name = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count() + 1;
                Err(Error::usage(format!("{name}:{line}"), "not text in UTF-8")
                    .allowed("UTF-8 text")
                    .advice("save the file as UTF-8 (it may be Latin-1 or Windows-1252)"))
            }
        }
    }

    /// A text that is not in a file.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The document; an error where the text is not TOML.
    pub fn parse(&self) -> Result<Document<'_>> {
        let table = DeTable::parse(&self.text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            Error::usage(self.position(start), error.message())
                .allowed("TOML: key = value, under [table] headers")
                .advice("text in quotes, as in path = \"data.csv\"; each key once in its table")
        })?;
        Ok(Document { source: self, table })
    }

    /// `file:line:column` of a byte; columns count characters from 1.
    fn position(&self, start: usize) -> String {
        let before = &self.text.as_bytes()[..start.min(self.text.len())];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }
}

/// A parsed file.
pub struct Document<'a> {
    source: &'a Source,
    table: Spanned<DeTable<'a>>,
}

impl Document<'_> {
    /// The whole file as a table.
    pub fn root(&self) -> Section<'_> {
        Section { source: self.source, key: String::new(), start: 0, table: self.table.get_ref() }
    }

    /// The position of every key: `search.seed` → `study.toml:7:1`.
    pub fn places(&self) -> Places {
        let mut places = BTreeMap::new();
        record(&self.root(), &mut places);
        Places { file: self.source.name.clone(), places }
    }
}

fn record(section: &Section<'_>, places: &mut BTreeMap<String, String>) {
    for entry in section.entries() {
        places.insert(entry.key.clone(), section.source.position(entry.key_start));
        record_inside(&entry, places);
    }
}

fn record_inside(entry: &Entry<'_>, places: &mut BTreeMap<String, String>) {
    if let Ok(inner) = entry.section() {
        record(&inner, places);
    }
    for element in entry.elements().unwrap_or_default() {
        places.insert(element.key.clone(), element.source.position(element.span.start));
        record_inside(&element, places);
    }
}

/// Where every key of a file stands, for errors that are found after it was read.
#[derive(Clone, Debug, Default)]
pub struct Places {
    file: String,
    places: BTreeMap<String, String>,
}

impl Places {
    /// Puts the position of the key that an error names before it: of the key itself, else of the
    /// table that would hold it, else the file.
    #[must_use]
    pub fn locate(&self, error: Error) -> Error {
        // A flag stands in no file.
        if self.file.is_empty() || error.place.starts_with("--") {
            return error;
        }
        let mut key = error.place.as_str();
        while !key.is_empty() {
            if let Some(position) = self.places.get(key) {
                return Error { place: format!("{position}: {}", error.place), ..error };
            }
            key = key.rfind(['.', '[']).map_or("", |end| &key[..end]);
        }
        match error.place.is_empty() {
            true => Error { place: self.file.clone(), ..error },
            false => Error { place: format!("{}: {}", self.file, error.place), ..error },
        }
    }
}

/// A table of a document.
pub struct Section<'a> {
    source: &'a Source,
    key: String,
    start: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Refuses keys that are not in the list, naming the nearest.
    pub fn expect(&self, known: &[&str]) -> Result<()> {
        let what = if self.key.is_empty() { "table".to_string() } else { format!("key of [{}]", self.key) };
        match self.entries().find(|entry| !known.contains(&entry.name())) {
            None => Ok(()),
            Some(entry) => {
                let place = self.source.position(entry.key_start);
                Err(unknown_name(place, &what, entry.name(), known.iter().copied()))
            }
        }
    }

    /// An error at the table's header.
    pub fn error(&self, found: impl std::fmt::Display) -> Error {
        Error::usage(format!("{}: {}", self.source.position(self.start), self.key), found)
    }

    /// The entry of a key.
    pub fn get(&self, name: &str) -> Option<Entry<'a>> {
        self.entries().find(|entry| entry.name() == name)
    }

    /// The entry of a key that must be there.
    pub fn require(&self, name: &str) -> Result<Entry<'a>> {
        self.get(name).ok_or_else(|| {
            let key = if self.key.is_empty() { name.to_string() } else { format!("{}.{name}", self.key) };
            Error::usage(self.source.position(self.start), format!("{key} is missing"))
                .allowed("a study that names its data")
                .advice("[data], and under it path = \"data.csv\" and target = \"column\"")
        })
    }

    /// All entries, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let (source, prefix) = (self.source, self.key.clone());
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(move |(key, value)| Entry {
            source,
            key: if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            },
            name_length: key.get_ref().len(),
            key_start: key.span().start,
            span: value.span(),
            value: value.get_ref(),
        })
    }
}

/// A value of a document, with its key.
pub struct Entry<'a> {
    source: &'a Source,
    /// The whole path, joined by dots.
    key: String,
    name_length: usize,
    key_start: usize,
    span: Range<usize>,
    /// The value itself.
    pub value: &'a DeValue<'a>,
}

impl<'a> Entry<'a> {
    /// The key within its table.
    pub fn name(&self) -> &str {
        &self.key[self.key.len() - self.name_length..]
    }

    /// `file:line:column: key`, of the value.
    pub fn place(&self) -> String {
        format!("{}: {}", self.source.position(self.span.start), self.key)
    }

    /// An error at this value.
    pub fn error(&self, found: impl std::fmt::Display) -> Error {
        Error::usage(self.place(), found)
    }

    fn mismatch(&self, allowed: &str) -> Error {
        self.error(describe(self.value)).allowed(allowed)
    }

    /// The value as a table.
    pub fn section(&self) -> Result<Section<'a>> {
        match self.value {
            DeValue::Table(table) => {
                Ok(Section { source: self.source, key: self.key.clone(), start: self.key_start, table })
            }
            _ => Err(self.mismatch("a table")),
        }
    }

    /// The value as a list, each element under the list's own key.
    pub fn list(&self) -> Result<Vec<Entry<'a>>> {
        match self.value {
            DeValue::Array(values) => Ok(values
                .iter()
                .map(|value| Entry {
                    source: self.source,
                    key: self.key.clone(),
                    name_length: self.name_length,
                    key_start: self.key_start,
                    span: value.span(),
                    value: value.get_ref(),
                })
                .collect()),
            _ => Err(self.mismatch("a list")),
        }
    }

    /// The value as a list, each element under a key of its own: `search.enqueue[0]`.
    pub fn elements(&self) -> Result<Vec<Entry<'a>>> {
        let numbered = |(index, element): (usize, Self)| {
            let number = format!("[{index}]");
            Self {
                name_length: element.name_length + number.len(),
                key: element.key + &number,
                // A table under [[header]] has no key of its own.
                key_start: element.span.start,
                ..element
            }
        };
        Ok(self.list()?.into_iter().enumerate().map(numbered).collect())
    }

    /// The value as a string.
    pub fn text(&self) -> Result<String> {
        match self.value {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.mismatch("a string")),
        }
    }

    /// The value as a list of strings.
    pub fn texts(&self) -> Result<Vec<String>> {
        self.list()?.iter().map(Entry::text).collect()
    }

    /// The value as a name of a closed list.
    pub fn name_of(&self, what: &str, known: &[&str]) -> Result<String> {
        let text = self.text().map_err(|error| error.allowed(known.join(", ")))?;
        match known.contains(&text.as_str()) {
            true => Ok(text),
            false => Err(unknown_name(self.place(), what, &text, known.iter().copied())),
        }
    }

    /// The value as `true` or `false`.
    pub fn boolean(&self) -> Result<bool> {
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.mismatch("true or false")),
        }
    }

    /// The value as a whole number of a range.
    pub fn integer<T: TryFrom<i128>>(&self, allowed: RangeInclusive<i128>) -> Result<T> {
        let text = whole_numbers(&allowed);
        let DeValue::Integer(integer) = self.value else { return Err(self.mismatch(&text)) };
        let value = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let fitting = value.filter(|value| allowed.contains(value)).and_then(|value| T::try_from(value).ok());
        fitting.ok_or_else(|| match value {
            Some(value) if value <= MOST_NAMED => self.mismatch(&text),
            _ => self.error(format!("{}, which is too large", describe(self.value))).allowed(&text),
        })
    }

    /// The value as a finite number; whole numbers are numbers.
    pub fn real(&self) -> Result<f64> {
        let allowed = "a finite number";
        let value = match self.value {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            DeValue::Integer(integer) => {
                i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|value| value as f64)
            }
            _ => None,
        };
        value.filter(|value| value.is_finite()).ok_or_else(|| self.mismatch(allowed))
    }

    /// The value as a fraction above 0 and below 1.
    pub fn fraction(&self) -> Result<f64> {
        let value = self.real()?;
        match value > 0.0 && value < 1.0 {
            true => Ok(value),
            false => Err(self.mismatch("a fraction above 0 and below 1")),
        }
    }
}

/// Ends of a range beyond this are those of a machine word, which say nothing to a user.
const MOST_NAMED: i128 = u32::MAX as i128 - 1;

/// A range of whole numbers, in words.
fn whole_numbers(allowed: &RangeInclusive<i128>) -> String {
    let (low, high) = (*allowed.start(), *allowed.end());
    match (low >= -MOST_NAMED, high <= MOST_NAMED) {
        (true, true) => format!("a whole number from {low} to {high}"),
        (true, false) => format!("a whole number, at least {low}"),
        _ => "a whole number".to_owned(),
    }
}

/// What a value is, in words.
fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string \"{}\"", cut(text)),
        DeValue::Integer(number) => format!("the number {}", cut(&number.to_string())),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => format!("{value}"),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(values) => format!("a list of {}", values.len()),
        DeValue::Table(_) => "a table".to_string(),
    }
}
