//! A solver seen from inside, for the verifier: what it works with, and where it stands.

use super::pair::Pair;

/// One dual problem on its way. Variables come in one or two layers of as many as the problem has rows, as in
/// [`smo`](super::smo).
#[derive(Clone, Debug, PartialEq)]
pub struct Dual {
    /// Which problem of its fold.
    pub pair: Pair,
    /// The C of the path that the solver has come to.
    pub cost: f64,
    /// Steps taken on all of the path.
    pub iterations: u64,
    /// (row, row) kernel values as the solver uses them.
    pub kernel: Vec<f64>,
    /// (variable) a
    pub a: Vec<f64>,
    /// (variable) F = p − Ka as the solver keeps it.
    pub f: Vec<f64>,
}
