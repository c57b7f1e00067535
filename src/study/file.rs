//! The study file as typed: every key read with its place, nothing resolved yet.

use super::document::{Entry, Places, Section, Source};
use super::inside::Histograms;
use super::search_table::SearchTable;
use crate::data::{ColumnRef, ColumnType, DataOptions, MOST_FOLDS, Scale, TaskKind};
use crate::error::Result;
use crate::model::{hyperparameter, metric};
use crate::schedule;
use crate::setting::{Chosen, Setting};
use crate::space::{Condition, Dimension, Domain, Space, Value};
use std::collections::BTreeSet;
use std::path::Path;
use toml::de::DeValue;

/// Most epochs of a trial.
pub const MOST_EPOCHS: u32 = 1_000_000;
/// Most trials under way at a time.
pub const MOST_BATCH: u32 = 1_000_000;
/// The engines that a study may name.
pub static ENGINES: &[&str] = &["auto", "gpu", "cpu"];

/// A study file as typed. `None`: not said.
#[derive(Clone, Debug)]
pub struct StudyFile {
    /// `[data]`, its paths already relative to the current folder.
    pub data: DataOptions,
    /// `model.kind`
    pub model: Option<String>,
    /// `[search]`, but for the objective.
    pub search: SearchTable,
    /// `search.objective`
    pub objective: Option<String>,
    /// `schedule.kind`
    pub schedule: Option<String>,
    /// The keys of `[schedule]` that schedules declare.
    pub schedule_settings: Chosen,
    /// `schedule.max_epochs`
    pub max_epochs: Option<u32>,
    /// `schedule.patience`
    pub patience: Option<u32>,
    /// `engine.kind`
    pub engine: Option<String>,
    /// `engine.device`
    pub device: Option<String>,
    /// `engine.memory`
    pub memory: Option<String>,
    /// `engine.histograms`
    pub histograms: Option<Histograms>,
    /// `[space]`, not yet checked against the hyperparameters of the model.
    pub space: Option<Space>,
    /// Where each key stands, for errors found later.
    pub places: Places,
}

