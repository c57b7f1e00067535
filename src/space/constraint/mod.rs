//! Constraints over several hyperparameters, as `width * depth <= 1024`.
//!
//! | part | means |
//! |---|---|
//! | `64`, `0.5`, `1e-3` | a number |
//! | `'sgd'`, `"sgd"` | a string; with `==` and `!=` |
//! | `true`, `false` | with `==`, or where a condition stands |
//! | `width`, `` `a name` `` | a hyperparameter of the space; in backticks where it has other signs than letters, digits and `_` |
//! | `hidden[0]`, `hidden[-1]` | an element of a list: the first, the last |
//! | `+ - * / **` | arithmetic on numbers; `-x ** 2` is `-(x ** 2)` |
//! | `< <= > >= == !=` | comparisons; `1 < x < 3` is `1 < x and x < 3` |
//! | `not`, `and`, `or` | in this order, weaker than comparisons; the right side counts only where the left one does not decide |
//! | `abs(x) log(x) exp(x) sqrt(x)` | of a number; `log` is natural |
//! | `min(x, …) max(x, …)` | of numbers, or of a list |
//! | `len(hidden) sum(hidden)` | of a list |
//!
//! A constraint that names an inactive hyperparameter, or that takes an element behind the last one of its
//! list, does not apply: it holds. Numbers are f64; a comparison with what is undefined (0 / 0, log(-1)) is
//! false, as in IEEE 754.

mod check;
mod evaluate;
mod parse;
mod token;

use super::{Configuration, Space};
use crate::error::{Error, Result, cut};
use evaluate::{Datum, evaluate};
use parse::{Kind, Node};
use std::fmt;

/// A condition that every configuration of a space must meet.
#[derive(Clone, Debug)]
pub struct Constraint {
    text: String,
    root: Node,
    names: Vec<String>,
}

impl Constraint {
    /// Reads a constraint. Errors name the column; whether its names and types fit a space is for
    /// [`check`](Self::check) to say. `place` is where the text stands.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        let root = parse::parse(text).map_err(|fault| fault.error(place, text))?;
        let mut names = Vec::new();
        collect_names(&root, &mut names);
        if names.is_empty() {
            let fault =
                Fault::new(root.column, "no hyperparameter is named").advice("leave the constraint out");
            return Err(fault.allowed("a condition over hyperparameters").error(place, text));
        }
        Ok(Self { text: text.to_owned(), root, names })
    }

    /// Refuses a constraint over names that the space does not have, with operators that do not fit their
    /// types, or that is not true or false. Errors name the column.
    pub fn check(&self, place: &str, space: &Space) -> Result<()> {
        check::check(&self.root, space).map_err(|fault| fault.error(place, &self.text))
    }

    /// Whether a configuration meets it; also where it does not apply.
    pub fn holds(&self, configuration: &Configuration) -> bool {
        if self.names.iter().any(|name| !configuration.contains_key(name)) {
            return true;
        }
        match evaluate(&self.root, configuration) {
            Some(Datum::Bool(holds)) => holds,
            _ => true,
        }
    }

    /// The hyperparameters that it names, each once.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// Constraints are the same where their texts are.
impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Constraint {
    /// As it was written, but for spaces at its ends.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn collect_names(node: &Node, names: &mut Vec<String>) {
    match &node.kind {
        Kind::Name(name) | Kind::Element(name, _) if !names.contains(name) => names.push(name.clone()),
        Kind::Negate(inner) | Kind::Not(inner) => collect_names(inner, names),
        Kind::Binary(_, sides) => sides.iter().for_each(|side| collect_names(side, names)),
        Kind::Call(_, arguments) => arguments.iter().for_each(|argument| collect_names(argument, names)),
        _ => {}
    }
}

/// What is wrong with a constraint, at a column.
#[derive(Debug)]
struct Fault {
    column: usize,
    found: String,
    allowed: String,
    advice: String,
}

impl Fault {
    fn new(column: usize, found: impl Into<String>) -> Self {
        Self { column, found: found.into(), allowed: String::new(), advice: String::new() }
    }

    /// The same, found from this column on.
    fn at(self, column: usize) -> Self {
        Self { column: column + self.column - 1, ..self }
    }

    fn allowed(self, allowed: impl Into<String>) -> Self {
        Self { allowed: allowed.into(), ..self }
    }

    fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    fn error(self, place: &str, text: &str) -> Error {
        let found =
            format!("column {} of \"{}\": {}", self.column, around(text, self.column), cut(&self.found));
        Error::usage(place, found).allowed(self.allowed).advice(self.advice)
    }
}

/// The part of a long text around a column.
fn around(text: &str, column: usize) -> String {
    const EACH_SIDE: usize = 40;
    let count = text.chars().count();
    if count <= 2 * EACH_SIDE {
        return text.to_owned();
    }
    let start = column.saturating_sub(EACH_SIDE).min(count - 2 * EACH_SIDE);
    let part: String = text.chars().skip(start).take(2 * EACH_SIDE).collect();
    let before = if start > 0 { "… " } else { "" };
    let after = if start + 2 * EACH_SIDE < count { " …" } else { "" };
    format!("{before}{part}{after}")
}
