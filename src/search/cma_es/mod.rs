//! CMA-ES (Hansen 2016): a normal distribution that moves, widens and turns towards what did better, generation
//! by generation.

mod course;
mod frequencies;
mod gaussian;
mod margin;
mod model;
mod rates;
mod regime;

use super::{Distinct, Settings, Strategy, StrategyKind, Told, Trials, Unguided};
use crate::error::Result;
use crate::setting::Setting;
use crate::space::{Configuration, Space};
use course::{Course, Rules};

/// CMA-ES.
pub struct CmaEs;

const INITIAL_STEP: Setting = Setting {
    name: "initial_step",
    summary: "the standard deviation that a run starts with, as a share of each range",
    default: 0.1,
    low: 0.001,
    high: 1.0,
    whole: false,
};

const GENERATION_SIZE: Setting = Setting {
    name: "generation_size",
    summary: "trials of a generation, rounded up to whole batches; 0 for 4 + 1.5 ln(hyperparameters)",
    default: 0.0,
    low: 0.0,
    high: 1_000_000.0,
    whole: true,
};

impl StrategyKind for CmaEs {
    fn name(&self) -> &'static str {
        "cma_es"
    }
    fn summary(&self) -> &'static str {
        "a normal distribution that follows what did better; for numbers, and many trials"
    }
    fn settings(&self) -> &'static [Setting] {
        &[INITIAL_STEP, GENERATION_SIZE]
    }
    fn notes(&self, space: &Space, settings: &Settings) -> Vec<String> {
        let rules = rules(space, settings);
        let size = rules.members.next_multiple_of(rules.batch);
        let start = (2 * rules.members).next_multiple_of(rules.batch);
        vec![format!("cma_es: generations of {size} trials, behind {start} spread evenly over the space")]
    }
    fn unguided(&self, space: &Space, settings: &Settings) -> Unguided {
        Unguided::EvenUntil(Course::new(space, rules(space, settings)).end())
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Search { settings: settings.clone(), known: None, proposed: None, decided: Vec::new() })
    }
}

fn rules(space: &Space, settings: &Settings) -> Rules {
    /// A generation needs a better half and a worse one.
    const LEAST: u64 = 4;
    let count = super::sequence::free_dimensions(space).count().max(1);
    // Half of the tutorial's logarithm: a search of a hundred trials gains more from a generation more, and runs
    // of larger populations follow where it stops.
    let usual = LEAST + (1.5 * libm::log(count as f64)) as u64;
    let size = settings.chosen.count(&GENERATION_SIZE);
    Rules {
        seed: settings.seed,
        direction: settings.direction,
        batch: settings.batch.max(1),
        enqueued: settings.enqueued.len() as u64,
        step: settings.chosen.value(&INITIAL_STEP),
        members: if size == 0 { usual } else { size.max(LEAST) },
    }
}

/// A search by CMA-ES.
///
/// Generation g consists of trials in the order of their numbers. A trial is drawn from the distribution that the
/// complete generations before it have left; one that is asked for early is drawn from an older one, and learned
/// from all the same.
struct Search {
    settings: Settings,
    /// What was learned so far, and the results that it was learned from.
    known: Option<(Course, Vec<Told>)>,
    /// What was proposed so far.
    proposed: Option<Distinct>,
    decided: Vec<String>,
}

impl Search {
    /// The course after these results, those of trials 0, 1, … without gaps; what it knows is not learned again.
    fn course(&mut self, space: &Space, told: &[Told]) -> &Course {
        let known = self.known.take().filter(|(course, learned)| {
            course.space() == space && told.get(..learned.len()) == Some(learned.as_slice())
        });
        let is_new = known.is_none();
        let (mut course, mut learned) =
            known.unwrap_or_else(|| (Course::new(space, rules(space, &self.settings)), Vec::new()));
        let decided = course.learn(told);
        // What a study that goes on had decided before is no news.
        self.decided.extend(if is_new { Vec::new() } else { decided });
        learned.extend_from_slice(&told[learned.len()..course.learned()]);
        &self.known.insert((course, learned)).0
    }
}

impl Strategy for Search {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let mut proposed = Distinct::before(self.proposed.take(), space, self.settings.seed, first_number);
        proposed.learn(trials, first_number);
        let without_gap =
            trials.told.iter().zip(0..).take_while(|(told, number)| told.number == *number).count();
        let course = self.course(space, &trials.told[..without_gap]);
        let numbers = (first_number..).take(count);
        let found = numbers.map_while(|number| proposed.admit_first_of(course.proposals(number))).collect();
        self.proposed = Some(proposed);
        Ok(found)
    }

    fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.decided)
    }
}
