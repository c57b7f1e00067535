//! How often each value of a choice is drawn, and what a ranked generation teaches that.

/// The share of drawn configurations that take the most frequent value of every choice is at most this.
const MOST_USUAL: f64 = 0.73;

/// The probabilities of the values of one choice.
///
/// They follow the natural gradient of a categorical distribution, q ← q + η·Σwᵢ(eᵢ − q), and none falls below a
/// margin, so that no value is given up for good (Hamano et al., "CatCMA: stochastic optimization for
/// mixed-category problems", GECCO 2024; here with a fixed η).
#[derive(Clone, Debug)]
pub struct Frequencies {
    /// q, with a sum of 1.
    pub probabilities: Vec<f64>,
}

impl Frequencies {
    /// All values of the choice alike.
    pub fn new(value_count: usize) -> Self {
        Self { probabilities: vec![1.0 / value_count as f64; value_count] }
    }

    /// The value that a uniform number stands for.
    pub fn value(&self, uniform: f64) -> usize {
        let mut below = 0.0;
        let is_above = |probability: &f64| {
            below += probability;
            uniform < below
        };
        self.probabilities.iter().position(is_above).unwrap_or(self.probabilities.len() - 1)
    }

    /// Learns from the values of members with their weights, those of the same sum in every generation; members
    /// that do not have this hyperparameter are `None` and say nothing. `choice_count` choices share the margin.
    pub fn learn(&mut self, members: &[(Option<usize>, f64)], rate: f64, choice_count: usize) {
        let said: f64 = members.iter().filter(|(value, _)| value.is_some()).map(|(_, weight)| weight).sum();
        self.probabilities.iter_mut().for_each(|q| *q *= 1.0 - rate * said);
        for (value, weight) in members {
            if let Some(value) = value {
                self.probabilities[*value] += rate * weight;
            }
        }
        self.keep_margin(choice_count);
    }

    /// Raises what is below the margin, (1 − 0.73^(1/choices))/(values − 1), and takes that from the others in
    /// proportion to what they are above it.
    fn keep_margin(&mut self, choice_count: usize) {
        let others = (self.probabilities.len() - 1).max(1) as f64;
        let usual = libm::pow(MOST_USUAL, 1.0 / choice_count as f64);
        let least = ((1.0 - usual) / others).min(1.0 / (others + 1.0));
        let raised = self.probabilities.iter().map(|q| q.max(least));
        let raised: Vec<f64> = raised.collect();
        let excess: f64 = raised.iter().map(|q| q - least).sum();
        let free = 1.0 - least * raised.len() as f64;
        if excess > 0.0 {
            self.probabilities = raised.iter().map(|q| least + (q - least) * free / excess).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_move_towards_what_did_better_and_never_below_the_margin() {
        let mut choice = Frequencies::new(3);
        choice.learn(&[(Some(2), 0.6), (None, 0.3), (Some(0), 0.1)], 0.5, 2);
        // What was said weighs 0.7: q·(1 − 0.35) + 0.5·w.
        let third = 0.65 / 3.0;
        for (found, expected) in choice.probabilities.iter().zip([third + 0.05, third, third + 0.3]) {
            assert!((found - expected).abs() <= 1e-15, "{:?}", choice.probabilities);
        }
        let unsaid = choice.probabilities.clone();
        choice.learn(&[(None, 1.0)], 0.5, 2);
        assert_eq!(choice.probabilities, unsaid);
        for _ in 0..100 {
            choice.learn(&[(Some(1), 1.0)], 0.5, 2);
        }
        let least = (1.0 - 0.73_f64.sqrt()) / 2.0;
        for (found, expected) in choice.probabilities.iter().zip([least, 0.73_f64.sqrt(), least]) {
            assert!((found - expected).abs() <= 1e-12, "{:?}", choice.probabilities);
        }
    }

    #[test]
    fn values_are_drawn_as_often_as_their_probability_says() {
        let choice = Frequencies { probabilities: vec![0.25, 0.0, 0.5, 0.25] };
        let drawn: Vec<usize> = [0.0, 0.2, 0.25, 0.7, 0.75, 0.999].map(|u| choice.value(u)).to_vec();
        assert_eq!(drawn, [0, 0, 2, 2, 3, 3]);
        assert_eq!(Frequencies::new(1).value(0.999), 0);
        let mut one = Frequencies::new(1);
        one.learn(&[(Some(0), 1.0)], 0.3, 1);
        assert!((one.probabilities[0] - 1.0).abs() <= 1e-15);
    }
}
