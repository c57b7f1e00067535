//! `manytune search`: the strategies for an objective that another program evaluates, over standard input
//! and output.

use super::lines::{Lines, Next};
use super::{interrupt, output};
use crate::error::{Error, Result};
use crate::study::external::plan::{Overrides, Plan};
use crate::study::external::protocol::{self, News, Tell};
use crate::study::external::run::Run;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a wait for the other program looks at whether the user wants to stop.
const PAUSE: Duration = Duration::from_millis(50);

/// Search for the best configuration of an objective of your own
///
/// Proposes configurations on standard output and reads what they came to from standard input, one JSON
/// object a line. The same command again goes on with an unfinished search; more --trials extend a finished
/// one.
#[derive(clap::Args)]
#[command(after_long_help = PROTOCOL)]
pub struct Arguments {
    /// A file (.toml) with [space], and [search] for what the flags do not say
    space: PathBuf,
    /// How configurations are proposed; see --list [default: auto]
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Number of configurations [default: 100; all of a grid]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    trials: Option<u64>,
    /// Trials that are asked for at a time [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch: Option<u64>,
    /// Seeds every random number [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// The search's folder [default: runs/<name of the file>]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// No notes
    #[arg(long)]
    quiet: bool,
}

/// What `--help` says of the lines.
const PROTOCOL: &str = r#"The file:
  [search]
  direction = "minimize"        # or "maximize"; strategy, trials, batch, seed as the flags
  constraints = ["x + y <= 1"]  # see the README for these, enqueue and target_value
  [space]
  x = { uniform = [0.0, 1.0] }  # any names; see the README for ranges, choices and conditions
  [schedule]                    # perhaps: which trials should stop, by their values on the way
  kind = "asha"
  max_epochs = 81               # the most steps of a trial

The lines, one JSON object each:
  search:   {"ask":[{"number":0,"hyperparameters":{"x":0.25}},…]}   a batch
  program:  {"tell":{"number":0,"value":0.12}}                      of every trial, in any order
            {"tell":{"number":0,"state":"failed"}}                  where it has no value
            {"tell":{"number":0,"intermediate":{"step":3,"value":0.4}}}
  search:   {"stop":[]}                                             at once: the trials that should stop
  search:   {"best":{"number":0,"value":0.12,"hyperparameters":{"x":0.25}}}   the last line; or null

The next batch comes when all of the one before is told. What was told is kept, however the search ends:
exit code 0 when all is told, 2 after a line that cannot be understood, 130 when either side goes away."#;

/// Asks and is told until all trials are.
pub fn run(arguments: &Arguments) -> Result<()> {
    let plan = Plan::from_file(&arguments.space, &overrides(arguments))?;
    let folder = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&plan.name));
    interrupt::install()?;
    let mut run = Run::open(&folder, plan)?;
    let note = |lines: &[String]| {
        let lines = lines.iter().filter(|_| !arguments.quiet);
        lines.for_each(|line| output::note(line));
    };
    note(&beginning(&run, &folder));
    let ended = converse(&mut run, &note);
    run.commit()?;
    let done = format!("{} ({})", progress(&run), folder.display());
    match ended {
        Err(error) => {
            note(&[format!("{done}; what was told is kept, to go on: {}", output::this_command())]);
            Err(error)
        }
        Ok(Ending::Told) => {
            output::print(&protocol::best_line(run.best()))?;
            note(&ending(&run, &folder));
            Ok(())
        }
        Ok(Ending::Left(who)) => {
            Err(Error::interrupted(who, done).advice(format!("{}   # to go on", output::this_command())))
        }
    }
}

