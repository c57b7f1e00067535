//! What a study came to, in the forms that people and scripts read: one file each.

mod csv;
mod json;
mod number;
mod table;

pub use number::{plain, significant};

use crate::error::Result;
use crate::model::metric::Metric;
use crate::study::store::{self, Header, Store};
use crate::trial::{self, Order, State, Trial};
use std::path::Path;

/// Every form of the leaderboard; the first is the default.
pub static ALL: &[&dyn Format] = &[&table::Table, &json::Json, &csv::Csv];

/// A form of the leaderboard.
pub trait Format: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;
    /// What it is for, on one line.
    fn summary(&self) -> &'static str;
    /// The leaderboard in this form, with a line break at its end.
    fn render(&self, board: &Leaderboard, page: Page) -> String;
}

/// How much of the leaderboard is shown, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// The first so many trials; `None`: all.
    pub top: Option<usize>,
    /// Characters of a line, on a terminal.
    pub width: Option<usize>,
}

/// All trials of a study, the best first.
pub struct Leaderboard {
    /// The study.
    pub header: Header,
    /// What was optimised.
    pub objective: &'static dyn Metric,
    /// By rank.
    pub trials: Vec<Trial>,
    order: Order,
}

impl Leaderboard {
    /// Reads the study in a folder, whether or not it is being worked on.
    pub fn open(folder: &Path) -> Result<Self> {
        let store = Store::read(folder)?;
        let mut board = Self::new(store.header()?, store.trials()?)?;
        if !store::is_running(folder) {
            // Its process was killed: what it says is running is not.
            let killed = board.trials.iter_mut().filter(|trial| trial.state == State::Running);
            killed.for_each(|trial| trial.state = State::Interrupted);
        }
        Ok(board)
    }

    /// Ranks the trials of a study.
    pub fn new(header: Header, mut trials: Vec<Trial>) -> Result<Self> {
        let (objective, order) = (header.objective()?, header.order()?);
        trials.sort_by(|a, b| trial::compare(order, a, b));
        Ok(Self { header, objective, trials, order })
    }

    /// The best complete trial.
    pub fn best(&self) -> Option<&Trial> {
        trial::best(self.order, &self.trials)
    }

    /// The trials of a page.
    fn shown(&self, page: Page) -> &[Trial] {
        &self.trials[..page.top.unwrap_or(usize::MAX).min(self.trials.len())]
    }
}
