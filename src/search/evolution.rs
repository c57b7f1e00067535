//! Regularised evolution (Real et al., "Regularized evolution for image classifier architecture search", 2019):
//! a trial is the best of a random few of the latest trials, with one hyperparameter changed.
//!
//! Trials die of age, not of their values: the population is the latest trials that are told, so what was lucky
//! once does not stay. Departures: starts from a Sobol sequence; a changed number moves by a step whose size is
//! log-uniform between 1/2 and 1/512 of the range (as in the breeder genetic algorithm, Mühlenbein and
//! Schlierkamp-Voosen 1993), since the paper has choices alone.

use super::frame::{Frame, Member};
use super::starts::Starts;
use super::{Distinct, Settings, Strategy, StrategyKind, Told, Trials, Unguided, normal};
use crate::error::Result;
use crate::random::{Purpose, Stream, StreamReader};
use crate::setting::Setting;
use crate::space::{Configuration, Space};

const POPULATION_SIZE: Setting = Setting {
    name: "population_size",
    summary: "the latest trials, of which parents are taken; the first are a Sobol sequence",
    default: 20.0,
    low: 2.0,
    high: 1e6,
    whole: true,
};

const TOURNAMENT_SIZE: Setting = Setting {
    name: "tournament_size",
    summary: "trials drawn from the population, the best of which is the parent",
    default: 10.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

/// The layer of the streams of children, a stream per trial.
const LAYER: usize = 25;
/// Children of a trial that may have been proposed before, or that constraints may forbid.
const MOST_CHILDREN: usize = 32;
/// log₂ of the largest and of the smallest step, as a share of the range.
const STEPS: (f64, f64) = (-1.0, -9.0);

/// Regularised evolution.
pub struct Evolution;

impl StrategyKind for Evolution {
    fn name(&self) -> &'static str {
        "evolution"
    }
    fn summary(&self) -> &'static str {
        "regularised evolution: the best of a random few of the latest trials, with one change"
    }
    fn settings(&self) -> &'static [Setting] {
        &[POPULATION_SIZE, TOURNAMENT_SIZE]
    }
    fn notes(&self, _: &Space, settings: &Settings) -> Vec<String> {
        let population = settings.chosen.count(&POPULATION_SIZE);
        vec![format!(
            "evolution: {population} trials spread evenly over the space, then children of the latest"
        )]
    }
    fn unguided(&self, _: &Space, settings: &Settings) -> Unguided {
        Unguided::EvenUntil(settings.chosen.count(&POPULATION_SIZE))
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Lineage { settings: settings.clone(), known: None, proposed: None })
    }
}

/// A search by evolution.
struct Lineage {
    settings: Settings,
    /// The frame and the starts of the space last asked about.
    known: Option<(Frame, Starts)>,
    /// What was proposed so far.
    proposed: Option<Distinct>,
}

impl Strategy for Lineage {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let seed = self.settings.seed;
        let mut proposed = Distinct::before(self.proposed.take(), space, seed, first_number);
        proposed.learn(trials, first_number);
        let known = self.known.take().filter(|(frame, _)| frame.space() == space);
        let (frame, starts) =
            known.unwrap_or_else(|| (Frame::ordered(space), Starts::new(space, &self.settings)));
        let size = self.settings.chosen.count(&POPULATION_SIZE) as usize;
        let numbers = (first_number..).take(count);
        let found =
            numbers.map_while(|number| match trials.told.len() < size || frame.dimension_count() == 0 {
                true => proposed.admit(starts.configuration(space, number)),
                false => {
                    let mut generator = generator(seed, number);
                    let parent = self.parent(&trials.told[trials.told.len() - size..], &mut generator);
                    let parent = frame.member(&parent.configuration);
                    proposed
                        .admit_first_of((0..MOST_CHILDREN).map(|_| child(&frame, &parent, &mut generator)))
                }
            });
        let found = found.collect();
        self.proposed = Some(proposed);
        self.known = Some((frame, starts));
        Ok(found)
    }
}

impl Lineage {
    /// The best of a tournament, drawn with replacement. Trials without a value lose to any with one, and those
    /// that were pruned to any that were not.
    fn parent<'a>(&self, population: &'a [Told], generator: &mut StreamReader) -> &'a Told {
        let drawn = (0..self.settings.chosen.count(&TOURNAMENT_SIZE))
            .map(|_| (normal::uniform(generator) * population.len() as f64) as usize);
        let value = |told: &Told| told.value.unwrap_or(f64::NAN);
        let best = drawn.min_by(|&a, &b| {
            let (a, b) = (&population[a], &population[b]);
            (value(a).is_nan().cmp(&value(b).is_nan()))
                .then(a.is_pruned.cmp(&b.is_pruned))
                .then_with(|| self.settings.direction.compare(value(a), value(b)))
        });
        &population[best.unwrap_or(0)]
    }
}

/// A configuration with one of the parent's hyperparameters changed. What becomes active by that is drawn at
/// random.
fn child(frame: &Frame, parent: &Member, generator: &mut StreamReader) -> Configuration {
    let middle = |(low, high): (f64, f64)| 0.5 * (low + high);
    let mut point: Vec<f64> =
        parent.cells.iter().map(|cell| cell.map_or(normal::uniform(generator), middle)).collect();
    let mut values: Vec<usize> = (parent.values.iter().zip(frame.value_counts()))
        .map(|(value, count)| value.unwrap_or((normal::uniform(generator) * count as f64) as usize))
        .collect();
    let numbers = (0..point.len()).filter(|&number| parent.cells[number].is_some());
    let behind = point.len();
    // A choice of one value has no other.
    let choices = frame.value_counts().enumerate();
    let choices = choices.filter(|(choice, count)| *count > 1 && parent.values[*choice].is_some());
    let genes: Vec<usize> = numbers.chain(choices.map(|(choice, _)| behind + choice)).collect();
    let Some(&gene) = genes.get((normal::uniform(generator) * genes.len() as f64) as usize) else {
        return frame.configuration(&point, &values);
    };
    match gene.checked_sub(behind) {
        None => point[gene] = moved(frame, gene, point[gene], generator),
        Some(choice) => {
            let count = frame.value_counts().nth(choice).unwrap_or(1);
            let other = 1 + (normal::uniform(generator) * (count - 1) as f64) as usize;
            values[choice] = (values[choice] + other) % count;
        }
    }
    frame.configuration(&point, &values)
}

/// A place some step away, mirrored at 0 and 1; of a number with few values at least the next value.
fn moved(frame: &Frame, number: usize, place: f64, generator: &mut StreamReader) -> f64 {
    let (largest, smallest) = STEPS;
    let size = libm::exp2(largest + normal::uniform(generator) * (smallest - largest));
    let step = size * normal::draw(generator);
    let (low, high) = frame.cell(number, place);
    let least = 0.5 * (high - low) * 1.01;
    let step = if step < 0.0 { step.min(-least) } else { step.max(least) };
    let target = place + step;
    let mirrored = if target < 0.0 {
        -target
    } else if target > 1.0 {
        2.0 - target
    } else {
        target
    };
    // At an end, the mirrored place of the least step is the same value again: then the other way.
    if (low..high).contains(&mirrored) { (place - step).clamp(0.0, 1.0) } else { mirrored.clamp(0.0, 1.0) }
}

fn generator(seed: u64, number: u64) -> StreamReader {
    Stream::new(seed, Purpose::Search, LAYER, number as u32, (number >> 32) as u32).reader()
}
