//! From the text of a constraint to its expression, by precedence climbing (Pratt, "Top down operator
//! precedence", 1973).

use super::Fault;
use super::token::{Token, tokens};
use crate::error::nearest;

/// A part of an expression, and the column where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// In characters from 1: of the operator where there is one.
    pub column: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a part of an expression can be.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A hyperparameter.
    Name(String),
    /// `hidden[0]`; from the end where negative.
    Element(String, i64),
    /// `-x`
    Negate(Box<Node>),
    /// `not x`
    Not(Box<Node>),
    /// An operator between two.
    Binary(Operator, Box<[Node; 2]>),
    /// A function of some.
    Call(Function, Vec<Node>),
}

/// Operators between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their signs say it")]
pub enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Below,
    AtMost,
    Above,
    AtLeast,
    Plus,
    Minus,
    Times,
    By,
    Power,
}

impl Operator {
    /// Every operator with its sign and how strongly it binds.
    const ALL: &[(Self, &str, u8)] = &[
        (Self::Or, "or", 1),
        (Self::And, "and", 2),
        (Self::Equal, "==", COMPARISON),
        (Self::Unequal, "!=", COMPARISON),
        (Self::Below, "<", COMPARISON),
        (Self::AtMost, "<=", COMPARISON),
        (Self::Above, ">", COMPARISON),
        (Self::AtLeast, ">=", COMPARISON),
        (Self::Plus, "+", 4),
        (Self::Minus, "-", 4),
        (Self::Times, "*", 5),
        (Self::By, "/", 5),
        (Self::Power, "**", POWER),
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(operator, ..)| *operator == self).map_or("", |(_, sign, _)| sign)
    }
}

const COMPARISON: u8 = 3;
/// Of a minus before a number: -x ** 2 is -(x ** 2).
const MINUS: u8 = 6;
const POWER: u8 = 7;

/// Functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Function {
    Min,
    Max,
    Abs,
    Log,
    Exp,
    Sqrt,
    Len,
    Sum,
}

impl Function {
    const ALL: &[(Self, &str)] = &[
        (Self::Min, "min"),
        (Self::Max, "max"),
        (Self::Abs, "abs"),
        (Self::Log, "log"),
        (Self::Exp, "exp"),
        (Self::Sqrt, "sqrt"),
        (Self::Len, "len"),
        (Self::Sum, "sum"),
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(function, _)| *function == self).map_or("", |(_, name)| name)
    }
}

/// How deep brackets, signs and exponents may be nested: each level is a recursion.
const MOST_DEPTH: usize = 50;

/// The expression of a text; what its names mean is not known yet.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0, end: text.chars().count() + 1 };
    let node = parser.expression(0)?;
    match parser.peek() {
        None => Ok(node),
        Some(token) => Err(parser.fault(format!("\"{}\"", token.text())).allowed("an operator, or the end")),
    }
}

