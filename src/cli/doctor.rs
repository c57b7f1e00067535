//! `manytune doctor`: what is wrong with the data or with what trains on them, before a sweep; and what the results of
//! one say.

use super::gradcheck::Format;
use super::guard::refuse_beside_study;
use super::output;
use crate::data::{self, Prepared, Table};
use crate::diagnosis::study::Record;
use crate::diagnosis::study::verdict;
use crate::diagnosis::{self, Examined, Finding, Patient, Severity};
use crate::engine::{self, EngineChoice, Job};
use crate::error::{Error, Result};
use crate::report::verdicts;
use crate::study::folder;
use crate::study::plan::{CPU, Overrides, Plan, device_beside_cpu};
use crate::study::same::{data_of, plan_of};
use crate::study::schema::Content;
use crate::study::store::Store;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Once;

/// Trials of a table where nothing is said.
const TOP: usize = 20;

/// Check the data, and that models train as they should; or what the results of a study say
///
/// Reads the table and its folds, trains a few small models, and says what is wrong, why, and what to try. Of a study
/// that has results, reads its curves and scores instead of training. Exit code 1 when a finding is an error.
#[derive(clap::Args)]
pub struct Arguments {
    /// A data file (CSV, IDX or LIBSVM, also gzipped), a study file (.toml), or the folder of a study that has run
    input: PathBuf,
    /// The column to predict
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Number of folds of the cross-validation [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    folds: Option<usize>,
    /// Read the data only: train nothing
    #[arg(long)]
    data_only: bool,
    /// Of a study that has results, say instead what the curves of each trial say of its fit
    #[arg(long, conflicts_with_all = ["data_only", "trial"])]
    trials: bool,
    /// How many trials, the best first [default: 20]
    #[arg(long, value_name = "N", requires = "trials")]
    top: Option<usize>,
    /// Of a study that has results, say instead what the curves of this trial say, and what to try
    #[arg(long, value_name = "N", conflicts_with = "data_only")]
    trial: Option<u64>,
    /// auto, gpu or cpu [default: auto, a real GPU where there is one]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// The graphics adapter: its index or a part of its name; see `manytune devices`
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Seeds folds and small models [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// table or json
    #[arg(long, value_enum, default_value_t = Format::Table, hide_default_value = true)]
    format: Format,
}

/// Examines, and prints what was found; an error of kind check when a finding is one.
pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.trials || arguments.trial.is_some() {
        return of_trials(arguments);
    }
    let (seen, examined) = match arguments.input.is_dir() {
        true => of_study(arguments)?,
        false => of_data(arguments)?,
    };
    let text = match arguments.format {
        Format::Table => table_of(&seen, &examined),
        Format::Json => json_of(&seen, &examined)?,
    };
    output::print(&format!("{text}\n"))?;
    match findings(&examined).filter(|finding| finding.severity == Severity::Error).count() {
        0 => Ok(()),
        1 => Err(unwell(arguments, "1 finding is an error")),
        count => Err(unwell(arguments, &format!("{count} findings are errors"))),
    }
}

/// What is printed beside findings.
#[derive(Default)]
struct Seen {
    /// The data file.
    data: String,
    /// What was examined, in some lines.
    head: String,
    /// Figures that are worth knowing though nothing is wrong.
    figures: Vec<String>,
    /// What the curves of each trial of a study say, as JSON.
    trials: Option<Vec<Value>>,
}

/// Examines data, and what would train on them.
fn of_data(arguments: &Arguments) -> Result<(Seen, Vec<Examined>)> {
    let overrides = Overrides {
        target: arguments.target.clone(),
        folds: arguments.folds,
        seed: arguments.seed,
        engine: arguments.engine.clone(),
        device: arguments.device.clone(),
        ..Overrides::default()
    };
    let mut plan = Plan::from_file(&arguments.input, &overrides)?;
    let choice = EngineChoice::named("engine.kind", &plan.engine.kind)?;
    let device = plan.engine.device.clone();
    if let Some(device) = device.as_ref().filter(|_| plan.engine.kind == CPU) {
        return Err(device_beside_cpu("--device", device));
    }
    let (table, prepared) = data::read(&plan.data, plan.seed).map_err(|error| plan.locate(error))?;
    let dataset = &prepared.dataset;
    plan.settle(dataset.task, dataset.row_count(), dataset.feature_count)?;
    let said = Once::new();
    let open = |job: Job| {
        let opened = engine::open_for(&plan.model, choice, device.as_deref(), None, job)?;
        said.call_once(|| output::note(&opened.why));
        Ok(opened.engine)
    };
    let patient = Patient::new(&plan, &table, &prepared, &open);
    let mut examined = diagnosis::examine(diagnosis::data::ALL, &patient)?;
    if !arguments.data_only {
        examined.extend(diagnosis::examine(diagnosis::training::ALL, &patient)?);
    }
    Ok((seen(&patient), examined))
}

/// A study that has run, and its data where they are there as they were.
struct Stored {
    plan: Plan,
    data: Result<(Table, Prepared)>,
}

impl Stored {
    fn open(arguments: &Arguments) -> Result<Self> {
        let given = [
            ("--target", arguments.target.is_some()),
            ("--folds", arguments.folds.is_some()),
            ("--engine", arguments.engine.is_some()),
            ("--device", arguments.device.is_some()),
            ("--seed", arguments.seed.is_some()),
        ];
        let folder = &arguments.input;
        let allowed = "--data-only, --trials, --trial and --format beside the folder of a study";
        refuse_beside_study(&given, folder, allowed)?;
        let header = Store::read(folder)?.header()?;
        let plan = plan_of(&header)?;
        let data = data_of(folder, &header, &plan, "tune the new data in another folder");
        if let Err(error) = &data {
            output::note(&format!("the data are not examined: {}: {}", error.place, error.found));
        }
        Ok(Self { plan, data })
    }

