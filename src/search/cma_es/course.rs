//! The course of a search by CMA-ES: which trials form which generation, what each generation changed, and when
//! to start again. A function of the results told so far, in the order of their numbers.

use super::model::Model;
use super::regime::Regime;
use crate::model::metric::Direction;
use crate::random::{Purpose, Stream, StreamReader};
use crate::search::Told;
use crate::search::frame::Frame;
use crate::search::normal;
use crate::search::sequence;
use crate::search::sobol::Sobol;
use crate::space::{Configuration, Space};
use std::cmp::Ordering;

/// Layers of the streams: of proposals and of what told configurations leave open, a stream per trial.
const PROPOSAL: usize = 18;
const LATENT: usize = 19;

/// What a course depends on beside results.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The study's seed.
    pub seed: u64,
    /// Which way is better.
    pub direction: Direction,
    /// Trials under way at most: what a generation is a multiple of.
    pub batch: u64,
    /// Trials that are enqueued: part of the first start.
    pub enqueued: u64,
    /// The first step as a share of each range.
    pub step: f64,
    /// Members of a generation before it is rounded up to whole batches.
    pub members: u64,
}

/// A search on its way.
pub struct Course {
    rules: Rules,
    frame: Frame,
    sobol: Sobol,
    regime: Regime,
    /// The first trial of the generation that is open.
    first: u64,
    /// `None` during a start, whose trials are spread evenly over the space.
    run: Option<Run>,
}

/// A run from a start to the next.
struct Run {
    model: Model,
    /// The best result since its start, the start included.
    best: Told,
    /// Generations that have passed without a better one.
    stale: u64,
}

impl Course {
    /// At its start.
    pub fn new(space: &Space, rules: Rules) -> Self {
        Self {
            rules,
            sobol: Sobol::new(sequence::free_dimensions(space).count(), rules.seed),
            frame: Frame::new(space),
            regime: Regime::first(rules.members, rules.step),
            first: 0,
            run: None,
        }
    }

    /// The space that is searched.
    pub fn space(&self) -> &Space {
        self.frame.space()
    }

    /// How many trials it has learned from: those of the generations that are complete.
    pub fn learned(&self) -> usize {
        self.first as usize
    }

    /// Takes in every generation that the results complete; those of trials 0, 1, …, without gaps, are given.
    /// Returns what was decided, a line each.
    pub fn learn(&mut self, told: &[Told]) -> Vec<String> {
        let mut decided = Vec::new();
        while let Some(generation) = told.get(self.first as usize..self.end() as usize) {
            self.first = self.end();
            decided.extend(self.close(generation));
        }
        decided
    }

    /// Configurations for a trial, the best first: the next where one is forbidden or was tried before.
    pub fn proposals(&self, number: u64) -> impl Iterator<Item = Configuration> + '_ {
        /// So many draws from the distribution before anything else that is allowed will do.
        const MOST_DRAWS: usize = 32;
        let mut generator = stream(self.rules.seed, PROPOSAL, number);
        let count = if self.run.is_some() { MOST_DRAWS } else { 1 };
        (0..count).map(move |_| match &self.run {
            Some(run) => run.model.draw(&self.frame, &mut generator),
            None => {
                let point = self.sobol.point(number.saturating_sub(self.rules.enqueued));
                self.space().decode(&sequence::spread(self.space(), &point))
            }
        })
    }

    /// Members of a generation: whole batches.
    fn generation(&self) -> u64 {
        self.regime.members.next_multiple_of(self.rules.batch)
    }

    /// The end of the open generation.
    pub fn end(&self) -> u64 {
        let enqueued = if self.first == 0 { self.rules.enqueued } else { 0 };
        let wanted = if self.run.is_some() { self.regime.members } else { 2 * self.regime.members };
        (self.first + enqueued + wanted).next_multiple_of(self.rules.batch)
    }

    /// Learns from a generation, and starts again where a run leads nowhere.
    fn close(&mut self, generation: &[Told]) -> Option<String> {
        let mut ranked: Vec<&Told> = generation.iter().collect();
        ranked.sort_by(|a, b| compare(self.rules.direction, a, b));
        // Hansen's window for a best value that stands still: 10 + ⌈30n/λ⌉ generations.
        let patience = 10 + (30 * self.frame.number_count() as u64).div_ceil(self.generation());
        let Some(run) = &mut self.run else {
            self.run = self.begin(&ranked);
            return None;
        };
        run.learn(&ranked, &self.rules, &self.frame);
        (run.model.is_spent(&self.frame) || run.stale > patience).then(|| self.restart())
    }

    /// The run that a start leads to; none where all of its trials diverged.
    fn begin(&self, ranked: &[&Told]) -> Option<Run> {
        // A small run is local: it begins at the best trial, not amid the better ones.
        let count = if self.regime.is_large { sound_count(ranked) } else { sound_count(ranked).min(1) };
        let members = ranked[..count].iter().map(|told| self.frame.member(&told.configuration));
        let members: Vec<_> = members.collect();
        let around = || Model::around(&members, self.regime.step, self.generation() as usize, &self.frame);
        (count > 0).then(|| Run { model: around(), best: ranked[0].clone(), stale: 0 })
    }

    fn restart(&mut self) -> String {
        self.run = None;
        let mut generator = stream(self.rules.seed, LATENT, u64::MAX - self.regime.restarts);
        let chance = (normal::uniform(&mut generator), normal::uniform(&mut generator));
        self.regime = self.regime.next(self.first, chance);
        let (last, size) = (self.first - 1, self.generation());
        format!("cma_es: no progress by trial {last}, it starts again elsewhere with generations of {size}")
    }
}

impl Run {
    /// Learns from a generation, the best first.
    fn learn(&mut self, ranked: &[&Told], rules: &Rules, frame: &Frame) {
        let (best, worst) = (ranked[0], ranked[ranked.len() - 1]);
        if compare(rules.direction, best, worst) == Ordering::Equal {
            self.model.widen();
        } else {
            let latent = |told: &Told| stream(rules.seed, LATENT, told.number);
            let member = |told: &&Told| (frame.member(&told.configuration), latent(told));
            self.model.learn(ranked.iter().map(member).collect(), sound_count(ranked), frame);
        }
        self.stale += 1;
        if compare(rules.direction, best, &self.best) == Ordering::Less {
            (self.best, self.stale) = (best.clone(), 0);
        }
    }
}

/// How many of some results, the best first, came to something.
fn sound_count(ranked: &[&Told]) -> usize {
    ranked.iter().filter(|told| value(told).is_some()).count()
}

/// Orders the better result first: what was stopped early behind what was not, what came to nothing last.
fn compare(direction: Direction, a: &Told, b: &Told) -> Ordering {
    let class = |told: &Told| match value(told) {
        Some(_) if !told.is_pruned => 0,
        Some(_) => 1,
        None => 2,
    };
    let values = || direction.compare(value(a).unwrap_or_default(), value(b).unwrap_or_default());
    class(a).cmp(&class(b)).then_with(values)
}

fn value(told: &Told) -> Option<f64> {
    told.value.filter(|value| !value.is_nan())
}

fn stream(seed: u64, layer: usize, number: u64) -> StreamReader {
    Stream::new(seed, Purpose::Search, layer, number as u32, (number >> 32) as u32).reader()
}