struct Parser<'a> {
    tokens: &'a [(Token, usize)],
    next: usize,
    depth: usize,
    /// The column behind the text.
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, column)| *column)
    }

    fn fault(&self, found: impl Into<String>) -> Fault {
        Fault::new(self.column(), found)
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let is_here = self.is(symbol);
        self.next += usize::from(is_here);
        is_here
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Fault> {
        match self.accept(symbol) {
            true => Ok(()),
            false => Err(self.fault(self.here()).allowed(format!("\"{symbol}\""))),
        }
    }

    /// What stands here, in words.
    fn here(&self) -> String {
        self.peek().map_or("the end".to_owned(), |token| format!("\"{}\"", token.text()))
    }

    /// An expression whose operators all bind at least so strongly.
    fn expression(&mut self, least: u8) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.fault("nested too deeply").allowed(format!("{MOST_DEPTH} levels")));
        }
        let mut left = self.operand()?;
        while let Some((operator, strength)) = self.operator().filter(|(_, strength)| *strength >= least) {
            let column = self.column();
            self.next += 1;
            // Powers group from the right, all else from the left.
            let right = self.expression(if strength == POWER { POWER } else { strength + 1 })?;
            left = match strength {
                COMPARISON => self.comparisons(left, operator, column, right)?,
                _ => binary(operator, column, left, right),
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let Some(Token::Symbol(sign)) = self.peek() else { return None };
        let found = Operator::ALL.iter().find(|(_, known, _)| known == sign);
        found.map(|(operator, _, strength)| (*operator, *strength))
    }

    /// `a < b < c` is `a < b and b < c`.
    fn comparisons(
        &mut self,
        left: Node,
        operator: Operator,
        column: usize,
        right: Node,
    ) -> Result<Node, Fault> {
        let mut last = right.clone();
        let mut all = binary(operator, column, left, right);
        while let Some((operator, COMPARISON)) = self.operator() {
            let column = self.column();
            self.next += 1;
            let next = self.expression(COMPARISON + 1)?;
            all = binary(Operator::And, column, all, binary(operator, column, last, next.clone()));
            last = next;
        }
        Ok(all)
    }

    fn operand(&mut self) -> Result<Node, Fault> {
        let column = self.column();
        let Some(token) = self.peek().cloned() else { return Err(self.missing()) };
        let kind = match token {
            Token::Number(number) => Kind::Number(number),
            Token::Text(text) => Kind::Text(text),
            Token::Symbol("true") => Kind::Bool(true),
            Token::Symbol("false") => Kind::Bool(false),
            Token::Name(name) => {
                self.next += 1;
                return Ok(Node { column, kind: self.named(name, column)? });
            }
            Token::Symbol("-") => {
                self.next += 1;
                return Ok(Node { column, kind: Kind::Negate(Box::new(self.expression(MINUS)?)) });
            }
            Token::Symbol("not") => {
                self.next += 1;
                return Ok(Node { column, kind: Kind::Not(Box::new(self.expression(COMPARISON)?)) });
            }
            Token::Symbol("(") => {
                self.next += 1;
                let inside = self.expression(0)?;
                self.expect(")")?;
                return Ok(inside);
            }
            Token::Symbol(_) => return Err(self.missing()),
        };
        self.next += 1;
        Ok(Node { column, kind })
    }

    fn missing(&self) -> Fault {
        self.fault(self.here())
            .allowed("a hyperparameter, a number, a string in quotes, true, false, not, - or (")
    }

    /// A hyperparameter, an element of one, or a function.
    fn named(&mut self, name: String, column: usize) -> Result<Kind, Fault> {
        if self.accept("[") {
            return self.element(name);
        }
        if !self.accept("(") {
            return Ok(Kind::Name(name));
        }
        let Some((function, _)) = Function::ALL.iter().find(|(_, known)| *known == name) else {
            let names: Vec<&str> = Function::ALL.iter().map(|(_, name)| *name).collect();
            let fault = Fault::new(column, format!("unknown function \"{name}\"")).allowed(names.join(", "));
            return Err(match nearest(&name, names.iter().copied()) {
                Some(near) => fault.advice(format!("did you mean \"{near}\"?")),
                None => fault,
            });
        };
        let mut arguments = vec![self.expression(0)?];
        while self.accept(",") {
            arguments.push(self.expression(0)?);
        }
        self.expect(")")?;
        Ok(Kind::Call(*function, arguments))
    }

    fn element(&mut self, name: String) -> Result<Kind, Fault> {
        let is_negative = self.accept("-");
        let index = match self.peek() {
            Some(Token::Number(number)) if number.fract() == 0.0 && *number <= 1e6 => *number as i64,
            _ => {
                let allowed = "a whole number: 0 is the first element, -1 the last";
                return Err(self.fault(format!("{} as an index", self.here())).allowed(allowed));
            }
        };
        self.next += 1;
        self.expect("]")?;
        Ok(Kind::Element(name, if is_negative { -index } else { index }))
    }
}

fn binary(operator: Operator, column: usize, left: Node, right: Node) -> Node {
    Node { column, kind: Kind::Binary(operator, Box::new([left, right])) }
}
