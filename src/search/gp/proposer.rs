//! What a batch is proposed from: the surface behind the trials so far, and the pool of points.

use super::climb::{Climb, Place};
use super::encoding::Encoding;
use super::fit::{Observations, Scales, fit};
use super::panels::Panels;
use super::pool::{Pool, around};
use super::surface::Surface;
use super::warp::{Warp, value_of};
use crate::model::metric::Direction;
use crate::random::{Purpose, Stream};
use crate::search::sobol::Sobol;
use crate::search::starts::Starts;
use crate::search::{Distinct, Settings, Told, Trials, normal};
use crate::space::Configuration;

/// Points of the pool that are spread over the space: a whole net of the Sobol sequence would be 2,048.
const SPREAD: u64 = 1536;
/// Points of the pool around the best trials, and how many of those.
const AROUND: usize = 512;
const CENTERS: usize = 4;
/// Points of the pool that are climbed from.
const STARTS: usize = 8;
/// Fantasies of the values of trials under way.
const FANTASIES: u64 = 64;
/// Observations of a surface; of more trials the better half of so many and an even selection of the rest.
const MOST_OBSERVED: usize = 512;
/// The same of a fit.
const MOST_FITTED: usize = 192;
/// The layer of the streams of points around the best trials, a stream per first number of an ask.
const LAYER: usize = 40;
/// The fantasies' Sobol sequence is not that of the points.
const NORMALS: u64 = 0x9E37_79B9_7F4A_7C15;

/// Scales and warp, and what they were fitted to.
pub(super) struct Fitted {
    told: Vec<Told>,
    scales: Scales,
    warp: Warp,
}

/// Proposes one trial after the other.
pub(super) struct Proposer<'a> {
    encoding: &'a Encoding,
    surface: Surface,
    places: Vec<Place>,
    pool: Pool,
    /// (fantasy, trial under way) a number in [0, 1).
    normals: Vec<Vec<f64>>,
}

impl<'a> Proposer<'a> {
    /// Behind these trials, for at most `count` proposals from trial `number` on.
    pub(super) fn new(
        encoding: &'a Encoding,
        starts: &Starts,
        settings: &Settings,
        fitted: &mut Option<Fitted>,
        (trials, number, count): (Trials<'_>, u64, usize),
        distinct: &Distinct,
    ) -> Self {
        let fitted = refitted(fitted, encoding, trials.told, settings.direction);
        let told = selected(trials.told, settings.direction, MOST_OBSERVED);
        let observations = Observations {
            points: points_of(encoding, &told),
            owners: encoding.owners(),
            targets: fitted.warp.targets(&told),
        };
        let room = trials.pending.len() + count;
        let mut surface = Surface::new(&observations, fitted.scales.clone(), room);
        let normals = Sobol::new(room, settings.seed ^ NORMALS);
        let normals: Vec<Vec<f64>> = (0..FANTASIES).map(|f| normals.point(f)).collect();
        for asked in trials.pending {
            push(encoding, &mut surface, &normals, &asked.configuration);
        }
        let mut places: Vec<Place> = match &encoding.whole {
            Some(all) => all.iter().map(|own| place_at(encoding, encoding.point_of(own))).collect(),
            None => pool_places(encoding, starts, settings.seed, number, &told, &observations.targets),
        };
        places.retain(|place| is_welcome(encoding, distinct, place));
        let columns: Vec<Vec<f64>> = places
            .iter()
            .map(|place| surface.stretched(&encoding.columns(&place.point, &place.is_active)))
            .collect();
        let pool = Pool::new(&surface, &columns, count);
        Self { encoding, surface, places, pool, normals }
    }

    /// Configurations for the next trial, the best first.
    pub(super) fn proposals(&mut self) -> impl Iterator<Item = Configuration> + use<'a> {
        let values = self.pool.values(&self.surface);
        self.places.iter_mut().zip(values.iter()).for_each(|(place, value)| place.value = *value);
        let mut tops = match self.encoding.whole.is_some() {
            true => self.places.clone(),
            false => self.tops(&values),
        };
        tops.sort_by(|one, other| other.value.total_cmp(&one.value));
        let encoding = self.encoding;
        tops.into_iter().map(move |place| encoding.configuration(&place.point))
    }

    /// Where climbs from the best of the pool start and end.
    fn tops(&self, values: &[f64]) -> Vec<Place> {
        let starts = self.pool.best_apart(values, STARTS).into_iter();
        let starts: Vec<Place> = starts.map(|index| self.places[index].clone()).collect();
        let climb = Climb { encoding: self.encoding, surface: &self.surface };
        let mut tops = climb.tops(starts.clone());
        tops.extend(starts);
        tops
    }