impl StudyFile {
    /// Reads a study file; its paths are relative to its folder.
    pub fn open(path: &Path) -> Result<Self> {
        Self::read(&Source::open(path)?, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a study file; its paths are relative to `folder`.
    pub fn read(source: &Source, folder: &Path) -> Result<Self> {
        let document = source.parse()?;
        let root = document.root();
        root.expect(&["data", "model", "search", "schedule", "engine", "space"])?;
        let data = read_data(&root.require("data")?.section()?, folder)?;
        let mut file = Self { places: document.places(), ..Self::of_data(data) };
        let tables: [(&str, ReadTable); 4] = [
            ("model", Self::read_model),
            ("search", Self::read_search),
            ("schedule", Self::read_schedule),
            ("engine", Self::read_engine),
        ];
        for (name, read) in tables {
            if let Some(entry) = root.get(name) {
                read(&mut file, &entry.section()?)?;
            }
        }
        file.space = root.get("space").map(|entry| read_space(&entry.section()?)).transpose()?;
        Ok(file)
    }

    /// What a data file alone says.
    pub fn of_data(data: DataOptions) -> Self {
        Self {
            data,
            model: None,
            search: SearchTable::default(),
            objective: None,
            schedule: None,
            schedule_settings: Chosen::none(),
            max_epochs: None,
            patience: None,
            engine: None,
            device: None,
            memory: None,
            histograms: None,
            space: None,
            places: Places::default(),
        }
    }

    fn read_model(&mut self, table: &Section<'_>) -> Result<()> {
        table.expect(&["kind"])?;
        self.model = optional(table, "kind", |entry| entry.name_of("model", hyperparameter::MODELS))?;
        Ok(())
    }

    fn read_search(&mut self, table: &Section<'_>) -> Result<()> {
        self.search = SearchTable::read(table, &["objective"])?;
        let metrics: Vec<&str> = metric::ALL.iter().map(|metric| metric.name()).collect();
        self.objective = optional(table, "objective", |entry| entry.name_of("objective", &metrics))?;
        Ok(())
    }

    fn read_schedule(&mut self, table: &Section<'_>) -> Result<()> {
        let declared = schedule::ALL.iter().flat_map(|kind| kind.settings());
        self.schedule_settings = read_settings(table, &["kind", "max_epochs", "patience"], declared)?;
        let kinds: Vec<&str> = schedule::ALL.iter().map(|kind| kind.name()).collect();
        let epochs = 1..=i128::from(MOST_EPOCHS);
        self.schedule = optional(table, "kind", |entry| entry.name_of("schedule", &kinds))?;
        self.max_epochs = optional(table, "max_epochs", |entry| entry.integer(epochs.clone()))?;
        self.patience = optional(table, "patience", |entry| entry.integer(epochs.clone()))?;
        Ok(())
    }

    fn read_engine(&mut self, table: &Section<'_>) -> Result<()> {
        table.expect(&["kind", "device", "memory", "histograms"])?;
        self.engine = optional(table, "kind", |entry| entry.name_of("engine", ENGINES))?;
        self.device = optional(table, "device", |entry| match entry.value {
            DeValue::Integer(_) => Ok(entry.integer::<u32>(0..=u32::MAX.into())?.to_string()),
            _ => entry.text(),
        })?;
        self.memory = optional(table, "memory", Entry::text)?;
        let histograms = |entry: &Entry<'_>| Histograms::read(entry.place(), &entry.text()?);
        self.histograms = optional(table, "histograms", histograms)?;
        Ok(())
    }
}

/// Reads the keys of a table that the members of a family declare, beside those that it has itself.
pub(super) fn read_settings(
    table: &Section<'_>,
    own: &[&str],
    declared: impl Iterator<Item = &'static Setting>,
) -> Result<Chosen> {
    let names: BTreeSet<&str> = declared.map(|setting| setting.name).collect();
    let known: Vec<&str> = own.iter().copied().chain(names.iter().copied()).collect();
    table.expect(&known)?;
    names
        .iter()
        .filter_map(|name| table.get(name))
        .try_fold(Chosen::none(), |chosen, entry| Ok(chosen.with(entry.name(), entry.real()?)))
}

type ReadTable = fn(&mut StudyFile, &Section<'_>) -> Result<()>;

/// The value of a key that may be left out.
pub(super) fn optional<'a, T>(
    table: &Section<'a>,
    name: &str,
    read: impl Fn(&Entry<'a>) -> Result<T>,
) -> Result<Option<T>> {
    table.get(name).map(|entry| read(&entry)).transpose()
}

const DATA_KEYS: &[&str] = &[
    "path",
    "target",
    "labels",
    "has_header",
    "ignore",
    "missing",
    "task",
    "scale",
    "types",
    "folds",
    "validation",
    "repeats",
    "test",
    "fold_column",
    "group_column",
];

fn read_data(table: &Section<'_>, folder: &Path) -> Result<DataOptions> {
    table.expect(DATA_KEYS)?;
    let path = |entry: &Entry<'_>| match entry.text()? {
        text if text.is_empty() => {
            Err(entry.error("an empty path").allowed("the path of a file, from the study file's folder"))
        }
        text => Ok(folder.join(text)),
    };
    let mut data = DataOptions {
        path: path(&table.require("path")?)?,
        target: optional(table, "target", column)?,
        labels: optional(table, "labels", path)?,
        has_header: optional(table, "has_header", Entry::boolean)?,
        ignore: optional(table, "ignore", |entry| entry.list()?.iter().map(column).collect())?
            .unwrap_or_default(),
        missing: optional(table, "missing", Entry::texts)?.unwrap_or_default(),
        task: optional(table, "task", |entry| one_of(entry, "task", TASKS))?,
        scale: optional(table, "scale", |entry| one_of(entry, "scale", SCALES))?.unwrap_or_default(),
        ..DataOptions::default()
    };
    if let Some(entry) = table.get("types") {
        for entry in entry.section()?.entries() {
            data.column_types.insert(entry.name().to_string(), one_of(&entry, "column type", TYPES)?);
        }
    }
    read_split(table, &mut data)?;
    Ok(data)
}

fn read_split(table: &Section<'_>, data: &mut DataOptions) -> Result<()> {
    let split = &mut data.split;
    let ways: Vec<Entry<'_>> =
        ["folds", "validation", "fold_column"].iter().filter_map(|name| table.get(name)).collect();
    if let [first, second, ..] = &ways[..] {
        return Err(second
            .error(format!("{} beside {}", second.name(), first.name()))
            .allowed("one of folds, validation, fold_column")
            .advice(format!("leave {} out", second.name())));
    }
    if let Some(entry) = table.get("folds") {
        split.folds = entry
            .integer(2..=MOST_FOLDS as i128)
            .map_err(|error| error.advice("validation = 0.2 for a single split"))?;
    }
    split.validation = optional(table, "validation", Entry::fraction)?;
    let repeats = optional(table, "repeats", |entry| entry.integer(1..=MOST_FOLDS as i128))?;
    split.repeats = repeats.unwrap_or(split.repeats);
    split.test = optional(table, "test", Entry::fraction)?;
    split.fold_column = optional(table, "fold_column", column)?;
    split.group_column = optional(table, "group_column", column)?;
    Ok(())
}

fn column(entry: &Entry<'_>) -> Result<ColumnRef> {
    match entry.value {
        DeValue::Integer(_) => Ok(ColumnRef::Index(entry.integer(0..=u32::MAX.into())?)),
        _ => Ok(ColumnRef::Name(
            entry.text().map_err(|error| error.allowed("the name of a column, or its index from 0 on"))?,
        )),
    }
}

/// The names of the tasks.
pub const TASKS: &[(&str, TaskKind)] =
    &[("classification", TaskKind::Classification), ("regression", TaskKind::Regression)];
/// The names of the scales.
pub const SCALES: &[(&str, Scale)] =
    &[("standard", Scale::Standard), ("minmax", Scale::Minmax), ("none", Scale::None)];
/// The names of the column types.
pub const TYPES: &[(&str, ColumnType)] = &[
    ("numeric", ColumnType::Numeric),
    ("categorical", ColumnType::Categorical),
    ("boolean", ColumnType::Boolean),
];

fn one_of<T: Copy>(entry: &Entry<'_>, what: &str, all: &[(&str, T)]) -> Result<T> {
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let name = entry.name_of(what, &names)?;
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| entry.error(name))
}

/// Reads a `[space]` table; what its values mean is not checked yet.
pub fn read_space(table: &Section<'_>) -> Result<Space> {
    let dimensions: Vec<Dimension> =
        table.entries().map(|entry| read_dimension(&entry)).collect::<Result<_>>()?;
    if dimensions.is_empty() {
        return Err(table
            .error("an empty space")
            .allowed("at least one hyperparameter; `manytune --list` names them")
            .advice("leave [space] out for a default one"));
    }
    Ok(Space { dimensions, ..Space::default() })
}

/// The forms of a range or list as a table, each with the keys that may stand beside it.
const FORMS: &[(&str, &[&str])] = &[
    ("log_uniform", &["count", "when"]),
    ("uniform", &["step", "count", "when"]),
    ("int", &["log", "step", "count", "when"]),
    ("choice", &["when"]),
];

fn read_dimension(entry: &Entry<'_>) -> Result<Dimension> {
    let name = entry.name();
    match entry.value {
        DeValue::Array(_) => Ok(Dimension::new(name, read_choice(entry)?)),
        DeValue::Table(_) => read_range(name, entry),
        _ => Ok(Dimension::new(name, Domain::Fixed(read_value(entry)?))),
    }
}

fn read_range(name: &str, entry: &Entry<'_>) -> Result<Dimension> {
    let table = entry.section()?;
    table.expect(&["log_uniform", "uniform", "int", "choice", "log", "step", "count", "when"])?;
    let forms: Vec<_> = FORMS.iter().filter_map(|(form, keys)| Some((table.get(form)?, keys))).collect();
    let [(form, keys)] = &forms[..] else {
        let found: Vec<&str> = forms.iter().map(|(form, _)| form.name()).collect();
        let found = if found.is_empty() { "no range".to_string() } else { found.join(" beside ") };
        return Err(entry
            .error(found)
            .allowed("one of log_uniform, uniform, int, choice")
            .advice(format!("{name} = {{ uniform = [smallest, largest] }}, or a list of choices")));
    };
    if let Some(extra) = table.entries().find(|e| e.name() != form.name() && !keys.contains(&e.name())) {
        return Err(extra.error(format!("{} beside {}", extra.name(), form.name())).allowed(format!(
            "beside {}: {}",
            form.name(),
            keys.join(", ")
        )));
    }
    let domain = match form.name() {
        "choice" => read_choice(form)?,
        "int" => {
            let [low, high] = ends(form)?.map(|end| end.integer::<i64>(i64::MIN.into()..=i64::MAX.into()));
            let log = optional(&table, "log", Entry::boolean)?.unwrap_or(false);
            let step = optional(&table, "step", |e| e.integer(1..=i64::MAX.into()))?.unwrap_or(1);
            Domain::Int { low: low?, high: high?, log, step }
        }
        log_or_not => {
            let [low, high] = ends(form)?.map(|end| end.real());
            let step = optional(&table, "step", Entry::real)?;
            Domain::Float { low: low?, high: high?, log: log_or_not == "log_uniform", step }
        }
    };
    let grid_count = optional(&table, "count", |e| e.integer(1..=1_000_000))?;
    let when = optional(&table, "when", read_when)?.unwrap_or_default();
    Ok(Dimension { when, grid_count, ..Dimension::new(name, domain) })
}

fn ends<'a>(form: &Entry<'a>) -> Result<[Entry<'a>; 2]> {
    let found = form.list()?;
    let count = found.len();
    <[Entry<'a>; 2]>::try_from(found)
        .map_err(|_| form.error(format!("a range of {count} numbers")).allowed("[smallest, largest]"))
}

fn read_choice(entry: &Entry<'_>) -> Result<Domain> {
    let mut values = entry.list()?.iter().map(read_value).collect::<Result<Vec<Value>>>()?;
    // Whole numbers among real ones are real numbers: [0, 0.5].
    let numbers = values.iter().all(|value| matches!(value, Value::Int(_) | Value::Float(_)));
    if numbers && values.iter().any(|value| matches!(value, Value::Float(_))) {
        for value in &mut values {
            if let Value::Int(whole) = *value {
                *value = Value::Float(whole as f64);
            }
        }
    }
    match <[Value; 1]>::try_from(values) {
        Ok([value]) => Ok(Domain::Fixed(value)),
        Err(values) => Ok(Domain::Choice(values)),
    }
}

/// A value of a hyperparameter.
pub(super) fn read_value(entry: &Entry<'_>) -> Result<Value> {
    match entry.value {
        DeValue::Boolean(value) => Ok(Value::Bool(*value)),
        DeValue::Integer(_) => Ok(Value::Int(entry.integer(i64::MIN.into()..=i64::MAX.into())?)),
        DeValue::Float(_) => Ok(Value::Float(entry.real()?)),
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Array(_) => {
            let whole = |e: &Entry<'_>| e.integer(i64::MIN.into()..=i64::MAX.into());
            Ok(Value::List(entry.list()?.iter().map(whole).collect::<Result<_>>()?))
        }
        _ => Err(entry
            .error("a date or table")
            .allowed("a number, a string, true or false, or a list of whole numbers")),
    }
}

fn read_when(entry: &Entry<'_>) -> Result<Vec<Condition>> {
    let table = entry.section().map_err(|error| error.advice("when = { optimizer = \"sgd\" }"))?;
    if table.entries().next().is_none() {
        return Err(entry
            .error("no condition")
            .allowed("one or more of hyperparameter = value")
            .advice("leave `when` out where it always holds"));
    }
    table
        .entries()
        .map(|entry| {
            let values = match entry.value {
                DeValue::Array(_) => entry.list()?.iter().map(read_value).collect::<Result<_>>()?,
                _ => vec![read_value(&entry)?],
            };
            Ok(Condition { name: entry.name().to_string(), values })
        })
        .collect()
}
