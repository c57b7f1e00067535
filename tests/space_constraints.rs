//! Constraints: what they mean, beside Python's own reading of them; what is refused, and at which column.

use manytune::space::{Configuration, Constraint, Dimension, Domain, Space, Value};
use proptest::prelude::*;

fn texts(texts: &[&str]) -> Domain {
    Domain::Choice(texts.iter().map(|text| Value::Text(text.to_string())).collect())
}

fn space() -> Space {
    let int = |low, high| Domain::Int { low, high, log: false, step: 1 };
    let float = |low, high| Domain::Float { low, high, log: false, step: None };
    let widths = [&[][..], &[64], &[64, 32], &[8, 8], &[128, 16, 4]];
    Space::new(vec![
        Dimension::new("width", int(1, 1024)),
        Dimension::new("depth", int(1, 4)),
        Dimension::new("rate", float(0.0, 2.0)),
        Dimension::new("hidden", Domain::Choice(widths.map(|list| Value::List(list.to_vec())).to_vec())),
        Dimension::new("optimizer", texts(&["sgd", "adam"])),
        Dimension::new("momentum", float(0.0, 1.0)).when("optimizer", [Value::Text("sgd".into())]),
        Dimension::new("nesterov", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)])),
        Dimension::new("clip", Domain::Choice(vec![Value::Text("none".into()), Value::Float(1.0)])),
        Dimension::new("two words", int(0, 9)),
    ])
    .unwrap()
}

fn constraint(text: &str) -> Constraint {
    let constraint = Constraint::parse("constraints", text).unwrap_or_else(|error| panic!("{error}"));
    constraint.check("constraints", &space()).unwrap_or_else(|error| panic!("{error}"));
    constraint
}

