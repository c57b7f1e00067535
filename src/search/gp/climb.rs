//! Moves points to where the expected improvement is larger, eight at a time.

use super::descent::{Descent, Limits};
use super::encoding::{Coded, Encoding};
use super::lanes::{LANES, Lanes};
use super::surface::Surface;

/// Evaluations of a climb along slopes.
const EVALUATIONS: usize = 30;
/// Points whose values are tried one by one.
const FEW: usize = 4;
/// Rounds of values tried one by one and climbs along slopes, at most.
const ROUNDS: usize = 3;

/// A point of the unit cube, its active dimensions, and its acquisition.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// One coordinate a dimension of the space.
    pub point: Vec<f64>,
    /// Which of them are active.
    pub is_active: Vec<bool>,
    /// The acquisition.
    pub value: f64,
}

/// Climbs on one surface.
pub(super) struct Climb<'a> {
    /// How points become columns.
    pub encoding: &'a Encoding,
    /// What is climbed.
    pub surface: &'a Surface,
}

impl Climb<'_> {
    /// The tops above these starts, unordered. Where a space has values that are not moved along a slope, all the
    /// places on the way are among them.
    pub(super) fn tops(&self, mut places: Vec<Place>) -> Vec<Place> {
        let smooth: Vec<&Coded> =
            self.encoding.coded.iter().filter(|coded| self.encoding.is_smooth(coded)).collect();
        self.along_slopes(&smooth, &mut places);
        if self.encoding.is_continuous() {
            return places;
        }
        self.settle(&mut places);
        places.sort_by(|one, other| other.value.total_cmp(&one.value));
        let mut few: Vec<Place> = places.iter().take(FEW).cloned().collect();
        for _ in 0..ROUNDS {
            few.retain_mut(|place| self.value_by_value(place));
            if few.is_empty() {
                break;
            }
            places.extend(few.iter().cloned());
            self.along_slopes(&smooth, &mut few);
            self.settle(&mut few);
            places.extend(few.iter().cloned());
        }
        places
    }

    fn columns(&self, places: &[Place]) -> Vec<Lanes> {
        let mut lanes = vec![Lanes::default(); self.encoding.width];
        for (r, place) in places.iter().enumerate() {
            let columns = self.surface.stretched(&self.encoding.columns(&place.point, &place.is_active));
            lanes.iter_mut().zip(columns).for_each(|(lanes, x)| lanes.0[r] = x);
        }
        lanes
    }

    /// Settles points on values of their domains and evaluates them there.
    fn settle(&self, places: &mut [Place]) {
        for eight in places.chunks_mut(LANES) {
            for place in eight.iter_mut() {
                place.is_active = self.encoding.settle(&mut place.point);
            }
            let values = self.surface.values(&self.columns(eight));
            eight.iter_mut().zip(values.0).for_each(|(place, value)| place.value = value);
        }
    }

    /// Climbs along the slopes of the coordinates that have one.
    fn along_slopes(&self, smooth: &[&Coded], places: &mut [Place]) {
        if smooth.is_empty() {
            return;
        }
        let limits = Limits { evaluations: EVALUATIONS, slope: 1e-5, gain: 1e-7 };
        let coordinates =
            |place: &Place| -> Vec<f64> { smooth.iter().map(|coded| place.point[coded.dimension]).collect() };
        for eight in places.chunks_mut(LANES) {
            let mut climbs: Vec<Descent> = eight
                .iter()
                .map(|place| Descent::new(&coordinates(place), vec![(0.0, 1.0); smooth.len()], limits))
                .collect();
            while climbs.iter().any(|climb| climb.trial().is_some()) {
                self.step(smooth, eight, &mut climbs);
            }
            for (place, climb) in eight.iter_mut().zip(&climbs) {
                let (own, value) = climb.best();
                move_to(smooth, place, own);
                place.value = -value;
            }
        }
    }

    /// One evaluation of eight climbs; those at their end stand still.
    fn step(&self, smooth: &[&Coded], places: &mut [Place], climbs: &mut [Descent]) {
        for (place, climb) in places.iter_mut().zip(&*climbs) {
            move_to(smooth, place, climb.trial().unwrap_or(climb.best().0));
        }
        let acquired = self.surface.values_and_slopes(&self.columns(places));
        for (r, (place, climb)) in places.iter().zip(climbs).enumerate() {
            if climb.trial().is_none() {
                continue;
            }
            let slope = |coded: &&Coded| match place.is_active[coded.dimension] {
                true => -acquired.slope[coded.column].0[r] * self.surface.stretch()[coded.column],
                false => 0.0,
            };
            climb.tell(-acquired.value.0[r], &smooth.iter().map(slope).collect::<Vec<_>>());
        }
    }

    /// Tries every value of every coordinate that has few, one coordinate after the other; tells whether any was
    /// better.
    fn value_by_value(&self, place: &mut Place) -> bool {
        let mut has_moved = false;
        for coded in self.encoding.coded.iter().filter(|coded| !coded.values.is_empty()) {
            if !place.is_active[coded.dimension] {
                continue;
            }
            let others = coded.values.iter().filter(|value| **value != place.point[coded.dimension]);
            let mut moved: Vec<Place> = others
                .map(|value| {
                    let mut moved = place.clone();
                    moved.point[coded.dimension] = *value;
                    moved
                })
                .collect();
            self.settle(&mut moved);
            let best = moved.into_iter().max_by(|one, other| one.value.total_cmp(&other.value));
            if let Some(best) = best.filter(|best| best.value > place.value) {
                *place = best;
                has_moved = true;
            }
        }
        has_moved
    }
}

fn move_to(smooth: &[&Coded], place: &mut Place, coordinates: &[f64]) {
    smooth.iter().zip(coordinates).for_each(|(coded, x)| place.point[coded.dimension] = *x);
}