    /// Its results.
    fn record(&self, arguments: &Arguments) -> Result<Record<'_>> {
        let dataset = self.data.as_ref().ok().map(|(_, prepared)| &prepared.dataset);
        Record::open(&arguments.input, dataset)
    }
}

/// Examines what a study came to, and its data where they are there as they were.
fn of_study(arguments: &Arguments) -> Result<(Seen, Vec<Examined>)> {
    let stored = Stored::open(arguments)?;
    let record = stored.record(arguments)?;
    let nothing = |_| Err(Error::device("doctor", "nothing is trained here"));
    let (mut seen, mut examined) = match &stored.data {
        Ok((table, prepared)) => {
            let patient = Patient::new(&stored.plan, table, prepared, &nothing);
            let examined = diagnosis::examine(diagnosis::data::ALL, &patient)?;
            (seen(&patient), examined)
        }
        Err(_) => {
            let data = stored.plan.data.path.display().to_string();
            (Seen { data, ..Seen::default() }, Vec::new())
        }
    };
    if !arguments.data_only {
        examined.extend(diagnosis::study::examine(diagnosis::study::ALL, &record)?);
        let judged = verdict::judge(&record);
        seen.figures.push(format!("{} (each: --trials)", verdicts::summary(&judged)));
        seen.trials = Some(judged.iter().map(|one| verdicts::json(one, false)).collect());
    }
    let (all, complete) = (record.trials.len(), record.complete().count());
    seen.head += &format!("{}: {all} trials, {complete} of them complete\n", arguments.input.display());
    Ok((seen, examined))
}

/// Prints what the curves of each trial say, or of one.
fn of_trials(arguments: &Arguments) -> Result<()> {
    let flag = if arguments.trials { "--trials" } else { "--trial" };
    let folder = &arguments.input;
    if !folder.is_dir() {
        return Err(Error::usage(flag, format!("beside {}, which is no folder", folder.display()))
            .allowed("beside the folder of a study that has run")
            .advice(format!("tune first, then manytune doctor runs/NAME {flag}")));
    }
    if folder::exists(folder) && folder::content(folder)? == Content::Search {
        let found = format!(
            "{} holds a search: another program told its values, and no curves of training",
            folder.display()
        );
        return Err(Error::usage(flag, found)
            .allowed("the folder of a study (manytune tune)")
            .advice(format!("manytune show {}", folder.display())));
    }
    let stored = Stored::open(arguments)?;
    let record = stored.record(arguments)?;
    let judged = verdict::judge(&record);
    let is_table = matches!(arguments.format, Format::Table);
    let Some(number) = arguments.trial else {
        return match is_table {
            true => output::print(&verdicts::table(&record, &judged, arguments.top.unwrap_or(TOP))),
            false => {
                let shown = judged.iter().take(arguments.top.unwrap_or(usize::MAX));
                let trials: Vec<Value> = shown.map(|one| verdicts::json(one, false)).collect();
                output::print(&format!("{:#}\n", json!({ "trials": trials })))
            }
        };
    };
    let one = judged.iter().find(|one| one.trial.number == number).ok_or_else(|| {
        let last = judged.iter().map(|one| one.trial.number).max();
        let allowed = last.map_or("none: the study has no trials".to_owned(), |last| format!("0 to {last}"));
        Error::usage("--trial", format!("there is no trial {number}"))
            .allowed(allowed)
            .advice("--trials lists them")
    })?;
    match is_table {
        true => output::print(&verdicts::one(&record, &judged, one)),
        false => output::print(&format!("{:#}\n", verdicts::json(one, true))),
    }
}

fn unwell(arguments: &Arguments, found: &str) -> Error {
    Error::check(arguments.input.display(), found).advice("what each finding says, then doctor again")
}

fn findings(examined: &[Examined]) -> impl Iterator<Item = &Finding> {
    examined.iter().flat_map(|one| &one.findings)
}

