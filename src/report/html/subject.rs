//! What the pages of a report are made from: a study or search as stored, and its data where they are at hand.

use crate::data::{Prepared, Table};
use crate::diagnosis::Examined;
use crate::diagnosis::study::{self as results, Record, verdict};
use crate::engine::{Engine, Job};
use crate::error::{Error, Result};
use crate::model::hyperparameter::SVM;
use crate::report::Leaderboard;
use crate::space::Space;
use crate::study::external::{self, Ledger};
use crate::study::folder;
use crate::study::outside::Outside;
use crate::study::plan::Plan;
use crate::study::same::{data_of, plan_of};
use crate::study::schema::Content;
use crate::study::store::{Header, Store};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Opens an engine for a plan, where the doctor is to train small models.
pub type Checks<'a> = &'a dyn Fn(&Plan, Job) -> Result<Box<dyn Engine>>;

/// A study, or a search of another program's objective.
pub struct Subject<'a> {
    /// Where it is.
    pub folder: PathBuf,
    /// Its trials, ranked.
    pub board: Leaderboard,
    /// Whether a process is working on it.
    pub is_running: bool,
    /// What is searched; empty where the stored plan cannot be read.
    pub space: Space,
    /// What a study has beyond its trials; `None` for a search.
    pub stored: Option<Stored>,
    /// What a search was told on the way of its trials: by number, (step, value).
    pub intermediates: BTreeMap<u64, Vec<(u64, f64)>>,
    /// How the doctor's small trainings get an engine; `None`: they are left out.
    pub checks: Option<Checks<'a>>,
    /// What is odd of the study's files.
    remarks: RefCell<Vec<String>>,
    outside: OnceCell<Result<Outside>>,
    data: OnceCell<Result<(Table, Prepared)>>,
    results: OnceCell<Result<Results>>,
}

/// What the doctor says of a study's results.
pub struct Results {
    /// Of the study as a whole.
    pub examined: Vec<Examined>,
    /// Of each trial, by number: the name of its verdict, and what was seen.
    pub verdicts: BTreeMap<u64, (&'static str, String)>,
}

/// A study as stored.
pub struct Stored {
    /// What belongs to it as a whole.
    pub header: Header,
    /// What it was to do.
    pub plan: Result<Plan>,
    /// What the engine chose on its device.
    pub choices: Vec<(String, String)>,
}

impl<'a> Subject<'a> {
    /// Reads the study or search in a folder, whether or not it is being worked on.
    pub fn open(folder: &Path, checks: Option<Checks<'a>>) -> Result<Self> {
        let content = folder::content(folder)?;
        let (mut stored, mut intermediates) = (None, BTreeMap::new());
        let space = match content {
            Content::Study => {
                let store = Store::read(folder)?;
                let header = store.header()?;
                let plan = plan_of(&header);
                let space = plan.as_ref().ok().and_then(|plan| plan.space.clone());
                stored = Some(Stored { header, plan, choices: store.choices()? });
                space.unwrap_or_default()
            }
            Content::Search => {
                let ledger = Ledger::read(folder)?;
                intermediates = ledger.intermediates()?;
                external::run::stored_plan(&ledger)?.space
            }
        };
        Ok(Self {
            folder: folder.to_owned(),
            board: Leaderboard::open(folder)?,
            is_running: folder::is_running(folder),
            space,
            stored,
            intermediates,
            checks,
            remarks: RefCell::default(),
            outside: OnceCell::new(),
            data: OnceCell::new(),
            results: OnceCell::new(),
        })
    }

    /// The plan of a study, where it can be read.
    pub fn plan(&self) -> Option<&Plan> {
        self.stored.as_ref().and_then(|stored| stored.plan.as_ref().ok())
    }

    /// Whether it searches kernel machines, which have no epochs.
    pub fn is_of_machines(&self) -> bool {
        !self.board.solvers.is_empty() || self.plan().is_some_and(|plan| plan.model == SVM)
    }

    /// What the best trial's models say of rows that they were not trained on; an error says why nothing.
    pub fn outside(&self) -> Result<&Outside, &Error> {
        let read =
            || Outside::of_study(&self.folder, &mut |line| self.remarks.borrow_mut().push(line.to_owned()));
        self.outside.get_or_init(read).as_ref()
    }

    /// The study's data as they were; an error says why they are not there.
    pub fn data(&self) -> Result<(&Table, &Prepared), Error> {
        if let Ok(outside) = self.outside() {
            return Ok((&outside.table, &outside.prepared));
        }
        let read = || {
            let Some(Stored { header, plan, .. }) = &self.stored else {
                return Err(Error::store(self.folder.display(), "a search has no data"));
            };
            let plan = plan.as_ref().map_err(Error::clone)?;
            data_of(&self.folder, header, plan, "put the file back as it was, then run the report again")
        };
        match self.data.get_or_init(read) {
            Ok((table, prepared)) => Ok((table, prepared)),
            Err(error) => Err(error.clone()),
        }
    }

    /// What the doctor says of the study's results, which need no data, though it sees more with them.
    pub fn results(&self) -> Result<&Results, &Error> {
        let read = || {
            let dataset = self.data().ok().map(|(_, prepared)| &prepared.dataset);
            let record = Record::open(&self.folder, dataset)?;
            let judged = verdict::judge(&record).into_iter();
            Ok(Results {
                examined: results::examine(results::ALL, &record)?,
                verdicts: judged.map(|one| (one.trial.number, (one.verdict, one.opinion.seen))).collect(),
            })
        };
        self.results.get_or_init(read).as_ref()
    }

    /// What was found odd of the study's files on the way.
    pub fn remarks(&self) -> Vec<String> {
        self.remarks.borrow().clone()
    }
}
