//! The page of findings: what the doctor says of the data, what the study ran on, and how to repeat it exactly.

use super::subject::Results;
use super::{Page, Subject, missing};
use crate::diagnosis::study::verdict;
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
        let (results, of_data) = (subject.results(), examine_data(subject));
        let faults: Vec<Value> =
            [results.err(), of_data.as_ref().err()].into_iter().flatten().map(missing).collect();
        let of_results = results.iter().flat_map(|results| &results.examined);
        let examined: Vec<Value> = of_results
            .chain(of_data.iter().flatten())
            .map(|one| {
                json!({
                    "name": one.name,
                    "healthy": one.healthy,
                    "findings": one.findings,
                })
            })
            .collect();
        Some(json!({
            "verdicts": results.map_or_else(|_| Vec::new(), counts),
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

/// How many trials have each verdict, and what it says.
fn counts(results: &Results) -> Vec<Value> {
    let counts = verdict::counts(results.verdicts.values().map(|(name, _)| *name));
    let meaning = |name: &str| {
        verdict::ALL.iter().find(|verdict| verdict.name() == name).map(|verdict| verdict.meaning())
    };
    counts
        .into_iter()
        .map(|(name, count)| json!({ "name": name, "count": count, "meaning": meaning(name) }))
        .collect()
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
