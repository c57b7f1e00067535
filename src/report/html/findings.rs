//! The page of findings: what the doctor says of the data, what the study ran on, and how to repeat it exactly.

use super::{Page, Subject, missing};
use crate::diagnosis::study::Record;
use crate::diagnosis::{self, Examined, Patient};
use crate::error::{Error, Result};
use serde_json::{Value, json};

/// Findings, and how to repeat the study.
pub struct Findings;

impl Page for Findings {
    fn name(&self) -> &'static str {
        "findings"
    }
    fn title(&self) -> &'static str {
        "Findings"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/findings.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        let Some(stored) = &subject.stored else {
            return Some(
                json!({ "facts": facts_of_search(subject), "folder": subject.folder.display().to_string() }),
            );
        };
        let (mut examined, mut faults) = (Vec::new(), Vec::new());
        for found in [examine_study(subject), examine_data(subject)] {
            match found {
                Ok(found) => examined.extend(found),
                Err(error) => faults.push(missing(&error)),
            }
        }
        let examined: Vec<Value> = examined
            .iter()
            .map(|one| {
                json!({
                    "name": one.name,
                    "healthy": one.healthy,
                    "findings": one.findings,
                })
            })
            .collect();
        Some(json!({
            "missing": faults,
            "examined": examined,
            "has_trained": subject.checks.is_some(),
            "remarks": subject.remarks(),
            "facts": facts_of_study(subject),
            "source": stored.header.source,
            "folder": subject.folder.display().to_string(),
        }))
    }
}

/// What diagnoses of the study's results find; they need no data, though those see more that have them.
fn examine_study(subject: &Subject) -> Result<Vec<Examined>> {
    let dataset = subject.data().ok().map(|(_, prepared)| &prepared.dataset);
    diagnosis::study::examine(diagnosis::study::ALL, &Record::open(&subject.folder, dataset)?)
}

/// What diagnoses of the data find; those that train small models too, where an engine is at hand.
fn examine_data(subject: &Subject) -> Result<Vec<Examined>> {
    let (table, prepared) = subject.data()?;
    let stored = subject.stored.as_ref().ok_or_else(|| Error::store("", "a search has no data"))?;
    let plan = stored.plan.as_ref().map_err(Error::clone)?;
    let open = |job| match subject.checks {
        Some(open) => open(plan, job),
        None => Err(Error::device("report", "no engine is open").advice("--doctor")),
    };
    let patient = Patient::new(plan, table, prepared, &open);
    let mut examined = diagnosis::examine(diagnosis::data::ALL, &patient)?;
    if subject.checks.is_some() {
        examined.extend(diagnosis::examine(diagnosis::training::ALL, &patient)?);
    }
    Ok(examined)
}

/// What decided the bits of the study, as names and values.
fn facts_of_study(subject: &Subject) -> Vec<(&'static str, String)> {
    let Some(stored) = &subject.stored else { return Vec::new() };
    let header = &stored.header;
    let mut facts = vec![
        ("engine", header.engine.name().to_owned()),
        ("device", header.device.clone()),
        ("seed", header.seed.to_string()),
        ("begun by", format!("manytune {}", header.version)),
        ("fingerprint of the data", header.fingerprint.clone()),
    ];
    if let Some(plan) = subject.plan() {
        facts.insert(0, ("data", plan.data.path.display().to_string()));
    }
    if !stored.choices.is_empty() {
        let choices: Vec<String> =
            stored.choices.iter().map(|(name, value)| format!("{name} {value}")).collect();
        facts.push(("chosen on the device", choices.join(", ")));
    }
    facts
}

fn facts_of_search(subject: &Subject) -> Vec<(&'static str, String)> {
    let title = &subject.board.title;
    vec![("strategy", title.division.strategy.clone()), ("seed", title.seed.to_string())]
}