    /// Takes in what is proposed for a trial: the next are chosen beside it.
    pub(super) fn push(&mut self, configuration: &Configuration) {
        push(self.encoding, &mut self.surface, &self.normals, configuration);
        self.pool.update(&self.surface);
    }
}

/// Adds a trial under way, with quasi-Monte-Carlo normal numbers: coordinate j of the points of a Sobol sequence.
fn push(encoding: &Encoding, surface: &mut Surface, normals: &[Vec<f64>], configuration: &Configuration) {
    let columns = surface.stretched(&encoding.columns_of(configuration));
    let own = surface.pending();
    // Half a unit of the 53rd binary place keeps 0 away.
    let normal = |point: &Vec<f64>| normal::upper_quantile(point[own] + 2_f64.powi(-54));
    surface.push(&columns, normals.iter().map(normal).collect());
}

/// Whether a point of a pool may be proposed; where a space is endless and free, all may.
fn is_welcome(encoding: &Encoding, distinct: &Distinct, place: &Place) -> bool {
    let is_free = encoding.space().constraints.is_empty() && !distinct.is_finite();
    is_free || distinct.is_free(&encoding.configuration(&place.point))
}

fn place_at(encoding: &Encoding, mut point: Vec<f64>) -> Place {
    let is_active = encoding.settle(&mut point);
    Place { point, is_active, value: f64::NEG_INFINITY }
}

/// The pool's points, settled: spread over the space, and around the best trials.
fn pool_places(
    encoding: &Encoding,
    starts: &Starts,
    seed: u64,
    number: u64,
    told: &[&Told],
    targets: &[f64],
) -> Vec<Place> {
    let mut order: Vec<usize> = (0..told.len()).filter(|index| value_of(told[*index]).is_some()).collect();
    order.sort_by(|one, other| targets[*other].total_cmp(&targets[*one]).then(one.cmp(other)));
    let centers: Vec<Vec<f64>> =
        order.iter().take(CENTERS).map(|index| encoding.point_of(&told[*index].configuration)).collect();
    let mut stream = Stream::new(seed, Purpose::Search, LAYER, number as u32, (number >> 32) as u32).reader();
    // Point n of the sequence is that of trial n: other points for every ask.
    let first = number.wrapping_add(1).wrapping_mul(2048);
    let even = (0..SPREAD).map(|i| starts.point(encoding.space(), first.wrapping_add(i)));
    let near = centers.iter().cycle().take(if centers.is_empty() { 0 } else { AROUND });
    let mut points: Vec<Vec<f64>> = even.collect();
    points.extend(near.map(|center| around(encoding, center, &mut stream)));
    points.into_iter().map(|point| place_at(encoding, point)).collect()
}

/// Scales and warp of the first trials told: of all up to 128, then anew with every 32nd, and every 64th from 512 on.
fn refitted<'a>(
    known: &'a mut Option<Fitted>,
    encoding: &Encoding,
    told: &[Told],
    direction: Direction,
) -> &'a Fitted {
    let gap = [(512, 64), (128, 32), (0, 1)].into_iter().find(|(from, _)| told.len() >= *from);
    let first = told.len() - told.len() % gap.map_or(1, |(_, gap)| gap);
    let told = selected(&told[..first], direction, MOST_FITTED);
    let kept = known.take().filter(|known| known.told.iter().eq(told.iter().copied()));
    known.insert(kept.unwrap_or_else(|| {
        let (scales, warp) = fit(&told, &points_of(encoding, &told), &encoding.owners(), direction);
        Fitted { told: told.into_iter().cloned().collect(), scales, warp }
    }))
}

/// All trials, or of more than so many the better half of that number, and as many evenly among the rest; in the order
/// of their numbers.
fn selected(told: &[Told], direction: Direction, most: usize) -> Vec<&Told> {
    if told.len() <= most {
        return told.iter().collect();
    }
    let mut order: Vec<usize> = (0..told.len()).collect();
    let value = |index: &usize| value_of(&told[*index]).unwrap_or(f64::NAN);
    order.sort_by(|one, other| direction.compare(value(one), value(other)).then(one.cmp(other)));
    let mut rest = order.split_off(most / 2);
    rest.sort_unstable();
    let wanted = most - order.len();
    order.extend((0..wanted).map(|i| rest[i * rest.len() / wanted]));
    order.sort_unstable();
    order.into_iter().map(|index| &told[index]).collect()
}

