//! Configurations as points of a Euclidean space, whose distances the kernel takes.
//!
//! | hyperparameter | columns | squared distance of two values |
//! |---|---|---|
//! | a number, or a list of three numbers or more in order | its coordinate in [0, 1] | (x − x′)² |
//! | a list of choices | 1/√2 in the column of the choice, 0 in the others | 1 where they differ: Hamming's |
//! | conditional | and a column that lifts active values | (x − ½)² + ¼ between an active and an inactive one |
//!
//! The conditional kernel: an inactive hyperparameter stands at the middle of its range (an inactive choice is a choice of its own), and
//! active values are lifted by half the range: two configurations in which it is inactive do not differ, and an
//! active value is told from an inactive one even at the middle. The points are Euclidean, so the kernel stays
//! positive definite, as the Arc kernel does (Swersky et al., 2013), and needs no scale of its own for the lift.

use crate::search::frame::is_ordered;
use crate::space::{Configuration, Domain, Space};

/// Up to so many values, a number is searched value by value and not along its slope.
pub(super) const MOST_VALUES: u128 = 24;

/// How far an active value is lifted above an inactive one.
const LIFT: f64 = 0.5;

/// How one hyperparameter is coded.
#[derive(Clone, Debug)]
pub(super) struct Coded {
    /// Its place in the space.
    pub dimension: usize,
    /// Its first column.
    pub column: usize,
    /// How many columns.
    pub width: usize,
    /// Places in [0, 1] of all its values, where it is searched value by value.
    pub values: Vec<f64>,
    /// Whether its values have no order.
    pub is_category: bool,
    is_conditional: bool,
    /// Whether a coordinate must be moved to the middle of what decodes to its value.
    is_finite: bool,
}

/// A space, and how its hyperparameters become columns.
#[derive(Clone, Debug)]
pub(super) struct Encoding {
    space: Space,
    order: Vec<usize>,
    /// Dimensions that decide over others.
    decides: Vec<bool>,
    /// Those that are not fixed.
    pub coded: Vec<Coded>,
    /// Columns of a point.
    pub width: usize,
}

impl Encoding {
    /// Of a space.
    pub(super) fn new(space: &Space) -> Self {
        let (mut coded, mut width) = (Vec::new(), 0);
        for (dimension, own) in space.dimensions.iter().enumerate() {
            if own.domain.size() == Some(1) {
                continue;
            }
            let one = Coded::new(dimension, &own.domain, width, !own.when.is_empty());
            width += one.width;
            coded.push(one);
        }
        let names: Vec<&String> = space
            .dimensions
            .iter()
            .flat_map(|own| own.when.iter().map(|condition| &condition.name))
            .collect();
        let decides = space.dimensions.iter().map(|own| names.contains(&&own.name)).collect();
        Self { space: space.clone(), order: space.order(), decides, coded, width }
    }

    /// The space.
    pub(super) fn space(&self) -> &Space {
        &self.space
    }

    /// Whether every coordinate is moved along its slope, and takes every place.
    pub(super) fn is_continuous(&self) -> bool {
        self.coded.iter().all(|coded| self.is_smooth(coded) && !coded.is_finite)
    }

    /// Whether it is moved along its slope: not where others depend on it.
    pub(super) fn is_smooth(&self, coded: &Coded) -> bool {
        coded.values.is_empty() && !self.decides[coded.dimension]
    }

    /// Which dimension each column belongs to, counted among those coded.
    pub(super) fn owners(&self) -> Vec<usize> {
        self.coded.iter().enumerate().flat_map(|(own, coded)| vec![own; coded.width]).collect()
    }