fn configuration(rest: &[(&str, Value)]) -> Configuration {
    let usual = [
        ("width", Value::Int(16)),
        ("depth", Value::Int(2)),
        ("rate", Value::Float(0.5)),
        ("hidden", Value::List(vec![64, 32])),
        ("optimizer", Value::Text("adam".into())),
        ("nesterov", Value::Bool(false)),
        ("clip", Value::Float(1.0)),
        ("two words", Value::Int(3)),
    ];
    usual.into_iter().chain(rest.iter().cloned()).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn holds(text: &str) -> bool {
    constraint(text).holds(&configuration(&[]))
}

/// 600 random expressions; `tests/reference/make_constraints.py` says what Python makes of them.
#[test]
fn constraints_mean_what_python_makes_of_them() {
    let file: serde_json::Value = serde_json::from_str(include_str!("reference/constraints.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 600);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let values: Configuration = serde_json::from_value(case["configuration"].clone()).unwrap();
        let rest: Vec<(&str, Value)> =
            values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let found = constraint(text).holds(&configuration(&rest));
        assert_eq!(found, case["holds"].as_bool().unwrap(), "{text} of {values:?}");
    }
}

#[test]
fn operators_bind_as_the_table_says() {
    for text in [
        "width - 4 - 2 == 10",
        "width / 4 / 2 == 2",
        "2 ** depth ** 3 == 256",
        "-depth ** 2 == -4",
        "depth ** -1 == 0.5",
        "2 + depth * 3 == 8",
        "(2 + depth) * 3 == 12",
        "not depth == 3",
        "not nesterov and depth == 2",
        "nesterov or not nesterov and depth == 2",
        "depth == 2 or nesterov and nesterov",
        "1 < depth < 3",
        "1 < depth <= 2 < width",
        "not 2 < depth < 3",
        "nesterov == false",
        "nesterov != true",
        "`two words` == 3",
        "width == 1_6 and rate == 5e-1 and rate == .5",
        "hidden[0] == 64 and hidden[-1] == 32 and hidden[1] == hidden[-1]",
        "min(hidden) == 32 and max(hidden) == 64 and sum(hidden) == 96 and len(hidden) == 2",
        "min(width, 3, depth) == 2 and max(width, 3, depth) == 16",
        "abs(-depth) == 2 and sqrt(width) == 4 and log(exp(depth)) == 2",
        "optimizer == 'adam' and optimizer != \"sgd\"",
        "clip == 1.0 and clip != 'none'",
        "hidden == hidden",
    ] {
        assert!(holds(text), "{text}");
        assert!(!holds(&format!("not ({text})")), "{text}");
    }
}

#[test]
fn a_constraint_on_what_is_not_there_holds() {
    let momentum = constraint("momentum > 0.5 and width < 3");
    assert!(momentum.holds(&configuration(&[])));
    assert!(!momentum.holds(&configuration(&[("momentum", Value::Float(0.9))])));
    let narrows = constraint("hidden[1] <= hidden[0] / 2");
    let of = |widths: &[i64]| narrows.holds(&configuration(&[("hidden", Value::List(widths.to_vec()))]));
    assert!(of(&[64, 32]) && !of(&[8, 8]) && of(&[64]) && of(&[]));
    // Where the left side decides, the right one is not looked at.
    let two = constraint("len(hidden) >= 2 and hidden[1] > 1");
    assert!(!two.holds(&configuration(&[("hidden", Value::List(vec![64]))])));
    assert!(constraint("max(hidden) < 3").holds(&configuration(&[("hidden", Value::List(vec![]))])));
}

#[test]
fn what_is_undefined_compares_as_false() {
    for text in ["log(-depth) < 0", "log(-depth) >= 0", "(depth - 2) / (depth - 2) == 1", "sqrt(-width) == 1"]
    {
        assert!(!holds(text), "{text}");
    }
    assert!(holds("width / (depth - 2) > 1e300"));
}

/// The error of a constraint; of kind usage, at its place.
fn refused(text: &str) -> String {
    let checked = Constraint::parse("here", text).and_then(|constraint| constraint.check("here", &space()));
    let error = checked.err().unwrap_or_else(|| panic!("accepted: {text}"));
    assert_eq!((error.exit_code(), error.place.as_str()), (2, "here"), "{error}");
    error.to_string()
}

#[test]
fn faults_are_refused_at_their_column() {
    let cases = [
        ("width * dpth <= 9", 9, "unknown hyperparameter \"dpth\"", "did you mean \"depth\"?"),
        ("width * learning_rat < 1", 9, "unknown hyperparameter", "two words"),
        ("optimizer == sgd", 14, "unknown hyperparameter \"sgd\"", "a string stands in quotes: 'sgd'"),
        ("optimizer == 'sdg'", 14, "optimizer is never 'sdg'", "did you mean 'sgd'?"),
        ("'adma' != optimizer", 1, "optimizer is never 'adma'", "did you mean 'adam'?"),
        ("width * depth", 7, "a number, not a condition", "width * depth <= 1024"),
        ("optimizer * 2 < 3", 1, "* of optimizer, which is a string", "* of a number"),
        ("width < 'a'", 9, "< of a string", "< of a number"),
        ("width == 'a'", 10, "a number == a string", "two of the same type"),
        ("width and depth == 1", 1, "and of width, which is a number", "and of true or false"),
        ("not width", 5, "not of width, which is a number", "true or false"),
        ("-nesterov < 3", 2, "- of nesterov, which is true or false", "a number"),
        ("clip < 3", 1, "< of clip, which is a choice between values of several types", "a number"),
        ("width[0] < 3", 1, "an index of width, which is a number", "a list"),
        ("hidden[3] < 3", 1, "hidden[3], which no choice of hidden has", "an index from -3 to 2"),
        ("hidden[-4] < 3", 1, "hidden[-4]", "an index from -3 to 2"),
        ("hidden[0.5] < 3", 8, "\"0.5\" as an index", "0 is the first element"),
        ("hidden[width] < 3", 8, "\"width\" as an index", "a whole number"),
        ("len(width) < 3", 5, "len of width, which is a number", "len of a list"),
        ("sqrt(width, depth) < 3", 1, "sqrt of 2", "sqrt of a number"),
        ("sum(hidden, hidden) < 3", 1, "sum of 2", "sum of a list"),
        ("min(hidden, 3) < 3", 5, "min of hidden, which is a list", "min of a number"),
        ("sqr(width) < 3", 1, "unknown function \"sqr\"", "did you mean \"sqrt\"?"),
        ("width <=", 9, "the end", "a hyperparameter, a number"),
        ("", 1, "the end", "a hyperparameter"),
        ("(width < 3", 11, "the end", "\")\""),
        ("width < 3)", 10, "\")\"", "an operator, or the end"),
        ("width < 3 depth", 11, "\"depth\"", "an operator"),
        ("width < < 3", 9, "\"<\"", "a hyperparameter"),
        ("min() < width", 5, "\")\"", "a hyperparameter"),
        ("width = 3", 7, "\"=\"", "\"==\""),
        ("width < 3 && depth > 1", 11, "\"&&\"", "\"and\""),
        ("width < 3 || depth > 1", 11, "\"||\"", "\"or\""),
        ("!nesterov", 1, "\"!\"", "\"not\""),
        ("width ^ 2 < 9", 7, "\"^\"", "\"**\""),
        ("width % 2 == 0", 7, "\"%\"", "<= >="),
        ("größe < 3", 1, "unknown hyperparameter \"größe\"", "width"),
        ("width < 3 and größe < 'ü", 23, "' without its end", "a second '"),
        ("width < 1.2.3", 9, "1.2.3, which is no number", "1e-3"),
        ("width < 1e999", 9, "1e999, which is no number", "numbers such as"),
        ("width < 3px", 9, "3px, which is no number", "64"),
        ("1 < 2", 3, "no hyperparameter is named", "leave the constraint out"),
        ("width < 3 # small", 11, "\"#\"", "backticks"),
    ];
    for (text, column, found, help) in cases {
        let error = refused(text);
        assert!(error.starts_with(&format!("here: column {column} of \"{text}\": ")), "{error}");
        assert!(error.contains(found), "{found:?} is not in: {error}");
        assert!(error.contains(help), "{help:?} is not in: {error}");
    }
}

/// What is nested or long beyond reason is refused before any recursion over it.
#[test]
fn expressions_without_end_are_refused() {
    for inner in ["(", "-", "not ", "abs(", "2 ** "] {
        let error = refused(&format!("{}width < 3", inner.repeat(100_000)));
        assert!(error.contains("nested too deeply") || error.contains("too long"), "{inner}: {error}");
        let deep = refused(&format!("{}width < 3", inner.repeat(100)));
        assert!(deep.contains("nested too deeply"), "{deep}");
    }
    // Of a long one the part is shown that is at fault.
    let late = refused(&format!("width < 3{} and dpth < 3", " or depth == 2".repeat(20)));
    assert!(
        late.starts_with("here: column 295 of \"… ") && late.contains("and dpth < 3\": unknown"),
        "{late}"
    );
    let sum = |count: usize| format!("width{} < 3", " + 1".repeat(count));
    assert!(refused(&sum(1000)).contains("too long"));
    assert!(!holds(&sum(400)));
}

#[test]
fn a_space_refuses_constraints_that_do_not_fit_it() {
    let constraints = ["width < 3", "heigth < 3"].map(|text| Constraint::parse("", text).unwrap());
    let error = space().with_constraints(constraints.to_vec()).unwrap_err();
    assert!(error.to_string().starts_with("search.constraints[1]: column 1 of \"heigth < 3\""), "{error}");
    let within = space().with_constraints(constraints[..1].to_vec()).unwrap();
    let narrow = configuration(&[("width", Value::Int(2))]);
    assert!(within.contains(&narrow) && within.allows(&narrow));
    assert!(space().contains(&configuration(&[])) && !within.contains(&configuration(&[])));
}

#[test]
fn a_constraint_is_kept_as_it_was_written() {
    let text = "  width*depth<=1024 and  `two words` != 3 ";
    let read = constraint(text);
    assert_eq!(read.to_string(), text.trim());
    assert_eq!(constraint(&read.to_string()), read);
    assert_ne!(constraint("width < 3"), constraint("width < 4"));
    assert_eq!(read.names(), ["width", "depth", "two words"]);
}

proptest! {
    /// Whatever is typed, it is read or refused.
    #[test]
    fn no_text_breaks_the_reader(text in "[a-z0-9 ()\\[\\]<>=!+*/.,'`_-]{0,40}") {
        if let Ok(constraint) = Constraint::parse("here", &text)
            && constraint.check("here", &space()).is_ok()
        {
            constraint.holds(&configuration(&[]));
        }
    }

    #[test]
    fn no_words_break_the_reader(words in prop::collection::vec(
        prop::sample::select(vec![
            "width", "hidden", "optimizer", "'sgd'", "nesterov", "3", "-", "not", "and", "or", "<", "==", "**",
            "(", ")", "[", "]", "min(", "len(", ",", "true",
        ]),
        0..12,
    )) {
        if let Ok(constraint) = Constraint::parse("here", &words.join(" "))
            && constraint.check("here", &space()).is_ok()
        {
            constraint.holds(&configuration(&[]));
        }
    }
}
