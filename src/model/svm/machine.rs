//! A trained machine: its support vectors, and for each decision function their coefficients.

use super::base::Columns;
use super::kernel::{self, KernelParameters};
use super::pair::Pair;
use super::path::Solution;
use super::platt::{Sigmoid, of_pairs};
use super::rows::KernelChoice;
use super::set::FoldSet;

/// A decision function Σ a_i K(x_i, x) − ρ; above 0 it speaks for the first class.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Which classes; 0 and 0 for values.
    pub classes: [usize; 2],
    /// (support vector, a), by support vector.
    pub terms: Vec<(u32, f64)>,
    /// ρ
    pub rho: f64,
    /// What makes a probability of it, where that was asked for.
    pub sigmoid: Option<Sigmoid>,
}

/// A machine that can predict.
#[derive(Clone)]
pub struct Machine {
    /// Its kernel.
    pub choice: KernelChoice,
    /// Features of a row.
    pub feature_count: usize,
    /// Number of classes; 0 for values.
    pub class_count: usize,
    /// (support vector, feature), transformed as the fold's rows are.
    pub support: Vec<f32>,
    /// In the order of [`Pair::all`].
    pub decisions: Vec<Decision>,
    /// The class of every row, where the training rows have no other.
    pub only_class: usize,
}

/// A solution of a fold's problem, before what is nothing of it is left out.
pub struct Solved<'a> {
    /// Which problem.
    pub pair: &'a Pair,
    /// Its solution.
    pub solution: &'a Solution,
    /// What makes a probability of it.
    pub sigmoid: Option<Sigmoid>,
}

impl Machine {
    /// Keeps the support vectors of the solutions of a fold.
    pub fn new(choice: KernelChoice, class_count: usize, set: &FoldSet<f32>, solved: &[Solved<'_>]) -> Self {
        const NONE: u32 = u32::MAX;
        let mut places = vec![NONE; set.train_count()];
        let terms = |solved: &Solved<'_>| -> Vec<(usize, f64)> {
            let all = solved.pair.row_indices().zip(solved.solution.coefficients.iter().copied());
            all.filter(|(_, a)| *a != 0.0).collect()
        };
        let all: Vec<Vec<(usize, f64)>> = solved.iter().map(terms).collect();
        all.iter().flatten().for_each(|&(row, _)| places[row] = 0);
        let mut support = Vec::new();
        let mut count = 0;
        for (place, row) in places.iter_mut().zip(set.train.chunks_exact(set.feature_count.max(1))) {
            if *place != NONE {
                *place = count;
                count += 1;
                support.extend_from_slice(row);
            }
        }
        let decision = |(solved, terms): (&Solved<'_>, Vec<(usize, f64)>)| Decision {
            classes: solved.pair.classes,
            terms: terms.into_iter().map(|(row, a)| (places[row], a)).collect(),
            rho: solved.solution.outcome.rho,
            sigmoid: solved.sigmoid,
        };
        let decisions = solved.iter().zip(all).map(decision).collect();
        Self {
            choice,
            feature_count: set.feature_count,
            class_count,
            support,
            decisions,
            only_class: set.only_class(),
        }
    }

    /// Number of support vectors of all decision functions together.
    pub fn support_count(&self) -> usize {
        self.support.len() / self.feature_count.max(1)
    }

    /// (row, decision function) decision values of rows (row, feature).
    pub fn decision_values(&self, rows: &[f32]) -> Vec<f64> {
        let count = rows.len() / self.feature_count.max(1);
        let mut values = Vec::with_capacity(count * self.decisions.len());
        let support = Columns::of_rows(&self.support, self.feature_count);
        support.each(self.choice.kernel.base(), rows, |kernel| {
            self.choice.apply(kernel);
            values.extend(self.decisions.iter().map(|decision| {
                let terms = decision.terms.iter().map(|&(at, a)| a * f64::from(kernel[at as usize]));
                terms.sum::<f64>() - decision.rho
            }));
        });
        values
    }

    /// Whether probabilities were fitted.
    pub fn has_probabilities(&self) -> bool {
        self.class_count > 0 && self.decisions.iter().all(|decision| decision.sigmoid.is_some())
    }

    /// What decision values of one row come to.
    pub fn verdict(&self, decisions: &[f64]) -> Verdict {
        if self.class_count == 0 {
            return Verdict::Value(decisions.first().copied().unwrap_or(f64::NAN));
        }
        let classes = self.decisions.iter().map(|decision| decision.classes);
        Verdict::Class(voted(self.class_count, self.only_class, classes.zip(decisions.iter().copied())))
    }

    /// (class) probabilities of one row; `None` where none were fitted.
    pub fn probabilities(&self, decisions: &[f64]) -> Option<Vec<f64>> {
        let sigmoids: Vec<Sigmoid> =
            self.decisions.iter().map(|decision| decision.sigmoid).collect::<Option<_>>()?;
        let classes = self.decisions.iter().map(|decision| decision.classes);
        let pairs = classes.zip(decisions.iter().copied()).zip(sigmoids);
        Some(of_pairs(self.class_count, self.only_class, pairs))
    }
}

/// What a machine says of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Its class.
    Class(usize),
    /// Its value, standardised.
    Value(f64),
}

/// The class with the most votes, the first of equals, as in LIBSVM.
pub fn voted(
    class_count: usize,
    only_class: usize,
    decisions: impl Iterator<Item = ([usize; 2], f64)>,
) -> usize {
    let mut votes = vec![0_u32; class_count];
    for ([first, second], value) in decisions {
        votes[if value > 0.0 { first } else { second }] += 1;
    }
    let most = votes.iter().copied().max().unwrap_or(0);
    if most == 0 { only_class } else { votes.iter().position(|&count| count == most).unwrap_or(only_class) }
}