/// How a conversation ended.
enum Ending {
    /// All trials are told.
    Told,
    /// Someone went away before that.
    Left(&'static str),
}

const READER_GONE: &str = "standard output was closed";
const WRITER_GONE: &str = "standard input has ended";

/// Asks for one batch after the other, and listens until it is told.
fn converse(run: &mut Run, note: &dyn Fn(&[String])) -> Result<Ending> {
    let mut lines = None;
    loop {
        let batch = run.batch()?;
        note(&run.remarks());
        if batch.is_empty() {
            return Ok(Ending::Told);
        }
        if !output::send(&protocol::ask_line(&batch))? {
            return Ok(Ending::Left(READER_GONE));
        }
        let lines = lines.get_or_insert_with(Lines::of_stdin);
        while run.is_waiting() {
            if let Some(left) = listen(run, lines)? {
                return Ok(left);
            }
        }
    }
}

/// Takes in what comes next; what waits to be written is written in time.
fn listen(run: &mut Run, lines: &Lines) -> Result<Option<Ending>> {
    let now = Instant::now();
    let wait = run.due().map_or(PAUSE, |due| due.saturating_duration_since(now).min(PAUSE));
    let next = lines.next(wait);
    if interrupt::is_asked() {
        return Ok(Some(Ending::Left("interrupted")));
    }
    match next {
        Next::Line(number, line) => {
            let place = place(number);
            let told = take(run, protocol::read(&place, &line)?);
            let answer =
                told.map_err(|error| Error { place: format!("{place}: {}", error.place), ..error })?;
            if let Some(answer) = answer
                && !output::send(&answer)?
            {
                return Ok(Some(Ending::Left(READER_GONE)));
            }
        }
        Next::TooLong(number) => {
            return Err(Error::usage(place(number), "a line of more than 1 MiB")
                .allowed("one JSON object of a trial a line, with a line break behind it"));
        }
        Next::Broken(error) => {
            return Err(Error::store("standard input", format!("cannot be read: {error}"))
                .allowed("a pipe, a terminal or a file"));
        }
        Next::End => return Ok(Some(Ending::Left(WRITER_GONE))),
        Next::Nothing => {}
    }
    if run.due().is_some_and(|due| due <= Instant::now()) {
        run.commit()?;
    }
    Ok(None)
}

fn place(line: u64) -> String {
    format!("line {line} of standard input")
}

/// Takes in what is told of a trial; an intermediate value is answered.
fn take(run: &mut Run, tell: Tell) -> Result<Option<String>> {
    match tell.news {
        News::Value(value) => run.tell(tell.number, value).map(|()| None),
        News::Failed => run.fail(tell.number).map(|()| None),
        News::Intermediate { step, value } => {
            let stopped = run.intermediate(tell.number, step, value)?;
            Ok(Some(protocol::stop_line(&stopped)))
        }
    }
}

fn overrides(arguments: &Arguments) -> Overrides {
    Overrides {
        strategy: arguments.strategy.clone(),
        trials: arguments.trials,
        batch: arguments.batch,
        seed: arguments.seed,
    }
}

/// What is searched and how, and where it stands.
fn beginning(run: &Run, folder: &Path) -> Vec<String> {
    let plan = run.plan();
    let (told, of) = run.progress();
    let trials = of.map_or("any number of trials".to_owned(), |count| format!("{count} trials"));
    let unsaid =
        if plan.is_direction_said { "" } else { " (the file does not say; direction = \"maximize\" would)" };
    let mut lines = vec![format!(
        "{}: {trials}, {} at a time, seed {}, {} the value{unsaid}",
        plan.strategy.name(),
        plan.batch.unwrap_or(1),
        plan.seed,
        plan.direction.name()
    )];
    lines.extend(plan.strategy.notes(&plan.space, &plan.search_settings()));
    if plan.has_schedule() {
        lines.push(format!(
            "{}: trials of {} steps may be told to stop",
            plan.schedule.name(),
            plan.max_epochs
        ));
        lines.extend(plan.schedule.notes(&plan.schedule_settings()));
        lines.extend(small_batch(plan));
    }
    if told > 0 || run.left_count() > 0 {
        let left = match run.left_count() {
            0 => String::new(),
            count => format!("; {count} that were asked for are asked for again"),
        };
        lines.push(format!("goes on in {}: {}{left}", folder.display(), progress(run)));
    }
    lines
}

/// A batch too small for the schedule, which compares only trials that are under way together.
fn small_batch(plan: &Plan) -> Option<String> {
    let cohort = plan.schedule.create(&plan.schedule_settings()).cohort(0);
    let (size, batch) = (cohort.end - cohort.start, plan.batch.unwrap_or(1));
    (size > batch).then(|| {
        format!(
            "{} compares {size} trials at a time: in batches of {batch} it stops none, or few; try --batch {size}",
            plan.schedule.name()
        )
    })
}

/// What it came to, and what to do next.
fn ending(run: &Run, folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let (told, _) = run.progress();
    if run.has_met_target() {
        lines.push("the target value is met".to_owned());
    } else if run.is_exhausted() {
        lines.push(format!("the space has no more than {told} configurations for this strategy"));
    }
    lines.push(match run.best() {
        Some(best) => format!("finished: trial {} of {told} is the best, {}", best.number, best.value),
        None => format!("finished: none of {told} trials has a value"),
    });
    let folder = output::quoted(&folder.display().to_string());
    lines.push(format!("all trials: manytune show {folder}; more --trials extend the search"));
    lines
}

fn progress(run: &Run) -> String {
    match run.progress() {
        (told, Some(of)) => format!("{told} of {of} trials are told"),
        (told, None) => format!("{told} trials are told"),
    }
}
