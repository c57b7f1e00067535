//! Cuts the text of a constraint into tokens, each with the column where it begins.

use super::Fault;

/// What stands between spaces and brackets.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A number.
    Number(f64),
    /// A string in quotes.
    Text(String),
    /// A hyperparameter, or a function where a bracket follows; never a [`WORDS`] unless in backticks.
    Name(String),
    /// One of [`SYMBOLS`] or [`WORDS`].
    Symbol(&'static str),
}

impl Token {
    /// As a message shows it.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("'{text}'"),
            Self::Name(name) => name.clone(),
            Self::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// Longer ones before those that they begin with.
const SYMBOLS: &[&str] =
    &["**", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ","];
/// Names that are none.
const WORDS: &[&str] = &["and", "or", "not", "true", "false"];
/// What other languages write, and what is written here.
const FOREIGN: &[(&str, &str)] =
    &[("&&", "and"), ("||", "or"), ("!", "not"), ("=", "=="), ("&", "and"), ("|", "or"), ("^", "**")];

/// Tokens of a constraint at most: it is read and judged by recursion.
const MOST_TOKENS: usize = 1000;

/// The tokens of a text with their columns, counted in characters from 1.
pub fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Fault> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let column = at + 1;
        let (token, length) = next(&characters[at..]).map_err(|fault| fault.at(column))?;
        at += length;
        tokens.push((token, column));
        if tokens.len() > MOST_TOKENS {
            return Err(
                Fault::new(column, "too long to go on").allowed(format!("{MOST_TOKENS} words and signs"))
            );
        }
    }
    Ok(tokens)
}

/// The token that a text begins with, and its length.
fn next(rest: &[char]) -> Result<(Token, usize), Fault> {
    match rest[0] {
        quote @ ('\'' | '"' | '`') => quoted(rest, quote),
        c if c.is_ascii_digit() || (c == '.' && rest.get(1).is_some_and(char::is_ascii_digit)) => {
            number(rest)
        }
        c if c.is_alphabetic() || c == '_' => Ok(word(rest)),
        _ => symbol(rest),
    }
}

fn quoted(rest: &[char], quote: char) -> Result<(Token, usize), Fault> {
    let Some(length) = rest[1..].iter().position(|&c| c == quote) else {
        return Err(Fault::new(1, format!("{quote} without its end")).advice(format!("a second {quote}")));
    };
    let inside: String = rest[1..=length].iter().collect();
    let token = if quote == '`' { Token::Name(inside) } else { Token::Text(inside) };
    Ok((token, length + 2))
}

fn number(rest: &[char]) -> Result<(Token, usize), Fault> {
    let is_part = |i: usize| match rest[i] {
        '+' | '-' => matches!(rest[i - 1], 'e' | 'E'),
        c => c.is_ascii_alphanumeric() || c == '.' || c == '_',
    };
    let length = (1..rest.len()).find(|&i| !is_part(i)).unwrap_or(rest.len());
    let text: String = rest[..length].iter().collect();
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), length)),
        _ => {
            Err(Fault::new(1, format!("{text}, which is no number")).allowed("numbers such as 64, 0.5, 1e-3"))
        }
    }
}

fn word(rest: &[char]) -> (Token, usize) {
    let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
    let length = rest.iter().position(|c| !is_part(c)).unwrap_or(rest.len());
    let word: String = rest[..length].iter().collect();
    match WORDS.iter().find(|known| **known == word) {
        Some(known) => (Token::Symbol(known), length),
        None => (Token::Name(word), length),
    }
}

fn symbol(rest: &[char]) -> Result<(Token, usize), Fault> {
    let begins = |symbol: &str| symbol.chars().enumerate().all(|(i, c)| rest.get(i) == Some(&c));
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| begins(symbol)) {
        return Ok((Token::Symbol(symbol), symbol.len()));
    }
    let fault = |found: &str| Fault::new(1, format!("\"{found}\"")).allowed(SYMBOLS.join(" "));
    match FOREIGN.iter().find(|(foreign, _)| begins(foreign)) {
        Some((foreign, own)) => Err(fault(foreign).advice(format!("\"{own}\""))),
        None => {
            Err(fault(&rest[0].to_string()).advice("a name with other signs stands in backticks: `name`"))
        }
    }
}