fn points_of(encoding: &Encoding, told: &[&Told]) -> Panels {
    let mut points = Panels::zeros(told.len(), encoding.width);
    for (row, told) in told.iter().enumerate() {
        let columns = encoding.columns_of(&told.configuration);
        columns.iter().enumerate().for_each(|(column, x)| points.set(row, column, *x));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{Dimension, Domain, Space, Value};

    fn encoding() -> Encoding {
        let unit = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };
        Encoding::new(&Space::new(vec![Dimension::new("x", unit)]).unwrap())
    }

    /// Trials at the multiples of the golden ratio, of which every seventh failed.
    fn trials(count: u64) -> Vec<Told> {
        let told = |number: u64| {
            let x = (number as f64 * 0.618_033_988_749_895).fract();
            Told {
                number,
                configuration: Configuration::from([("x".into(), Value::Float(x))]),
                value: (number % 7 != 3).then_some((x - 0.3).powi(2)),
                is_pruned: false,
            }
        };
        (0..count).map(told).collect()
    }

    #[test]
    fn the_better_half_and_an_even_part_of_the_rest_are_selected() {
        for (direction, sign) in [(Direction::Minimize, 1.0), (Direction::Maximize, -1.0)] {
            let mut told = trials(100);
            told.iter_mut().for_each(|told| told.value = told.value.map(|value| sign * value));
            assert_eq!(selected(&told, direction, 100), told.iter().collect::<Vec<_>>());
            let found = selected(&told, direction, 30);
            assert_eq!(found.len(), 30);
            assert!(found.is_sorted_by(|one, other| one.number < other.number));
            let cost = |told: &Told| told.value.map_or(f64::INFINITY, |value| sign * value);
            let mut order: Vec<&Told> = told.iter().collect();
            order.sort_by(|one, other| cost(one).total_cmp(&cost(other)));
            let is_in = |own: &&&Told| found.iter().any(|told| told.number == own.number);
            assert_eq!(order[..15].iter().filter(is_in).count(), 15);
            // Of 85 the other 15: in any 17 in the order of their numbers there are three.
            let mut rest = order[15..].to_vec();
            rest.sort_by_key(|told| told.number);
            for part in rest.chunks(17) {
                assert_eq!(part.iter().filter(is_in).count(), 3);
            }
        }
    }

    /// A fit is that of its trials, whatever was asked before.
    #[test]
    fn a_fit_does_not_depend_on_those_before() {
        let (encoding, told) = (encoding(), trials(30));
        let of = |known: &mut Option<Fitted>, count: usize| {
            let fitted = refitted(known, &encoding, &told[..count], Direction::Minimize);
            (fitted.told.len(), fitted.scales.clone(), fitted.warp.clone())
        };
        let fresh = |count| of(&mut None, count);
        let mut known = None;
        for count in [12, 30, 12, 13, 13] {
            assert_eq!(of(&mut known, count), fresh(count));
        }
        assert_ne!(fresh(12).1, fresh(13).1);
        // The same number of other trials.
        let mut others = told.clone();
        others[5].value = Some(-1.0);
        let other = refitted(&mut known, &encoding, &others[..13], Direction::Minimize);
        assert_ne!(other.scales, fresh(13).1);
    }

    /// One observation, a constant, the same point again and again, values as far apart as they can be: the fit
    /// ends, and what it gives are numbers.
    #[test]
    fn a_fit_of_anything_ends_with_scales_that_are_numbers() {
        let encoding = encoding();
        let with = |count: u64, value: &dyn Fn(u64) -> Option<f64>| {
            let mut told = trials(count);
            told.iter_mut().for_each(|told| told.value = value(told.number));
            told
        };
        let mut alike = with(20, &|number| Some(number as f64));
        let first = alike[0].configuration.clone();
        alike.iter_mut().for_each(|told| told.configuration = first.clone());
        let mut twice = trials(10);
        twice.extend(trials(10));
        let cases = [
            with(1, &|_| Some(2.0)),
            with(2, &|number| Some(number as f64)),
            with(17, &|_| Some(2.0)),
            with(17, &|_| None),
            with(17, &|number| (number == 4).then_some(1.0)),
            with(17, &|number| Some(if number % 2 == 0 { f64::MAX } else { -f64::MAX })),
            with(17, &|number| Some(if number % 3 == 0 { -1e149 } else { number as f64 * 1e-300 })),
            alike,
            twice,
        ];
        for told in cases {
            let mut known = None;
            let Fitted { scales, warp, .. } = refitted(&mut known, &encoding, &told, Direction::Maximize);
            let numbers = scales.inverse_squares.iter().chain([&scales.variance, &scales.noise]);
            assert!(numbers.clone().all(|x| x.is_finite() && *x > 0.0), "{scales:?}");
            let told: Vec<&Told> = told.iter().collect();
            assert!(warp.targets(&told).iter().all(|target| target.is_finite()), "{:?}", told[0]);
            let observations = Observations {
                points: points_of(&encoding, &told),
                owners: encoding.owners(),
                targets: warp.targets(&told),
            };
            let surface = Surface::new(&observations, scales.clone(), 0);
            assert!(surface.best()[0].is_finite());
        }
    }
}
