//! Bayesian optimisation by a Gaussian process.

mod acquisition;
mod candidates;
mod descent;
mod encoding;
mod fit;
mod kernel;
mod lanes;
mod linear;
mod panels;
mod surface;
mod targets;

use super::sequence;
use super::sobol::Sobol;
use super::{Distinct, Settings, Strategy, StrategyKind, Told, Trials};
use crate::error::Result;
use crate::random::{Purpose, Stream, StreamReader};
use crate::setting::Setting;
use crate::space::{Configuration, Space};
use candidates::{Climb, Start, around, best_apart};
use encoding::Encoding;
use fit::{Observations, Scales};
use panels::Panels;
use surface::{Candidates, Surface};

static STARTUP: Setting = Setting {
    name: "startup_trials",
    summary: "trials of a Sobol sequence before the first that learns",
    default: 10.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

fn var(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|m| m.parse().ok()).unwrap_or(default)
}

/// Bayesian optimisation by a Gaussian process.
pub struct Gp;

impl StrategyKind for Gp {
    fn name(&self) -> &'static str {
        "gp"
    }
    fn summary(&self) -> &'static str {
        "a Gaussian process of the results so far, batches by their expected improvement together"
    }
    fn size(&self, space: &Space, settings: &Settings) -> Option<u128> {
        super::random::Random.size(space, settings)
    }
    fn settings(&self) -> &'static [Setting] {
        std::slice::from_ref(&STARTUP)
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Process { settings: settings.clone(), known: None, fitted: None, distinct: None })
    }
}

struct Known {
    space: Space,
    encoding: Encoding,
    sobol: Sobol,
    size: Option<u128>,
}

struct Process {
    settings: Settings,
    known: Option<Known>,
    fitted: Option<(Vec<f64>, Scales)>,
    distinct: Option<Distinct>,
}

impl Strategy for Process {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        if self.known.as_ref().is_none_or(|known| known.space != *space) {
            let sobol = Sobol::new(sequence::free_dimensions(space).count(), self.settings.seed);
            let size = Gp.size(space, &self.settings);
            self.known = Some(Known { space: space.clone(), encoding: Encoding::new(space), sobol, size });
        }
        let known = self.known.as_ref().unwrap();
        if known.size.is_some_and(|size| u128::from(first_number) >= size) {
            return Ok(Vec::new());
        }
        let mut distinct = Distinct::before(self.distinct.take(), space, self.settings.seed, first_number);
        distinct.enqueue(&self.settings.enqueued);
        distinct.learn(trials, first_number);
        let valued = trials.told.iter().filter(|told| told.value.is_some()).count() as u64;
        let mut asked = Vec::new();
        if valued < var("GP_STARTUP", self.settings.chosen.count(&STARTUP) as f64) as u64 || known.encoding.coded.is_empty() {
            while asked.len() < count {
                let index = first_number + asked.len() as u64 - self.settings.enqueued.len() as u64;
                let point = sequence::spread(space, &known.sobol.point(index));
                let Some(next) = distinct.admit(space.decode(&point)) else { break };
                asked.push(next);
            }
        } else {
            let mut session = Session::new(known, &self.settings, trials, first_number, count);
            while asked.len() < count {
                let Some(next) = distinct.admit_first_of(session.proposals()) else { break };
                asked.push(next.clone());
                if asked.len() < count {
                    session.push(&next);
                }
            }
        }
        self.distinct = Some(distinct);
        Ok(asked)
    }
}

struct Session<'a> {
    known: &'a Known,
    surface: Surface,
    points: Vec<Vec<f64>>,
    candidates: Candidates,
    normals: Sobol,
    fantasies: usize,
}

fn generator(seed: u64, number: u64) -> StreamReader {
    Stream::new(seed, Purpose::Search, 7, number as u32, (number >> 32) as u32).reader()
}

