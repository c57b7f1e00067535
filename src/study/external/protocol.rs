//! What a search and the program that evaluates its objective say to each other: JSON, one object a line.
//!
//! ```text
//! search:  {"ask":[{"number":0,"hyperparameters":{"x":0.25}},…]}    a batch: all of it is told before the next
//! program: {"tell":{"number":0,"value":0.12}}
//!          {"tell":{"number":0,"state":"failed"}}
//!          {"tell":{"number":0,"intermediate":{"step":3,"value":0.4}}}
//! search:  {"stop":[0]}                                             at once, after every intermediate
//! search:  {"best":{"number":0,"value":0.12,"hyperparameters":{"x":0.25}}}      the last line; null: none
//! ```

use crate::error::{Error, Result, cut, unknown_name};
use crate::search::{Asked, Best};
use serde_json::{Map, Value, json};

/// What a line may look like, for errors.
const FORMS: &str = "{\"tell\":{\"number\":0,\"value\":0.12}}; instead of the value, \"state\":\"failed\" or \
                     \"intermediate\":{\"step\":3,\"value\":0.4}";

/// What the program says of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tell {
    /// Which trial.
    pub number: u64,
    /// What of it.
    pub news: News,
}

/// What is said of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum News {
    /// It has ended with this objective.
    Value(f64),
    /// It came to nothing.
    Failed,
    /// It goes on, and has come to this.
    Intermediate {
        /// How far it is, in the program's own unit.
        step: u64,
        /// Its objective there.
        value: f64,
    },
}

/// The line that asks for trials, with its line break.
pub fn ask_line(batch: &[Asked]) -> String {
    let trial = |asked: &Asked| json!({ "number": asked.number, "hyperparameters": asked.configuration });
    let trials: Vec<Value> = batch.iter().map(trial).collect();
    format!("{}\n", json!({ "ask": trials }))
}

/// The line that answers an intermediate value, with its line break.
pub fn stop_line(numbers: &[u64]) -> String {
    format!("{}\n", json!({ "stop": numbers }))
}

/// The last line, with its line break.
pub fn best_line(best: Option<&Best>) -> String {
    let best = best.map(
        |best| json!({ "number": best.number, "value": best.value, "hyperparameters": best.configuration }),
    );
    format!("{}\n", json!({ "best": best }))
}

/// Reads a line of the program. Errors are of kind usage; `place` says which line it is.
pub fn read(place: &str, line: &[u8]) -> Result<Tell> {
    let text = String::from_utf8_lossy(line);
    let whole: Value = serde_json::from_slice(line).map_err(|error| not_json(place, &text, &error))?;
    let refuse = |found: String| Error::usage(place, found).allowed(FORMS);
    let object = whole.as_object().ok_or_else(|| refuse(describe(&whole)))?;
    expect(place, "", object, &["tell"])?;
    let tell = object.get("tell").ok_or_else(|| refuse("an empty object".to_owned()))?;
    let tell = tell.as_object().ok_or_else(|| refuse(format!("tell: {}", describe(tell))))?;
    expect(place, "tell.", tell, &["number", "value", "state", "intermediate"])?;
    let number = whole_number(place, "tell.number", tell.get("number"))?;
    let said: Vec<(&str, &Value)> = ["value", "state", "intermediate"]
        .into_iter()
        .filter_map(|key| Some((key, tell.get(key)?)))
        .collect();
    let news = match said[..] {
        [("value", value)] => News::Value(real_number(place, "tell.value", value)?),
        [("state", Value::String(state))] if state == "failed" => News::Failed,
        [("state", other)] => {
            return Err(Error::usage(place, format!("tell.state: {}", describe(other)))
                .allowed("\"failed\"; of a trial that is complete its value alone is told"));
        }
        [("intermediate", value)] => intermediate(place, value)?,
        [] => return Err(refuse(format!("nothing is told of trial {number}"))),
        [(first, _), (second, _), ..] => return Err(refuse(format!("tell.{second} beside tell.{first}"))),
        [_] => return Err(refuse(describe(&whole))),
    };
    Ok(Tell { number, news })
}