/// Numbers before the support vectors, and where among them those are counted.
const HEAD: usize = 9;
const FEATURE_COUNT: usize = 4;
const SUPPORT_COUNT: usize = 6;
/// More classes than any table has, so that a damaged number is told.
const MOST_CLASSES: usize = 1 << 20;
/// The f32 that a number is a sum of.
const PARTS: usize = 3;

fn split(number: f64) -> [f32; PARTS] {
    let first = number as f32;
    let second = (number - f64::from(first)) as f32;
    [first, second, (number - f64::from(first) - f64::from(second)) as f32]
}

fn joined(parts: &[f32]) -> Option<Vec<f64>> {
    let (parts, rest) = parts.as_chunks::<PARTS>();
    // The smaller two together are exact.
    let number =
        |[first, second, third]: &[f32; PARTS]| f64::from(*first) + (f64::from(*second) + f64::from(*third));
    rest.is_empty().then(|| parts.iter().map(number).collect())
}

/// Turns a machine into numbers and back.
///
/// | numbers | what |
/// |---|---|
/// | 1 | index of the kernel in the list of all |
/// | 3 | γ, c₀, degree |
/// | 5 | numbers of features, classes (0: values), support vectors, decision functions; the only class |
/// | support vectors × features | the support vectors |
/// | each decision function | its two classes, number of terms, ρ, whether it has a sigmoid, A, B; its terms: support vector, a |
///
/// Whole numbers are exact below 2⁵³.
impl Machine {
    /// As numbers.
    pub fn encode(&self) -> Vec<f64> {
        let index = kernel::ALL.iter().position(|kernel| kernel.name() == self.choice.kernel.name());
        let KernelParameters { gamma, coef0, degree } = self.choice.parameters;
        let mut numbers = vec![index.unwrap_or(0) as f64, gamma, coef0, f64::from(degree)];
        let counts = [
            self.feature_count,
            self.class_count,
            self.support_count(),
            self.decisions.len(),
            self.only_class,
        ];
        numbers.extend(counts.map(|count| count as f64));
        numbers.extend(self.support.iter().map(|&number| f64::from(number)));
        for decision in &self.decisions {
            let Sigmoid { a, b } = decision.sigmoid.unwrap_or(Sigmoid { a: 0.0, b: 0.0 });
            let has_sigmoid = f64::from(u8::from(decision.sigmoid.is_some()));
            numbers.extend(decision.classes.map(|class| class as f64));
            numbers.extend([decision.terms.len() as f64, decision.rho, has_sigmoid, a, b]);
            numbers.extend(decision.terms.iter().flat_map(|&(at, a)| [f64::from(at), a]));
        }
        numbers
    }

    /// As the parameters of a member: support vectors as they are, every other number as a sum of three f32, which
    /// keeps all its digits.
    pub fn to_parameters(&self) -> Vec<f32> {
        let numbers = self.encode();
        let (head, rest) = numbers.split_at(HEAD);
        let rest = &rest[self.support.len()..];
        let parts = |numbers: &[f64]| numbers.iter().copied().flat_map(split).collect::<Vec<f32>>();
        [parts(head), self.support.clone(), parts(rest)].concat()
    }

    /// Of the parameters of a member; `None` where they are not those of a machine.
    pub fn of_parameters(parameters: &[f32]) -> Option<Self> {
        let (head, rest) = parameters.split_at_checked(HEAD * PARTS)?;
        let mut numbers = joined(head)?;
        let count = numbers[SUPPORT_COUNT] * numbers[FEATURE_COUNT];
        let (support, rest) = rest.split_at_checked(count as usize)?;
        numbers.extend(support.iter().map(|&number| f64::from(number)));
        numbers.extend(joined(rest)?);
        Self::decode(&numbers)
    }

    /// Of numbers; `None` where they are not those of a machine.
    pub fn decode(numbers: &[f64]) -> Option<Self> {
        let mut numbers = numbers.iter().copied();
        let mut number = || numbers.next();
        fn whole(number: f64) -> Option<usize> {
            (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as usize)
        }
        let kernel = *kernel::ALL.get(whole(number()?)?)?;
        let (gamma, coef0, degree) = (number()?, number()?, u32::try_from(whole(number()?)?).ok()?);
        let mut counts = [0; 5];
        for count in &mut counts {
            *count = whole(number()?)?;
        }
        let [feature_count, class_count, support_count, decision_count, only_class] = counts;
        let support: Vec<f32> = (0..support_count.checked_mul(feature_count)?)
            .map_while(|_| number().map(|number| number as f32))
            .collect();
        let is_sound = class_count <= MOST_CLASSES && only_class < class_count.max(1);
        if support.len() != support_count * feature_count || !is_sound {
            return None;
        }
        let mut decisions = Vec::new();
        for _ in 0..decision_count {
            let classes = [whole(number()?)?, whole(number()?)?];
            let (term_count, rho, has_sigmoid) = (whole(number()?)?, number()?, number()? != 0.0);
            let sigmoid = Sigmoid { a: number()?, b: number()? };
            let mut terms = Vec::new();
            for _ in 0..term_count {
                let at = whole(number()?).filter(|&at| at < support_count)?;
                terms.push((u32::try_from(at).ok()?, number()?));
            }
            if classes.iter().any(|&class| class >= class_count.max(1)) {
                return None;
            }
            decisions.push(Decision { classes, terms, rho, sigmoid: has_sigmoid.then_some(sigmoid) });
        }
        let choice = KernelChoice { kernel, parameters: KernelParameters { gamma, coef0, degree } };
        number().is_none().then_some(Self {
            choice,
            feature_count,
            class_count,
            support,
            decisions,
            only_class,
        })
    }
}