    /// Moves the coordinates of a point to the middle of the values that they decode to, and tells which
    /// dimensions are active there.
    pub(super) fn settle(&self, point: &mut [f64]) -> Vec<bool> {
        let mut is_active = vec![true; self.space.dimensions.len()];
        if self.decides.contains(&true) {
            let mut deciding = Configuration::new();
            for &index in &self.order {
                let own = &self.space.dimensions[index];
                is_active[index] = self.space.is_active(own, &deciding);
                if is_active[index] && self.decides[index] {
                    deciding.insert(own.name.clone(), own.domain.decode(point[index]));
                }
            }
        }
        for coded in self.coded.iter().filter(|coded| coded.is_finite) {
            let domain = &self.space.dimensions[coded.dimension].domain;
            let own = &mut point[coded.dimension];
            *own = domain.encode(&domain.decode(*own)).unwrap_or(*own);
        }
        is_active
    }

    /// The columns of a settled point.
    pub(super) fn columns(&self, point: &[f64], is_active: &[bool]) -> Vec<f64> {
        let mut columns = vec![0.0; self.width];
        for coded in &self.coded {
            let own = is_active[coded.dimension].then_some(point[coded.dimension]);
            coded.write(own, &mut columns[coded.column..][..coded.width]);
        }
        columns
    }

    /// The columns of a configuration.
    pub(super) fn columns_of(&self, configuration: &Configuration) -> Vec<f64> {
        let point = self.space.encode(configuration);
        let mut columns = vec![0.0; self.width];
        for coded in &self.coded {
            coded.write(point[coded.dimension], &mut columns[coded.column..][..coded.width]);
        }
        columns
    }

    /// The point of a configuration; an inactive coordinate is in the middle.
    pub(super) fn point_of(&self, configuration: &Configuration) -> Vec<f64> {
        self.space.encode(configuration).into_iter().map(|own| own.unwrap_or(0.5)).collect()
    }

    /// The configuration at a point.
    pub(super) fn configuration(&self, point: &[f64]) -> Configuration {
        self.space.decode(point)
    }
}

impl Coded {
    fn new(dimension: usize, domain: &Domain, column: usize, is_conditional: bool) -> Self {
        let size = domain.size();
        let is_category = matches!(domain, Domain::Choice(values) if !is_ordered(values));
        let count = size.filter(|&size| is_category || size <= MOST_VALUES).unwrap_or(0);
        let values = (0..count).filter_map(|index| domain.encode(&domain.at(index))).collect();
        let width = match is_category {
            // The last column is that of inactive ones.
            true => count as usize + usize::from(is_conditional),
            false => 1 + usize::from(is_conditional),
        };
        Self { dimension, column, width, values, is_category, is_conditional, is_finite: size.is_some() }
    }

