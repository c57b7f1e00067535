//! Progress on standard error: one line that renews itself on a terminal, else a line now and then.

use super::{interrupt, output};
use crate::data::{Prepared, Table};
use crate::diagnosis::{self, Finding, Patient, Severity};
use crate::error::Error;
use crate::model::metric::Metric;
use crate::report::significant;
use crate::study::plan::Plan;
use crate::study::run::{Event, Stop};
use crate::study::tune::Audience;
use crate::trial::Trial;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Numbers of a table up to which its data are examined before training: well under a second.
const MOST_NUMBERS: usize = 5_000_000;

/// The user at the terminal, or a log.
pub struct Progress {
    explains: bool,
    is_quiet: bool,
    deadline: Option<Instant>,
    bar: Option<ProgressBar>,
    objective: &'static str,
    /// Trials that had ended before this run, and in it.
    before: u64,
    done: u64,
    total: Option<u64>,
    best: Option<f64>,
    running: usize,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// Nothing has begun yet; the run is to stop after so much time.
    pub fn new(is_quiet: bool, explains: bool, time_limit: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            explains,
            is_quiet,
            deadline: time_limit.and_then(|limit| now.checked_add(limit)),
            bar: None,
            objective: "",
            before: 0,
            done: 0,
            total: None,
            best: None,
            running: 0,
            began: now,
            told: now,
        }
    }

    /// Takes the line off the terminal: training has ended.
    pub fn end(&mut self, is_finished: bool) {
        if is_finished {
            // There may be fewer than there might have been.
            self.total = self.total.map(|_| self.before + self.done);
        }
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        } else if self.done > 0 && !self.is_quiet {
            output::note(&self.line());
        }
    }

    /// `37 of 100 trials`.
    pub fn trials(&self) -> String {
        let ended = self.before + self.done;
        self.total.map_or(format!("{ended} trials"), |total| format!("{ended} of {total} trials"))
    }

    /// Trials done, best so far, configurations per second, time left: what is known of them.
    fn line(&self) -> String {
        let mut parts = vec![self.trials()];
        if let Some(best) = self.best {
            parts.push(format!("best {} {}", self.objective, significant(best, 4)));
        }
        let seconds = self.began.elapsed().as_secs_f64();
        if self.done > 0 && seconds > 0.0 {
            let rate = self.done as f64 / seconds;
            parts.push(format!("{} configs/s", significant(rate, 2)));
            parts.extend(self.left(rate));
        } else if self.running > 0 {
            parts.push(format!("{} in training", self.running));
        }
        parts.join(", ")
    }

    /// How long it will take; at the end, how long it took.
    fn left(&self, rate: f64) -> Option<String> {
        match self.total?.saturating_sub(self.before + self.done) {
            0 => Some(format!("in {}", span(self.began.elapsed().as_secs_f64()))),
            left => Some(format!("{} left", span(left as f64 / rate))),
        }
    }

    fn show(&mut self, running: usize) {
        self.running = running;
        if let Some(bar) = &self.bar {
            bar.set_message(self.line());
            bar.set_position(self.before + self.done);
        } else if !self.is_quiet && self.told.elapsed() >= LINE_INTERVAL {
            self.told = Instant::now();
            output::note(&self.line());
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(line)),
            None => output::note(line),
        }
    }
}

impl Audience for Progress {
    fn note(&mut self, line: &str) {
        if !self.is_quiet {
            self.say(line);
        }
    }

    /// What is wrong with the data, in brief: warnings and errors.
    fn loaded(&mut self, plan: &Plan, table: &Table, prepared: &Prepared) {
        let numbers = prepared.dataset.features.len();
        if self.is_quiet || numbers > MOST_NUMBERS {
            return;
        }
        let none = |_| Err(Error::device("doctor", "nothing is trained here"));
        let patient = Patient::new(plan, table, prepared, &none);
        // What cannot be examined is no reason not to train.
        let examined = diagnosis::examine(diagnosis::data::ALL, &patient).unwrap_or_default();
        let findings: Vec<Finding> = examined.into_iter().flat_map(|one| one.findings).collect();
        let mut is_any = false;
        for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
            let Finding { name, severity, place, seen, .. } = finding;
            self.say(&format!("{} ({name}): {place}: {seen}", severity.name()));
            is_any = true;
        }
        if is_any {
            self.say("  what to do about it: manytune doctor");
        }
    }

    fn explain(&mut self, line: &str) {
        if self.explains {
            self.say(line);
        }
    }

    fn begin(&mut self, objective: &'static dyn Metric, best: Option<&Trial>, done: u64, of: Option<u64>) {
        (self.objective, self.before, self.total) = (objective.name(), done, of);
        self.best = best.and_then(Trial::score).map(|score| score.value);
        (self.began, self.told) = (Instant::now(), Instant::now());
        if done > 0 {
            self.note(&format!("going on from {}", self.trials()));
        }
        if self.is_quiet || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::with_draw_target(of, ProgressDrawTarget::stderr());
        let template = if of.is_some() { "[{bar:12}] {wide_msg}" } else { "{spinner} {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_position(done);
        bar.set_message(self.line());
        self.bar = Some(bar);
    }

    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Finished(_) => self.done += 1,
            Event::Best(trial, _) => self.best = trial.score().map(|score| score.value),
            Event::Remark(line) => self.note(line),
            Event::Advanced { running } => self.show(*running),
        }
    }

    fn stop(&self) -> Option<Stop> {
        if interrupt::is_asked() {
            return Some(Stop::Interrupted);
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Stop::TimeLimit)
    }
}

/// A time for people: `48 s`, `3 min 20 s`, `2 h 5 min`.
fn span(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
