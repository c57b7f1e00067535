//! The default: a Gaussian process while results are few, Parzen estimators once they are many.
//!
//! A Gaussian process finds more with fewer trials, at a cost that grows with their number; from some hundreds on
//! many trials are cheap, and what they cost to propose counts.

use super::starts::STARTUP;
use super::tpe::CANDIDATES;
use super::{Settings, Strategy, StrategyKind, Trials, Unguided, gp, tpe};
use crate::error::Result;
use crate::setting::Setting;
use crate::space::{Configuration, Space};

/// The name of the strategy that a study has where it does not say.
pub const NAME: &str = "auto";

const GP_TRIALS: Setting = Setting {
    name: "gp_trials",
    summary: "results up to which a Gaussian process proposes, and Parzen estimators from there on",
    default: 500.0,
    low: 0.0,
    high: 1e6,
    whole: true,
};

/// A Gaussian process, then Parzen estimators.
pub struct Auto;

impl StrategyKind for Auto {
    fn name(&self) -> &'static str {
        NAME
    }
    fn summary(&self) -> &'static str {
        "gp while results are few, then tpe: the default"
    }
    fn settings(&self) -> &'static [Setting] {
        &[GP_TRIALS, STARTUP, CANDIDATES]
    }
    fn notes(&self, _: &Space, settings: &Settings) -> Vec<String> {
        let startup = settings.chosen.count(&STARTUP);
        let most = settings.chosen.count(&GP_TRIALS);
        let few = match most > startup {
            true => format!(", then a Gaussian process (gp) up to {most} results"),
            false => String::new(),
        };
        vec![format!(
            "auto: {startup} trials spread evenly over the space{few}, then Parzen estimators (tpe)"
        )]
    }
    fn unguided(&self, _: &Space, settings: &Settings) -> Unguided {
        Unguided::EvenUntil(settings.chosen.count(&STARTUP))
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        let most = settings.chosen.count(&GP_TRIALS);
        Box::new(Parts {
            most,
            few: gp::Gp.create(settings),
            many: tpe::Tpe.create(settings),
            // Both start alike: where the first has no trial behind its starts, nothing changes.
            was_many: most <= settings.chosen.count(&STARTUP),
            remarks: Vec::new(),
        })
    }
}

/// Two strategies, of which the number of results takes one.
struct Parts {
    most: u64,
    few: Box<dyn Strategy>,
    many: Box<dyn Strategy>,
    was_many: bool,
    remarks: Vec<String>,
}

impl Strategy for Parts {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let are_many = trials.told.len() as u64 >= self.most;
        if are_many && !std::mem::replace(&mut self.was_many, are_many) {
            let told = trials.told.len();
            self.remarks.push(format!("tpe proposes from trial {first_number} on, behind {told} results"));
        }
        match are_many {
            true => self.many.ask(space, trials, first_number, count),
            false => self.few.ask(space, trials, first_number, count),
        }
    }

    fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}