fn seen(patient: &Patient<'_>) -> Seen {
    let encoder = &patient.prepared.encoder;
    let dataset = patient.dataset();
    let classes = match encoder.class_names().len() {
        0 => "a number".to_owned(),
        count => format!("one of {count} classes"),
    };
    let data = patient.table.path().display().to_string();
    let head = format!(
        "{data}: {} rows, {} features of {} columns; {}, {classes}, {} folds\n{}",
        dataset.row_count(),
        dataset.feature_count,
        encoder.columns().count(),
        encoder.target_name(),
        dataset.folds.len(),
        as_read(patient)
    );
    Seen { data, head, figures: patient.figures(), trials: None }
}

/// A line a diagnosis, the findings below, and figures.
fn table_of(seen: &Seen, examined: &[Examined]) -> String {
    let mut text = seen.head.clone();
    let width = examined.iter().map(|one| one.name.len()).max().unwrap_or(0);
    examined.iter().for_each(|one| text += &lines_of(one, width));
    if !seen.figures.is_empty() {
        text += &format!("\n{}\n", seen.figures.join("\n"));
    }
    let count =
        |severity: Severity| findings(examined).filter(|finding| finding.severity == severity).count();
    text + &format!(
        "\n{} errors, {} warnings, {} notes",
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    )
}

/// What one diagnosis came to: each finding with its severity, then why, then what to try, each once.
fn lines_of(Examined { name, healthy, findings }: &Examined, width: usize) -> String {
    let line = |mark: &str, name: &str, text: &str| format!("{mark:7}  {name:width$}  {text}\n");
    if findings.is_empty() {
        return line("ok", name, healthy);
    }
    let names = std::iter::once(*name).chain(std::iter::repeat(""));
    let found = findings.iter().zip(names);
    let mut text: String =
        found.map(|(finding, name)| line(finding.severity.name(), name, &line_of(finding))).collect();
    let mut below: Vec<String> = findings.iter().map(|finding| format!("  why: {}", finding.cause)).collect();
    below.extend(findings.iter().map(|finding| format!("  try: {}", finding.advice)));
    let mut known: HashSet<String> = HashSet::new();
    below.retain(|line| known.insert(line.clone()));
    text.extend(below.iter().map(|below| line("", "", below)));
    text
}

fn line_of(finding: &Finding) -> String {
    match finding.place.is_empty() {
        true => finding.seen.clone(),
        false => format!("{}: {}", finding.place, finding.seen),
    }
}

/// The first rows of the first fold as a model reads them.
fn as_read(patient: &Patient<'_>) -> String {
    const ROWS: usize = 3;
    const FEATURES: usize = 8;
    let dataset = patient.dataset();
    let Some(fold) = dataset.folds.first() else { return String::new() };
    let names = patient.prepared.encoder.feature_names();
    let cells = |row: u32| -> Vec<String> {
        let numbers = dataset.row(row).iter().zip(&fold.transforms).take(FEATURES);
        numbers.map(|(&x, transform)| format!("{:.2}", transform.apply(x))).collect()
    };
    let rows: Vec<(String, Vec<String>)> =
        fold.train.iter().take(ROWS).map(|&row| (patient.place_of(row), cells(row))).collect();
    let head = rows.iter().map(|(place, _)| place.len()).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().map(|(_, cells)| cells[column].chars().count());
        cells.max().unwrap_or(0).max(shortened(&names[column]).chars().count())
    };
    let widths: Vec<usize> = (0..names.len().min(FEATURES)).map(width).collect();
    let line = |place: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells = cells.zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        format!("  {place:head$}  {}\n", cells.collect::<Vec<_>>().join("  "))
    };
    let more = match names.len().saturating_sub(FEATURES) {
        0 => String::new(),
        more => format!(" (the first {FEATURES} features, {more} more)"),
    };
    let mut text = format!("\nas a model of fold 0 reads it{more}:\n");
    text += &line("", &mut names.iter().take(FEATURES).map(|name| shortened(name)));
    rows.iter().for_each(|(place, cells)| text += &line(place, &mut cells.iter().cloned()));
    text + "\n"
}

/// A name of at most so many characters.
fn shortened(name: &str) -> String {
    const MOST: usize = 20;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn json_of(seen: &Seen, examined: &[Examined]) -> Result<String> {
    let findings: Vec<&Finding> = findings(examined).collect();
    let is_well = findings.iter().all(|finding| finding.severity != Severity::Error);
    let mut object = json!({
        "data": seen.data,
        "passed": is_well,
        "examined": examined.iter().map(|one| one.name).collect::<Vec<_>>(),
        "findings": findings,
        "figures": seen.figures,
    });
    if let Some(trials) = &seen.trials {
        object["trials"] = json!(trials);
    }
    serde_json::to_string(&object).map_err(|error| {
        Error::check("doctor", format!("the findings are not JSON: {error}")).advice("--format table")
    })
}
