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

use crate::search::Cells;
use crate::search::frame::is_ordered;
use crate::space::{Configuration, Domain, Space};

/// Up to so many values, a number is searched value by value and not along its slope.
pub(super) const MOST_VALUES: u128 = 24;

/// A finite space of no more configurations is compared as a whole.
const MOST_CELLS: u128 = 2048;

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
    /// All configurations, where they are few.
    pub whole: Option<Vec<Configuration>>,
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
        let cells = Cells::all(space).filter(|cells| cells.len().is_some_and(|count| count <= MOST_CELLS));
        let whole =
            cells.map(|cells| (0..cells.len().unwrap_or(0)).filter_map(|cell| cells.at(cell)).collect());
        Self { space: space.clone(), order: space.order(), decides, coded, width, whole }
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