fn intermediate(place: &str, value: &Value) -> Result<News> {
    let object = value.as_object().ok_or_else(|| {
        Error::usage(place, format!("tell.intermediate: {}", describe(value))).allowed(FORMS)
    })?;
    expect(place, "tell.intermediate.", object, &["step", "value"])?;
    let step = whole_number(place, "tell.intermediate.step", object.get("step"))?;
    let value = object.get("value").unwrap_or(&Value::Null);
    Ok(News::Intermediate { step, value: real_number(place, "tell.intermediate.value", value)? })
}

/// Refuses keys that are not in the list, naming the nearest.
fn expect(place: &str, prefix: &str, object: &Map<String, Value>, known: &[&str]) -> Result<()> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let what = match prefix.trim_end_matches('.') {
                "" => "key".to_owned(),
                table => format!("key of \"{table}\""),
            };
            Err(unknown_name(place, &what, key, known.iter().copied()))
        }
    }
}

fn whole_number(place: &str, key: &str, value: Option<&Value>) -> Result<u64> {
    // Half of the range: what the store holds.
    let number = value.and_then(Value::as_u64).filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| {
        let found = value.map_or_else(|| "is missing".to_owned(), describe);
        Error::usage(place, format!("{key}: {found}")).allowed("a whole number from 0 on")
    })
}

fn real_number(place: &str, key: &str, value: &Value) -> Result<f64> {
    value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| {
        Error::usage(place, format!("{key}: {}", describe(value)))
            .allowed("a finite number")
            .advice(WITHOUT_VALUE)
    })
}

/// What to say of a trial whose objective is not a finite number.
const WITHOUT_VALUE: &str = "\"state\":\"failed\" for a trial that has no value";

fn not_json(place: &str, text: &str, error: &serde_json::Error) -> Error {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let found = format!("not JSON: {message} at character {}: {}", error.column(), cut(text.trim_end()));
    let is_not_finite =
        message == "number out of range" || ["NaN", "Infinity"].iter().any(|word| text.contains(word));
    let error = Error::usage(place, found);
    match is_not_finite {
        true => error.allowed("finite numbers: JSON has no NaN and no infinity").advice(WITHOUT_VALUE),
        false => error.allowed(format!("one JSON object a line: {FORMS}")),
    }
}

