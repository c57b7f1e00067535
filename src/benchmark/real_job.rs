//! W7, the real job: a whole study, from the command to the leaderboard, by the path of `manytune tune`.
//!
//! A table on disk is read, divided and scaled; trials are proposed, trained on every fold, scored after
//! every epoch, and stored; the leaderboard is rendered. Epochs are fixed and nothing stops early, so that
//! every peer does the same work.

use super::own::Prepare;
use super::record::Record;
use super::reference::{References, spread};
use super::roofline::Work;
use super::workload::{self, Counts, SEED};
use super::{Bench, is_software};
use crate::error::{Error, Result};
use crate::model::metric::Metric;
use crate::model::recipe::Member;
use crate::report::{self, Leaderboard, Page};
use crate::study::plan::Plan;
use crate::study::run::{Event, Stop};
use crate::study::tune::{Audience, Ending, Request, tune};
use crate::trial::{State, Trial};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Its name.
pub const REAL_JOB: &str = "W7";
/// What it is, on one line.
pub const REAL_JOB_SUMMARY: &str =
    "the real job: a random search on a table of 10,000 rows, 100 columns, 2 classes, to the leaderboard";

const TRIALS: Counts = Counts { cpu: 20, gpu: 201, software: 2 };
const FOLDS: Counts = Counts { cpu: 5, gpu: 8, software: 2 };
const COLUMNS: usize = 100;
/// Of every trial.
const EPOCHS: u32 = 10;
/// Members whose first epoch is compared with the reference.
const COMPARED: usize = 4;

/// How large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealJob {
    /// Rows of the table.
    pub row_count: usize,
    /// Configurations.
    pub trials: usize,
    /// Folds of each.
    pub folds: usize,
}

impl RealJob {
    /// The table: the class is the sign of a network of random weights, so that there is something to learn.
    pub fn table(&self) -> String {
        const UNITS: usize = 8;
        let rows = workload::numbers(2, self.row_count * COLUMNS);
        let inner = workload::numbers(3, UNITS * COLUMNS);
        let outer = workload::numbers(4, UNITS);
        let class = |row: &[f32]| {
            let unit = |weights: &[f32]| row.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>().max(0.0);
            let score: f32 = inner.chunks_exact(COLUMNS).map(unit).zip(&outer).map(|(x, w)| x * w).sum();
            if score > 0.0 { "yes" } else { "no" }
        };
        let mut text = String::new();
        (0..COLUMNS).for_each(|column| {
            let _ = write!(text, "x{column},");
        });
        text.push_str("label\n");
        for row in rows.chunks_exact(COLUMNS) {
            row.iter().for_each(|x| {
                let _ = write!(text, "{x},");
            });
            text.push_str(class(row));
            text.push('\n');
        }
        text
    }

    /// The study file beside a table of this name. Patience is as long as the training: nothing stops early.
    pub fn study(&self, table: &str) -> String {
        let Self { trials, folds, .. } = self;
        format!(
            "[data]\npath = \"{table}\"\ntarget = \"label\"\nfolds = {folds}\n\n\
             [search]\nstrategy = \"random\"\ntrials = {trials}\nseed = {SEED}\n\n\
             [schedule]\nmax_epochs = {EPOCHS}\npatience = {EPOCHS}\n\n\
             [space]\n\
             width = {{ int = [64, 256], log = true }}\n\
             depth = {{ int = [2, 4] }}\n\
             learning_rate = {{ log_uniform = [1e-4, 1e-2] }}\n\
             l2_penalty = {{ log_uniform = [1e-6, 1e-3] }}\n\
             activation = \"relu\"\noptimizer = \"adam\"\nbatch_size = 256\n"
        )
    }

    /// Writes table and study into a folder, and reads the study back.
    pub fn write(&self, folder: &Path, bench: &Bench<'_>) -> Result<Plan> {
        let (table, study) = (format!("{REAL_JOB}.csv"), format!("{REAL_JOB}.toml"));
        super::export::create(folder)?;
        super::export::write(&folder.join(&table), self.table().as_bytes())?;
        super::export::write(&folder.join(&study), self.study(&table).as_bytes())?;
        Plan::from_study_file(&folder.join(study), &bench.overrides)
    }

    /// Epochs of each trial.
    pub fn epochs(&self) -> u32 {
        EPOCHS
    }

    /// The members of all its trials, all folds of each.
    pub fn members(&self, plan: &Plan) -> Result<Prepare> {
        Prepare::new(&mut plan.clone(), |_| self.trials)
    }
}

