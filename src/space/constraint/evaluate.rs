//! What an expression comes to for a configuration. Logarithms and their like are libm's, so that a constraint
//! decides alike on every platform.

use super::parse::{Function, Kind, Node, Operator};
use crate::space::{Configuration, Value};

/// A value of an expression.
#[derive(Clone, Copy, Debug)]
pub enum Datum<'a> {
    /// Whole numbers too: exact up to 2⁵³.
    Number(f64),
    /// A string.
    Text(&'a str),
    /// A truth.
    Bool(bool),
    /// A list.
    List(&'a [i64]),
}

impl Datum<'_> {
    fn number(self) -> Option<f64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    fn truth(self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(truth) } else { None }
    }

    /// Equal, and of one type.
    fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            _ => false,
        }
    }
}

/// The value of an expression; `None` where it takes what is not there: an inactive hyperparameter, an element
/// behind the last.
pub fn evaluate<'a>(node: &'a Node, configuration: &'a Configuration) -> Option<Datum<'a>> {
    Some(match &node.kind {
        Kind::Number(number) => Datum::Number(*number),
        Kind::Text(text) => Datum::Text(text),
        Kind::Bool(truth) => Datum::Bool(*truth),
        Kind::Name(name) => datum(configuration.get(name)?),
        Kind::Element(name, index) => Datum::Number(element(configuration.get(name)?, *index)?),
        Kind::Negate(inner) => Datum::Number(-evaluate(inner, configuration)?.number()?),
        Kind::Not(inner) => Datum::Bool(!evaluate(inner, configuration)?.truth()?),
        Kind::Binary(operator, sides) => binary(*operator, sides, configuration)?,
        Kind::Call(function, arguments) => Datum::Number(call(*function, arguments, configuration)?),
    })
}

fn datum(value: &Value) -> Datum<'_> {
    match value {
        Value::Bool(truth) => Datum::Bool(*truth),
        Value::Int(number) => Datum::Number(*number as f64),
        Value::Float(number) => Datum::Number(*number),
        Value::Text(text) => Datum::Text(text),
        Value::List(list) => Datum::List(list),
    }
}

/// From the end where the index is negative.
fn element(list: &Value, index: i64) -> Option<f64> {
    let Value::List(list) = list else { return None };
    let index = if index < 0 { index + list.len() as i64 } else { index };
    list.get(usize::try_from(index).ok()?).map(|&element| element as f64)
}

fn binary<'a>(
    operator: Operator,
    sides: &'a [Node; 2],
    configuration: &'a Configuration,
) -> Option<Datum<'a>> {
    let left = evaluate(&sides[0], configuration)?;
    // The right side is not looked at where the left one decides.
    match operator {
        Operator::Or if left.truth()? => return Some(Datum::Bool(true)),
        Operator::And if !left.truth()? => return Some(Datum::Bool(false)),
        _ => {}
    }
    let right = evaluate(&sides[1], configuration)?;
    let numbers = || Some((left.number()?, right.number()?));
    let compared = |holds: fn(&f64, &f64) -> bool| numbers().map(|(a, b)| Datum::Bool(holds(&a, &b)));
    let computed = |f: fn(f64, f64) -> f64| numbers().map(|(a, b)| Datum::Number(f(a, b)));
    match operator {
        Operator::Or | Operator::And => Some(Datum::Bool(right.truth()?)),
        Operator::Equal => Some(Datum::Bool(left.equals(right))),
        Operator::Unequal => Some(Datum::Bool(!left.equals(right))),
        Operator::Below => compared(f64::lt),
        Operator::AtMost => compared(f64::le),
        Operator::Above => compared(f64::gt),
        Operator::AtLeast => compared(f64::ge),
        Operator::Plus => computed(|a, b| a + b),
        Operator::Minus => computed(|a, b| a - b),
        Operator::Times => computed(|a, b| a * b),
        Operator::By => computed(|a, b| a / b),
        Operator::Power => computed(libm::pow),
    }
}

fn call(function: Function, arguments: &[Node], configuration: &Configuration) -> Option<f64> {
    let first = evaluate(arguments.first()?, configuration)?;
    let smaller = |a: f64, b: f64| if b.total_cmp(&a).is_lt() { b } else { a };
    let larger = |a: f64, b: f64| if b.total_cmp(&a).is_gt() { b } else { a };
    match function {
        Function::Min => numbers(first, arguments, configuration)?.into_iter().reduce(smaller),
        Function::Max => numbers(first, arguments, configuration)?.into_iter().reduce(larger),
        Function::Abs => Some(first.number()?.abs()),
        Function::Log => Some(libm::log(first.number()?)),
        Function::Exp => Some(libm::exp(first.number()?)),
        Function::Sqrt => Some(first.number()?.sqrt()),
        Function::Len => list(first).map(|list| list.len() as f64),
        Function::Sum => list(first).map(|list| list.iter().map(|&element| element as f64).sum()),
    }
}

fn list(datum: Datum<'_>) -> Option<&[i64]> {
    if let Datum::List(list) = datum { Some(list) } else { None }
}

/// The arguments of `min` and `max`: numbers, or the elements of one list.
fn numbers(first: Datum<'_>, arguments: &[Node], configuration: &Configuration) -> Option<Vec<f64>> {
    match first {
        Datum::List(list) => Some(list.iter().map(|&element| element as f64).collect()),
        _ => arguments.iter().map(|argument| evaluate(argument, configuration)?.number()).collect(),
    }
}