    fn write(&self, place: Option<f64>, columns: &mut [f64]) {
        match (self.is_category, place) {
            (true, place) => {
                let count = self.values.len();
                let choice = place.map_or(count, |place| ((place * count as f64) as usize).min(count - 1));
                // What others have told may lack a choice that is not conditional: no column says so.
                if let Some(column) = columns.get_mut(choice) {
                    *column = std::f64::consts::FRAC_1_SQRT_2;
                }
            }
            (false, None) => columns[0] = 0.5,
            (false, Some(place)) => {
                columns[0] = place;
                if self.is_conditional {
                    columns[1] = LIFT;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{Dimension, Value};
    use proptest::prelude::*;
    use std::f64::consts::FRAC_1_SQRT_2;

    fn choice(count: i64) -> Domain {
        Domain::Choice((0..count).map(|i| Value::Text(format!("kind {i}"))).collect())
    }

    fn float(log: bool) -> Domain {
        Domain::Float { low: 0.5, high: 8.0, log, step: None }
    }

    /// A choice of three; a number, and a choice of two, each of one kind.
    fn tree() -> Encoding {
        let when = |dimension: Dimension, kind: &str| dimension.when("kind", [Value::Text(kind.into())]);
        let space = Space::new(vec![
            when(Dimension::new("rate", float(false)), "kind 1"),
            Dimension::new("kind", choice(3)),
            when(Dimension::new("order", choice(2)), "kind 2"),
            Dimension::new("fixed", Domain::Fixed(Value::Int(3))),
            Dimension::new("momentum", float(false)),
        ]);
        Encoding::new(&space.unwrap())
    }

    fn columns_at(encoding: &Encoding, point: &[f64]) -> Vec<f64> {
        let mut point = point.to_vec();
        let is_active = encoding.settle(&mut point);
        encoding.columns(&point, &is_active)
    }

    /// Squared distances of two points in each hyperparameter.
    fn squares(encoding: &Encoding, one: &[f64], other: &[f64]) -> Vec<f64> {
        let (one, other) = (columns_at(encoding, one), columns_at(encoding, other));
        let mut sums = vec![0.0; encoding.coded.len()];
        for (column, owner) in encoding.owners().into_iter().enumerate() {
            sums[owner] += (one[column] - other[column]).powi(2);
        }
        sums
    }

    /// Kinds 0, 1 and 2 at 0.1, 0.5 and 0.9.
    #[test]
    fn distances_are_those_of_the_table() {
        let encoding = tree();
        assert_eq!((encoding.width, encoding.coded.len()), (2 + 3 + 3 + 1, 4));
        let cases = [
            // Alike but for a number; active in both.
            ([0.2, 0.5, 0.0, 0.0, 0.3], [0.6, 0.5, 0.0, 0.0, 0.8], [0.16, 0.0, 0.0, 0.25]),
            // Inactive in both: what stands there does not count.
            ([0.2, 0.1, 0.0, 0.0, 0.3], [0.6, 0.1, 0.9, 0.0, 0.3], [0.0, 0.0, 0.0, 0.0]),
            // Active in one: at the end of the range, and in its middle.
            ([0.0, 0.5, 0.0, 0.0, 0.3], [0.0, 0.1, 0.0, 0.0, 0.3], [0.5, 1.0, 0.0, 0.0]),
            ([0.5, 0.5, 0.0, 0.0, 0.3], [0.0, 0.1, 0.0, 0.0, 0.3], [0.25, 1.0, 0.0, 0.0]),
            // Choices that differ, and one that is inactive in one.
            ([0.2, 0.9, 0.1, 0.0, 0.3], [0.2, 0.9, 0.9, 0.0, 0.3], [0.0, 0.0, 1.0, 0.0]),
            ([0.2, 0.9, 0.1, 0.0, 0.3], [0.2, 0.1, 0.1, 0.0, 0.3], [0.0, 1.0, 1.0, 0.0]),
        ];
        for (one, other, expected) in cases {
            let found = squares(&encoding, &one, &other);
            let is_near = found.iter().zip(expected).all(|(found, own)| (found - own).abs() <= 1e-15);
            assert!(is_near, "{found:?} for {expected:?}");
        }
    }

    #[test]
    fn hyperparameters_are_coded_as_the_table_says() {
        let list = |values: &[i64]| Domain::Choice(values.iter().copied().map(Value::Int).collect());
        let int = |high| Domain::Int { low: 1, high, log: false, step: 1 };
        let space = Space::new(vec![
            Dimension::new("ordered", list(&[16, 32, 64])),
            Dimension::new("mixed", list(&[1, 3, 2])),
            Dimension::new("few", int(24)),
            Dimension::new("many", int(25)),
            Dimension::new("rate", float(true)),
        ]);
        let encoding = Encoding::new(&space.unwrap());
        let of = |coded: &Coded| (coded.width, coded.values.len(), coded.is_category);
        let found: Vec<_> = encoding.coded.iter().map(of).collect();
        assert_eq!(found, [(1, 3, false), (3, 3, true), (1, 24, false), (1, 0, false), (1, 0, false)]);
        assert_eq!(encoding.owners(), [0, 1, 1, 1, 2, 3, 4]);
        let smooth: Vec<bool> = encoding.coded.iter().map(|coded| encoding.is_smooth(coded)).collect();
        assert_eq!(smooth, [false, false, false, true, true]);
        assert!(!encoding.is_continuous());
        let found = columns_at(&encoding, &[0.5, 0.9, 0.0, 0.99, 0.25]);
        assert_eq!(found, [0.5, 0.0, 0.0, FRAC_1_SQRT_2, 0.5 / 24.0, 24.5 / 25.0, 0.25]);
        let real = Space::new(vec![Dimension::new("rate", float(true))]);
        assert!(Encoding::new(&real.unwrap()).is_continuous());
    }

    /// What others have told may lie outside of a space, or lack a hyperparameter.
    #[test]
    fn a_configuration_of_another_space_has_columns() {
        let encoding = tree();
        let found = encoding.columns_of(&Configuration::new());
        assert_eq!(found, [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, FRAC_1_SQRT_2, 0.5]);
        let other =
            ["kind", "order", "rate", "momentum"].map(|name| (name.to_owned(), Value::Float(f64::NAN)));
        assert_eq!(encoding.columns_of(&Configuration::from(other)), found);
    }

    /// Spaces of every kind of domain, some of whose dimensions depend on one before.
    fn spaces() -> impl Strategy<Value = Space> {
        let domain = prop_oneof![
            any::<bool>().prop_map(float),
            Just(Domain::Float { low: -1.0, high: 1.0, log: false, step: Some(0.125) }),
            (1..40_i64, any::<bool>()).prop_map(|(n, log)| Domain::Int { low: 1, high: 1 + n, log, step: 1 }),
            (1..6_i64).prop_map(choice),
            (3..30_i64).prop_map(|n| Domain::Choice((0..n).map(Value::Int).collect())),
            Just(Domain::Fixed(Value::Bool(true))),
        ];
        let parent = (any::<prop::sample::Index>(), 0.0..1.0_f64, any::<bool>());
        prop::collection::vec((domain, parent), 1..7).prop_map(|parts| {
            let mut dimensions: Vec<Dimension> = Vec::new();
            for (i, (domain, (parent, place, is_conditional))) in parts.into_iter().enumerate() {
                let mut own = Dimension::new(format!("d{i}"), domain);
                let deciding =
                    |own: &&Dimension| matches!(own.domain, Domain::Choice(_) | Domain::Int { .. });
                let deciding: Vec<&Dimension> = dimensions.iter().filter(deciding).collect();
                if is_conditional && !deciding.is_empty() {
                    let parent = deciding[parent.index(deciding.len())];
                    let values = [parent.domain.decode(place), parent.domain.decode(1.0 - place)];
                    own = own.when(parent.name.clone(), values);
                }
                dimensions.push(own);
            }
            dimensions.reverse();
            Space::new(dimensions).unwrap()
        })
    }

    proptest! {
        #[test]
        fn points_and_configurations_have_the_same_columns(
            space in spaces(),
            point in prop::collection::vec(0.0..1.0_f64, 6),
        ) {
            let encoding = Encoding::new(&space);
            let count = space.dimensions.len();
            let mut settled = point[..count].to_vec();
            let is_active = encoding.settle(&mut settled);
            // A settled point is where it was, and stays.
            let configuration = encoding.configuration(&settled);
            prop_assert_eq!(&configuration, &encoding.configuration(&point[..count]));
            let mut again = settled.clone();
            prop_assert_eq!(encoding.settle(&mut again), is_active.clone());
            prop_assert_eq!(&again, &settled);
            for (dimension, is_active) in space.dimensions.iter().zip(&is_active) {
                prop_assert_eq!(configuration.contains_key(&dimension.name), *is_active);
            }
            let own = encoding.columns_of(&configuration);
            prop_assert_eq!(own.len(), encoding.width);
            prop_assert_eq!(encoding.owners().len(), encoding.width);
            prop_assert_eq!(&columns_at(&encoding, &encoding.point_of(&configuration)), &own);
            // A logarithm and back: rounding.
            for (found, own) in encoding.columns(&settled, &is_active).iter().zip(&own) {
                prop_assert!((found - own).abs() <= 1e-14);
            }
        }
    }
}