impl Bench<'_> {
    /// The real job at its size for the engine at hand.
    pub fn real_job_size(&self) -> Result<RealJob> {
        let engine = (self.open)(workload::ALL[0].job())?;
        let of = |counts: Counts| counts.of(engine.kind(), is_software(engine.as_ref()));
        let folds = of(FOLDS);
        let trials = self.settings.members.map_or(of(TRIALS), |members| members.div_ceil(folds));
        Ok(RealJob { row_count: 10_000, trials, folds })
    }

    /// Times the real job. The first round is also compared with the reference: the losses of the first epoch
    /// of some members; every other round must come to the same leaderboard.
    pub fn real_job(&self, job: &RealJob) -> Result<Record> {
        let RealJob { trials, folds, .. } = *job;
        (self.say)(&format!("{REAL_JOB}: {trials} configurations x {folds} folds, {EPOCHS} epochs each"));
        let temporary = tempfile::tempdir().map_err(|error| {
            Error::store(std::env::temp_dir().display(), format!("no temporary folder: {error}"))
                .advice("TMPDIR=<a folder with room>")
        })?;
        let plan = job.write(temporary.path(), self)?;
        let prepared = job.members(&plan)?;
        let mut engine = (self.open)(prepared.job.clone())?;
        let ceilings = self.ceilings_of(engine.as_mut())?;
        let (kind, device) = (engine.kind(), engine.device());
        drop(engine);
        let train_count = |fold: usize| prepared.job.dataset.folds[fold].train.len();
        let epochs = prepared.members.iter().map(|one| Work::epoch(one, train_count(one.fold), &ceilings));
        let work = epochs.fold(Work::default(), Work::and).times(EPOCHS.into());
        let mut laps = Vec::new();
        let mut first: Option<Round> = None;
        let mut worst = 0.0;
        for number in 0..self.settings.rounds {
            let round = self.round(&plan, &temporary.path().join(format!("run-{number}")))?;
            laps.push((round.time.as_secs_f64(), work));
            match &first {
                None => {
                    worst = compare(&prepared, &round)?;
                    first = Some(round);
                }
                Some(first) if first.values() != round.values() => {
                    let found = format!("round {} ends with another leaderboard than the first", number + 1);
                    return Err(Error::check(REAL_JOB, found).advice("manytune --gradcheck"));
                }
                Some(_) => {}
            }
        }
        Ok(Record {
            workload: REAL_JOB.to_owned(),
            engine: kind,
            device,
            members: prepared.members.len(),
            laps,
            ceilings,
            worst_difference: Some(worst),
            first_result: first.map_or(f64::NAN, |round| round.first_trial.as_secs_f64()),
            details: vec![
                ("configurations", trials.into()),
                ("folds", folds.into()),
                ("epochs", EPOCHS.into()),
                ("early_stopping", false.into()),
            ],
        })
    }

    /// One run of the study in a new folder, from its plan to its leaderboard.
    fn round(&self, plan: &Plan, folder: &Path) -> Result<Round> {
        let start = Instant::now();
        let mut watch = Watching { stopped: self.stopped, start, first_trial: None };
        let request =
            Request { plan: plan.clone(), folder: folder.to_path_buf(), memory: self.memory, agreed: false };
        match tune(request, &mut watch)? {
            Ending::Finished => {}
            _ => return Err(Error::interrupted("interrupted", "nothing was measured to its end")),
        }
        let mut board = Leaderboard::open(folder)?;
        std::hint::black_box(report::ALL[0].render(&board, Page::default()));
        let time = start.elapsed();
        board.trials.sort_by_key(|trial| trial.number);
        if let Some(other) = board.trials.iter().find(|trial| trial.state != State::Complete) {
            let found = format!("trial {} is {}, not complete", other.number, other.state.name());
            return Err(Error::check(REAL_JOB, found)
                .advice(other.failure.clone().unwrap_or_else(|| "manytune --gradcheck".to_owned())));
        }
        Ok(Round { time, first_trial: watch.first_trial.unwrap_or(time), trials: board.trials })
    }
}

/// A finished run: its trials by number.
struct Round {
    time: Duration,
    first_trial: Duration,
    trials: Vec<Trial>,
}

impl Round {
    /// Every trial's value, to the bit.
    fn values(&self) -> Vec<Option<u64>> {
        self.trials.iter().map(|trial| trial.score().map(|score| score.value.to_bits())).collect()
    }
}

/// Compares the first epoch of some members with the reference.
fn compare(prepared: &Prepare, round: &Round) -> Result<f64> {
    let is_whole = |trial: &Trial| trial.history.epoch_count() == EPOCHS;
    let folds = round.trials.iter().map(|trial| trial.history.fold_count()).sum::<usize>();
    if folds != prepared.members.len() || !round.trials.iter().all(is_whole) {
        return Err(Error::check(REAL_JOB, "not every trial was trained for all its epochs on every fold"));
    }
    let losses: Vec<f64> =
        round.trials.iter().flat_map(|trial| trial.history.at(1)).map(|fold| fold.train_loss).collect();
    // The lower half of the learning rates: at the upper end of the space training amplifies rounding.
    let mut rates: Vec<f64> = prepared.members.iter().map(|member| member.recipe.learning_rate).collect();
    rates.sort_by(f64::total_cmp);
    let calm = |&(_, member): &(usize, &Member)| member.recipe.learning_rate <= rates[(rates.len() - 1) / 2];
    let calm: Vec<(usize, &Member)> = prepared.members.iter().enumerate().filter(calm).collect();
    let members: Vec<_> = spread(calm.len(), COMPARED).into_iter().map(|place| calm[place]).collect();
    References::default().compare(REAL_JOB, &prepared.job, &members, &[losses])
}

/// Says nothing; notes when the first trial ends.
struct Watching<'a> {
    stopped: super::Stopped<'a>,
    start: Instant,
    first_trial: Option<Duration>,
}

impl Audience for Watching<'_> {
    fn note(&mut self, _: &str) {}
    fn explain(&mut self, _: &str) {}
    fn begin(&mut self, _: &'static dyn Metric, _: Option<&Trial>, _: u64, _: Option<u64>) {}
    fn event(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Finished(_)) {
            self.first_trial.get_or_insert(self.start.elapsed());
        }
    }
    fn stop(&self) -> Option<Stop> {
        (self.stopped)().then_some(Stop::Interrupted)
    }
}
