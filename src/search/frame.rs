//! A space as numbers and choices: coordinates in [0, 1] for numbers, values by index for choices.

use crate::space::{Configuration, Domain, Space, Value};

/// Which dimensions of a space are coordinates and which are choices. Fixed ones are neither.
pub struct Frame {
    space: Space,
    /// Indices of the dimensions that are numbers.
    numbers: Vec<usize>,
    /// Indices of the dimensions that are choices, and how many values each has.
    choices: Vec<(usize, usize)>,
}

/// A configuration that was tried.
#[derive(Clone, Debug)]
pub struct Member {
    /// By coordinate: the places that decode to its value; `None` where the hyperparameter is inactive.
    pub cells: Vec<Option<(f64, f64)>>,
    /// By choice: the index of its value.
    pub values: Vec<Option<usize>>,
}

impl Frame {
    /// The frame of a space. Every list is a choice.
    pub fn new(space: &Space) -> Self {
        Self::with(space, |_| false)
    }

    /// The same, but for lists of three numbers or more that rise or fall: what is next to each other in
    /// 32, 64, 128 is alike, and they are coordinates as whole numbers are.
    pub fn ordered(space: &Space) -> Self {
        Self::with(space, is_ordered)
    }

    fn with(space: &Space, is_number: impl Fn(&[Value]) -> bool) -> Self {
        let (mut numbers, mut choices) = (Vec::new(), Vec::new());
        for (index, dimension) in space.dimensions.iter().enumerate() {
            match &dimension.domain {
                Domain::Fixed(_) => {}
                Domain::Choice(values) if is_number(values) => numbers.push(index),
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

    /// How many values a coordinate takes; `None` where it is continuous.
    pub fn size(&self, coordinate: usize) -> Option<u128> {
        self.domain(coordinate).size()
    }

    /// The places that decode to the value of a coordinate at an index below its [`size`](Self::size).
    pub fn cell_at(&self, coordinate: usize, index: u128) -> Option<(f64, f64)> {
        let domain = self.domain(coordinate);
        domain.cell(&domain.at(index))
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

/// Whether a list is of at least three numbers that rise, or that fall.
pub(crate) fn is_ordered(values: &[Value]) -> bool {
    let numbers: Option<Vec<f64>> = values.iter().map(Value::number).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() > 2) else { return false };
    numbers.is_sorted_by(|a, b| a < b) || numbers.is_sorted_by(|a, b| a > b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Dimension;

    #[test]
    fn lists_of_numbers_in_order_are_coordinates_where_that_is_asked_for() {
        let list = |name, values: &[Value]| Dimension::new(name, Domain::Choice(values.to_vec()));
        let ints = |values: &[i64]| values.iter().copied().map(Value::Int).collect::<Vec<_>>();
        let space = Space::new(vec![
            list("rising", &ints(&[32, 64, 128])),
            list("falling", &[Value::Float(0.5), Value::Int(0), Value::Float(-1.5)]),
            list("two", &ints(&[1, 2])),
            list("mixed", &ints(&[1, 3, 2])),
            list("names", &["a", "b", "c"].map(|name| Value::Text(name.into()))),
        ])
        .unwrap();
        let ordered = Frame::ordered(&space);
        assert_eq!((ordered.number_count(), Frame::new(&space).number_count()), (2, 0));
        assert_eq!(ordered.value_counts().collect::<Vec<_>>(), [2, 3, 3]);
        assert_eq!((ordered.size(0), ordered.cell_at(0, 1)), (Some(3), Some((1.0 / 3.0, 2.0 / 3.0))));
        let configuration = ordered.configuration(&[0.9, 0.4], &[1, 2, 0]);
        assert_eq!((&configuration["rising"], &configuration["falling"]), (&Value::Int(128), &Value::Int(0)));
        assert_eq!(ordered.member(&configuration).cells[1], Some((1.0 / 3.0, 2.0 / 3.0)));
    }
}