impl<'a> Session<'a> {
    fn new(known: &'a Known, settings: &Settings, trials: Trials<'_>, number: u64, count: usize) -> Self {
        let encoding = &known.encoding;
        let chosen: Vec<&Told> = trials.told.iter().collect();
        let mut targets = targets::targets(trials.told, settings.direction);
        let mut points = Panels::zeros(chosen.len(), encoding.width);
        for (row, told) in chosen.iter().enumerate() {
            let own = encoding.columns_of(&told.configuration);
            own.iter().enumerate().for_each(|(column, x)| points.set(row, column, *x));
        }
        let mut observations = Observations { points, owners: encoding.owners(), targets: targets.clone() };
        let scales = if var("GP_WARP", 1.0) == 3.0 {
            let mut best: Option<(Scales, f64, Vec<f64>, f64)> = None;
            let mut from = None;
            for c in [f64::INFINITY, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01] {
                let (own, jac) = targets::warped(trials.told, settings.direction, c);
                observations.targets = own.clone();
                let (s, value) = fit::fit_from(&observations, from.as_ref());
                from = Some(s.clone());
                let better = best.as_ref().is_none_or(|b| value + jac > b.1);
                if better { best = Some((s, value + jac, own, c)); }
            }
            let best = best.unwrap();
            if var("GP_DEBUG", 0.0) > 0.0 { eprintln!("{number} c {}", best.3); }
            targets = best.2.clone();
            observations.targets = best.2;
            best.0
        } else { fit::fit(&observations) };
        if var("GP_DEBUG", 0.0) > 0.0 {
            eprintln!("{number} {scales:?}");
        }
        let pending = trials.pending.len();
        let fantasies = if pending + count > 1 { var("GP_FANTASIES", 64.0) as usize } else { 1 };
        let mut surface = Surface::new(&observations, scales, pending + count, fantasies);
        let normals = Sobol::new(pending + count, settings.seed ^ 0x9E37_79B9_7F4A_7C15);
        let z = |normals: &Sobol, index: usize| -> Vec<f64> {
            (0..fantasies).map(|f| targets::normal_quantile((normals.point(f as u64)[index]).max(1e-12))).collect()
        };
        for (index, asked) in trials.pending.iter().enumerate() {
            let columns = surface.stretched(&encoding.columns_of(&asked.configuration));
            surface.push(&columns, z(&normals, index));
        }
        let mut order: Vec<usize> = (0..chosen.len()).filter(|i| chosen[*i].value.is_some()).collect();
        order.sort_by(|one, other| targets[*other].total_cmp(&targets[*one]));
        let mut raw: Vec<Vec<f64>> = Vec::new();
        let total = var("GP_CANDIDATES", 2048.0) as u64;
        let local = (total as f64 * var("GP_LOCAL", 0.25)) as u64;
        for index in 0..total - local {
            raw.push(sequence::spread(&known.space, &known.sobol.point(2048 * (number + 1) + index)));
        }
        let mut stream = generator(settings.seed, number);
        let centers = var("GP_CENTERS", 4.0) as usize;
        for index in 0..local as usize {
            let center = encoding.point_of(&chosen[order[index % centers.min(order.len())]].configuration);
            raw.push(around(encoding, &center, &mut stream));
        }
        let columns: Vec<Vec<f64>> = raw
            .iter_mut()
            .map(|point| {
                let is_active = encoding.settle(point);
                surface.stretched(&encoding.columns(point, &is_active))
            })
            .collect();
        let candidates = Candidates::new(&surface, &columns, count);
        Self { known, surface, points: raw, candidates, normals, fantasies }
    }

    fn proposals(&self) -> Vec<Configuration> {
        let encoding = &self.known.encoding;
        let values = self.candidates.values(&self.surface);
        let starts = best_apart(&self.candidates, &values, var("GP_STARTS", 8.0) as usize, encoding.width);
        let best_raw = starts.first().copied();
        let mut starts: Vec<Start> = starts
            .into_iter()
            .map(|index| {
                let mut point = self.points[index].clone();
                let is_active = encoding.settle(&mut point);
                Start { point, is_active, value: values[index] }
            })
            .collect();
        let climb = Climb { encoding, surface: &self.surface, evaluations: var("GP_EVALS", 30.0) as usize };
        climb.along_slopes(&mut starts);
        if encoding.coded.iter().any(|coded| !coded.is_smooth()) {
            climb.settle(&mut starts);
            starts.sort_by(|one, other| other.value.total_cmp(&one.value));
            let mut few: Vec<Start> = starts.iter().take(4).cloned().collect();
            for _ in 0..3 {
                few.retain_mut(|start| climb.value_by_value(start));
                if few.is_empty() {
                    break;
                }
                climb.along_slopes(&mut few);
                climb.settle(&mut few);
                starts.extend(few.iter().cloned());
            }
        }
        let _ = best_raw;
        starts.sort_by(|one, other| other.value.total_cmp(&one.value));
        if var("GP_DEBUG", 0.0) > 1.0 {
            eprintln!("raw {} refined {}", values[best_raw.unwrap()], starts[0].value);
        }
        starts.iter().map(|start| encoding.configuration(&start.point)).collect()
    }

    fn push(&mut self, configuration: &Configuration) {
        let columns = self.surface.stretched(&self.known.encoding.columns_of(configuration));
        let index = self.surface.pending();
        let z = (0..self.fantasies)
            .map(|f| targets::normal_quantile((self.normals.point(f as u64)[index]).max(1e-12)))
            .collect();
        self.surface.push(&columns, z);
        self.candidates.update(&self.surface);
    }
}
