//! Whether the names of a constraint are hyperparameters of a space, and its operators fit their types.

use super::Fault;
use super::parse::{Function, Kind, Node, Operator};
use crate::error::nearest;
use crate::space::{Domain, Space, Value};

/// What a part of an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Number,
    /// A string.
    Text,
    /// `true` or `false`.
    Bool,
    /// A list of whole numbers.
    List,
    /// A choice between values of several types.
    Mixed,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Mixed => "a choice between values of several types",
        }
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::Float(_) => Self::Number,
            Value::Text(_) => Self::Text,
            Value::List(_) => Self::List,
        }
    }

    fn of_domain(domain: &Domain) -> Self {
        let values = match domain {
            Domain::Float { .. } | Domain::Int { .. } => return Self::Number,
            Domain::Fixed(value) => std::slice::from_ref(value),
            Domain::Choice(values) => values,
        };
        let first = values.first().map_or(Self::Mixed, Self::of);
        if values.iter().all(|value| Self::of(value) == first) { first } else { Self::Mixed }
    }
}

/// Refuses an expression that is not true or false in this space.
pub fn check(node: &Node, space: &Space) -> Result<(), Fault> {
    match type_of(node, space)? {
        Type::Bool => Ok(()),
        other => Err(Fault::new(node.column, format!("{}, not a condition", other.name()))
            .allowed("what is true or false, such as width * depth <= 1024")),
    }
}

fn type_of(node: &Node, space: &Space) -> Result<Type, Fault> {
    Ok(match &node.kind {
        Kind::Number(_) => Type::Number,
        Kind::Text(_) => Type::Text,
        Kind::Bool(_) => Type::Bool,
        Kind::Name(name) => Type::of_domain(domain(node, name, space)?),
        Kind::Element(name, index) => {
            let domain = domain(node, name, space)?;
            expect(node, Type::of_domain(domain), Type::List, "an index")?;
            check_index(node, name, *index, domain)?;
            Type::Number
        }
        Kind::Negate(inner) => numeric(inner, space, "-")?,
        Kind::Not(inner) => {
            expect(inner, type_of(inner, space)?, Type::Bool, "not")?;
            Type::Bool
        }
        Kind::Binary(operator, sides) => binary(*operator, sides, space)?,
        Kind::Call(function, arguments) => call(node, *function, arguments, space)?,
    })
}

fn domain<'a>(node: &Node, name: &str, space: &'a Space) -> Result<&'a Domain, Fault> {
    if let Some(dimension) = space.get(name) {
        return Ok(&dimension.domain);
    }
    let names = || space.dimensions.iter().map(|dimension| dimension.name.as_str());
    let fault = Fault::new(node.column, format!("unknown hyperparameter \"{name}\""))
        .allowed(format!("those of [space]: {}", names().collect::<Vec<_>>().join(", ")));
    Err(match nearest(name, names()) {
        Some(near) => fault.advice(format!("did you mean \"{near}\"?")),
        None => fault.advice(format!("add {name} to [space]; a string stands in quotes: '{name}'")),
    })
}

/// An index that no list of the domain has.
fn check_index(node: &Node, name: &str, index: i64, domain: &Domain) -> Result<(), Fault> {
    let length = |value: &Value| if let Value::List(list) = value { list.len() as i64 } else { 0 };
    let longest = match domain {
        Domain::Fixed(value) => length(value),
        Domain::Choice(values) => values.iter().map(length).max().unwrap_or(0),
        _ => 0,
    };
    match (-longest..longest).contains(&index) {
        true => Ok(()),
        false => Err(Fault::new(node.column, format!("{name}[{index}], which no choice of {name} has"))
            .allowed(format!("an index from {} to {}", -longest, longest - 1))),
    }
}

fn expect(node: &Node, found: Type, wanted: Type, place: &str) -> Result<(), Fault> {
    if found == wanted {
        return Ok(());
    }
    let found = match &node.kind {
        Kind::Name(name) | Kind::Element(name, _) => format!("{name}, which is {}", found.name()),
        _ => found.name().to_owned(),
    };
    Err(Fault::new(node.column, format!("{place} of {found}"))
        .allowed(format!("{place} of {}", wanted.name())))
}

fn numeric(node: &Node, space: &Space, place: &str) -> Result<Type, Fault> {
    expect(node, type_of(node, space)?, Type::Number, place)?;
    Ok(Type::Number)
}

fn binary(operator: Operator, sides: &[Node; 2], space: &Space) -> Result<Type, Fault> {
    let types = [type_of(&sides[0], space)?, type_of(&sides[1], space)?];
    let both = |wanted: Type| {
        sides.iter().zip(types).try_for_each(|(side, found)| expect(side, found, wanted, operator.sign()))
    };
    match operator {
        Operator::Or | Operator::And => both(Type::Bool)?,
        Operator::Equal | Operator::Unequal => {
            if types[0] != types[1] && !types.contains(&Type::Mixed) {
                let found = format!("{} {} {}", types[0].name(), operator.sign(), types[1].name());
                return Err(Fault::new(sides[1].column, found).allowed("two of the same type"));
            }
            check_choice(&sides[0], &sides[1], space)?;
            check_choice(&sides[1], &sides[0], space)?;
        }
        Operator::Below | Operator::AtMost | Operator::Above | Operator::AtLeast => both(Type::Number)?,
        _ => {
            both(Type::Number)?;
            return Ok(Type::Number);
        }
    }
    Ok(Type::Bool)
}

/// `optimizer == 'sdg'`: a string that the hyperparameter never is.
fn check_choice(named: &Node, text: &Node, space: &Space) -> Result<(), Fault> {
    let (Kind::Name(name), Kind::Text(found)) = (&named.kind, &text.kind) else { return Ok(()) };
    let known = domain(named, name, space)?;
    if known.contains(&Value::Text(found.clone())) {
        return Ok(());
    }
    let fault = Fault::new(text.column, format!("{name} is never '{found}'")).allowed(known.text());
    let values = match known {
        Domain::Fixed(value) => std::slice::from_ref(value),
        Domain::Choice(values) => values,
        _ => &[],
    };
    let names = values.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    Err(match nearest(found, names) {
        Some(near) => fault.advice(format!("did you mean '{near}'?")),
        None => fault,
    })
}

fn call(node: &Node, function: Function, arguments: &[Node], space: &Space) -> Result<Type, Fault> {
    let name = function.name();
    let types: Vec<Type> =
        arguments.iter().map(|argument| type_of(argument, space)).collect::<Result<_, _>>()?;
    let (wanted, one) = match function {
        // Of numbers, or of the elements of one list.
        Function::Min | Function::Max if types == [Type::List] => return Ok(Type::Number),
        Function::Min | Function::Max => (Type::Number, false),
        Function::Len | Function::Sum => (Type::List, true),
        _ => (Type::Number, true),
    };
    if one && types.len() > 1 {
        return Err(Fault::new(node.column, format!("{name} of {}", types.len()))
            .allowed(format!("{name} of {}", wanted.name())));
    }
    arguments.iter().zip(types).try_for_each(|(argument, found)| expect(argument, found, wanted, name))?;
    Ok(Type::Number)
}
