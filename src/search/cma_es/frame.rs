//! A space as CMA-ES sees it: coordinates in [0, 1] for numbers, values by index for choices.

use crate::space::{Configuration, Domain, Space};

/// Which dimensions of a space are coordinates and which are choices. Fixed ones are neither.
pub struct Frame {
    space: Space,
    /// Indices of the dimensions that are numbers.
    numbers: Vec<usize>,
    /// Indices of the dimensions that are choices, and how many values each has.
    choices: Vec<(usize, usize)>,
}

/// A configuration that was tried.
#[derive(Debug)]
pub struct Member {
    /// By coordinate: the places that decode to its value; `None` where the hyperparameter is inactive.
    pub cells: Vec<Option<(f64, f64)>>,
    /// By choice: the index of its value.
    pub values: Vec<Option<usize>>,
}

impl Frame {
    /// The frame of a space.
    pub fn new(space: &Space) -> Self {
        let (mut numbers, mut choices) = (Vec::new(), Vec::new());
        for (index, dimension) in space.dimensions.iter().enumerate() {
            match &dimension.domain {
                Domain::Fixed(_) => {}
                Domain::Choice(values) => choices.push((index, values.len())),
                Domain::Float { .. } | Domain::Int { .. } => numbers.push(index),
            }
        }
        Self { space: space.clone(), numbers, choices }
    }

    /// The space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// How many coordinates.
    pub fn number_count(&self) -> usize {
        self.numbers.len()
    }

    /// How many values each choice has.
    pub fn value_counts(&self) -> impl Iterator<Item = usize> {
        self.choices.iter().map(|(_, count)| *count)
    }

    /// Coordinates and choices together.
    pub fn dimension_count(&self) -> usize {
        self.numbers.len() + self.choices.len()
    }

    /// Whether a coordinate takes every place, not only whole numbers or steps.
    pub fn is_continuous(&self, coordinate: usize) -> bool {
        self.domain(coordinate).size().is_none()
    }

    /// The places around one that decode to the same value; that place alone where it is continuous.
    pub fn cell(&self, coordinate: usize, place: f64) -> (f64, f64) {
        let domain = self.domain(coordinate);
        domain.cell(&domain.decode(place)).unwrap_or((place, place))
    }

    /// A configuration of the space, or part of one.
    pub fn member(&self, configuration: &Configuration) -> Member {
        let found = |index: usize| {
            let dimension = &self.space.dimensions[index];
            configuration.get(&dimension.name).map(|value| (&dimension.domain, value))
        };
        let cell = |index: &usize| found(*index).and_then(|(domain, value)| domain.cell(value));
        let value =
            |(index, _): &(usize, usize)| found(*index).and_then(|(domain, value)| domain.index(value));
        Member {
            cells: self.numbers.iter().map(cell).collect(),
            values: self.choices.iter().map(value).map(|index| index.map(|index| index as usize)).collect(),
        }
    }

    /// The configuration at a point, with these values of the choices.
    pub fn configuration(&self, point: &[f64], values: &[usize]) -> Configuration {
        let mut places = vec![0.0; self.space.dimensions.len()];
        self.numbers.iter().zip(point).for_each(|(index, x)| places[*index] = *x);
        for ((index, count), value) in self.choices.iter().zip(values) {
            places[*index] = (*value as f64 + 0.5) / *count as f64;
        }
        self.space.decode(&places)
    }

    fn domain(&self, coordinate: usize) -> &Domain {
        &self.space.dimensions[self.numbers[coordinate]].domain
    }
}