/// What a value is, in words.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string \"{}\"", cut(text)),
        Value::Array(values) => format!("a list of {}", values.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space;

    fn told(line: &str) -> Tell {
        read("line 1", line.as_bytes()).unwrap()
    }

    fn refusal(line: &[u8]) -> String {
        let error = read("line 7", line).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.place == "line 7" && !error.allowed.is_empty(), "{error}");
        error.to_string()
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        assert_eq!(
            told(r#"{"tell":{"number":3,"value":0.12}}"#),
            Tell { number: 3, news: News::Value(0.12) }
        );
        assert_eq!(
            told(r#" { "tell" : { "value" : -7, "number" : 0 } } "#),
            Tell { number: 0, news: News::Value(-7.0) }
        );
        assert_eq!(told(r#"{"tell":{"number":1,"state":"failed"}}"#).news, News::Failed);
        let news = told(r#"{"tell":{"number":1,"intermediate":{"step":3,"value":1e-3}}}"#).news;
        assert_eq!(news, News::Intermediate { step: 3, value: 1e-3 });
        // Every digit of a double.
        assert_eq!(told(r#"{"tell":{"number":1,"value":0.30000000000000004}}"#).news, News::Value(0.1 + 0.2));
    }

    #[test]
    fn every_other_line_is_refused_with_what_was_found() {
        let cases: [(&str, &str); 25] = [
            ("hello", "not JSON: expected value at character 1: hello"),
            (r#"{"tell":{"number":0,"value":0.1}"#, "not JSON: EOF"),
            (r#"{"tell":{"number":0,"value":0.1}} {}"#, "not JSON: trailing characters"),
            (r#"{"tell":{"number":0,"value":NaN}}"#, "no NaN"),
            (r#"{"tell":{"number":0,"value":-Infinity}}"#, "\"state\":\"failed\""),
            (r#"{"tell":{"number":0,"value":1e999}}"#, "number out of range"),
            ("3", "the number 3"),
            ("[1,2]", "a list of 2"),
            ("{}", "an empty object"),
            (r#"{"tel":{"number":0,"value":1}}"#, "did you mean \"tell\"?"),
            (r#"{"tell":{"number":0,"value":1},"more":1}"#, "unknown key \"more\""),
            (r#"{"tell":5}"#, "tell: the number 5"),
            (r#"{"tell":{"value":1}}"#, "tell.number: is missing"),
            (r#"{"tell":{"number":-1,"value":1}}"#, "tell.number: the number -1"),
            (r#"{"tell":{"number":1.5,"value":1}}"#, "a whole number from 0 on"),
            (r#"{"tell":{"number":99999999999999999999,"value":1}}"#, "tell.number: the number"),
            (r#"{"tell":{"number":"0","value":1}}"#, "tell.number: the string \"0\""),
            (r#"{"tell":{"number":0,"value":"0.1"}}"#, "tell.value: the string \"0.1\""),
            (r#"{"tell":{"number":0,"value":null}}"#, "tell.value: null"),
            (r#"{"tell":{"number":0}}"#, "nothing is told of trial 0"),
            (r#"{"tell":{"number":0,"value":1,"state":"failed"}}"#, "tell.state beside tell.value"),
            (r#"{"tell":{"number":0,"state":"complete"}}"#, "tell.state: the string \"complete\""),
            (r#"{"tell":{"number":0,"vaule":1}}"#, "did you mean \"value\"?"),
            (r#"{"tell":{"number":0,"intermediate":{"step":1}}}"#, "tell.intermediate.value: null"),
            (r#"{"tell":{"number":0,"intermediate":{"stp":1,"value":1}}}"#, "key of \"tell.intermediate\""),
        ];
        for (line, part) in cases {
            let error = refusal(line.as_bytes());
            assert!(error.contains(part), "{line}: {part:?} is not in {error}");
        }
        refusal(b"\xff\xfe{");
        refusal("{\"tell\":".repeat(100_000).as_bytes());
        let long = refusal(format!("\"{}\"", "x".repeat(1_000_000)).as_bytes());
        assert!(long.len() < 1000, "a long line is cut");
    }

    #[test]
    fn lines_are_written_as_documented() {
        let configuration = space::Configuration::from([
            ("rate".into(), space::Value::Float(1e-3)),
            ("layers".into(), space::Value::List(vec![8, 4])),
            ("kind".into(), space::Value::Text("a\"b".into())),
        ]);
        let asked = Asked { number: 4, configuration: configuration.clone() };
        assert_eq!(
            ask_line(&[asked]),
            "{\"ask\":[{\"number\":4,\"hyperparameters\":{\"kind\":\"a\\\"b\",\"layers\":[8,4],\"rate\":0.001}}]}\n"
        );
        assert_eq!(stop_line(&[]), "{\"stop\":[]}\n");
        assert_eq!(stop_line(&[3, 5]), "{\"stop\":[3,5]}\n");
        let best = Best { number: 4, value: 1.0, configuration: space::Configuration::new() };
        assert_eq!(
            best_line(Some(&best)),
            "{\"best\":{\"number\":4,\"value\":1.0,\"hyperparameters\":{}}}\n"
        );
        assert_eq!(best_line(None), "{\"best\":null}\n");
    }
}
