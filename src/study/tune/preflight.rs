//! What a study says of itself and what it refuses, before it runs.

use super::{Audience, Study};
use crate::error::{Error, Result};
use crate::model::hyperparameter::SVM;
use crate::schedule::{self, ScheduleKind};
use crate::setting::Chosen;
use crate::space::Configuration;
use crate::study::idle;
use crate::study::inside::Histograms;

/// More trials of a grid than this are run only when they were agreed to.
const MOST_UNASKED: u128 = 100_000;

impl Study {
    /// Refuses a strategy that waits for all results of a pass beside a schedule that lets trials wait for
    /// later ones.
    pub(super) fn refuse_two_waiting(&self) -> Result<()> {
        // Of any schedule its own settings are out of place here: the defaults do.
        let settings = schedule::Settings { chosen: Chosen::none(), ..self.schedule_settings() };
        let decides_alone = |kind: &dyn ScheduleKind| kind.create(&settings).cohort(0) == (0..1);
        if !self.strategy.waits(&self.plan.strategy_settings) || decides_alone(self.schedule) {
            return Ok(());
        }
        let alone = schedule::ALL.iter().filter(|kind| decides_alone(**kind)).map(|kind| kind.name());
        let (strategy, schedule) = (self.strategy.name(), self.schedule.name());
        let found = format!(
            "{schedule} beside a {strategy} in passes: trials of {schedule} wait for later ones, which the pass \
             after theirs may hold"
        );
        let error = Error::usage("schedule.kind", found)
            .allowed(format!("one of {}", alone.collect::<Vec<_>>().join(", ")))
            .advice(format!("another schedule.kind, or the {strategy} without `refine`"));
        Err(self.plan.locate(error))
    }

    pub(super) fn describe(&self, audience: &mut dyn Audience) {
        let (dataset, plan) = (&self.dataset, &self.plan);
        let folds = match dataset.folds.len() {
            1 => "1 hold-out split".to_owned(),
            count => format!("{count} folds"),
        };
        let task = match self.encoder.class_names().len() {
            0 => "a number".to_owned(),
            count => format!("one of {count} classes"),
        };
        let target = self.encoder.target_name();
        audience.explain(&format!(
            "data: {} rows, {} features after encoding, {folds}; predicts {target}, {task}",
            dataset.row_count(),
            dataset.feature_count
        ));
        let trials = self.trial_count.map_or("any number of".to_owned(), |count| count.to_string());
        let at_once = match plan.batch {
            Some(batch) => format!(", at most {batch} at a time"),
            None => String::new(),
        };
        audience.explain(&format!(
            "search: {} of {trials} trials{at_once}, seed {}; {} {}, at most {} epochs, patience {}",
            self.strategy.name(),
            plan.seed,
            self.objective.direction().name(),
            self.objective.name(),
            plan.max_epochs,
            plan.patience
        ));
        if self.space.is_fixed() {
            audience
                .note("nothing to search: every hyperparameter has a single value, which makes one trial");
        }
        let histograms = plan.histograms.unwrap_or_default();
        match (plan.model == SVM, plan.histograms) {
            (true, Some(asked)) if asked != Histograms::None => {
                audience.note("histograms: a kernel machine has no layers to look into");
            }
            (true, _) => {}
            (false, _) => audience.explain(&format!(
                "inside: histograms {histograms}; looked into before training, after 1, 2, 4, … epochs and at the end"
            )),
        }
        self.strategy.notes(&self.space, &self.search_settings()).iter().for_each(|note| audience.note(note));
        self.schedule.notes(&self.schedule_settings()).iter().for_each(|note| audience.note(note));
        let build = |configuration: &Configuration| self.build(configuration);
        idle::notes(&self.space, dataset.task, &build).iter().for_each(|note| audience.note(note));
        audience.explain("the study as run:");
        plan.source.lines().for_each(|line| audience.explain(&format!("  {line}")));
    }

    /// A grid says how large it is before it runs; one that is very large runs only when agreed to.
    pub(super) fn refuse_large_grid(&self, agreed: bool) -> Result<()> {
        let Some(size) = self.strategy.size(&self.space, &self.search_settings()) else { return Ok(()) };
        let runs = self.plan.trials.map_or(size, |trials| size.min(trials.into()));
        if runs <= MOST_UNASKED || agreed {
            return Ok(());
        }
        let found = format!("{} of {}", self.strategy.name(), cells(size));
        Err(Error::usage("search.strategy", found)
            .allowed(format!("more than {MOST_UNASKED} trials only with --yes"))
            .advice("--yes to run them all, --trials to run the first of them, or --strategy random"))
    }
}

fn cells(size: u128) -> String {
    match size {
        1 => "1 cell".to_owned(),
        u128::MAX => "more cells than can be counted".to_owned(),
        size => format!("{size} cells"),
    }
}
