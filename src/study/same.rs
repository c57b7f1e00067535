//! Whether a stored study is the one that is asked for: only then may a run go on with it.

use super::plan::Plan;
use super::store::{Header, Store};
use crate::data::{self, Prepared, Table};
use crate::engine::EngineKind;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Refuses to go on with a stored study whose results would not be those of the plan, naming what
/// differs. The number of trials may differ: a study can be extended.
pub fn refuse_another(folder: &Path, header: &Header, plan: &Plan, fingerprint: &str) -> Result<()> {
    let mut differences = plan_of(header)?.differences(plan);
    // Other splits change the fingerprint too: then the data themselves may well be the same.
    let has_other_splits =
        differences.iter().any(|line| line.starts_with("data.") || line.starts_with("search.seed"));
    if header.fingerprint != fingerprint && !has_other_splits {
        differences.push(format!("the content of {} has changed", plan.data.path.display()));
    }
    if let Some(kind) = asked_engine(plan).filter(|kind| *kind != header.engine) {
        differences.push(format!(
            "it was trained on the {} engine, and now on {}, which gives other bits",
            header.engine.name(),
            kind.name()
        ));
    }
    if differences.is_empty() {
        return Ok(());
    }
    let found = format!("holds another study:\n    {}", differences.join("\n    "));
    Err(Error::store(folder.display(), found)
        .allowed("the same settings and data, read by a version that reads them alike; or more --trials")
        .advice("--out with another folder, to keep both"))
}

/// The data of a stored study, which must be as they were; `instead` says what to do where they are not.
pub fn data_of(folder: &Path, header: &Header, plan: &Plan, instead: &str) -> Result<(Table, Prepared)> {
    let (table, prepared) = data::read(&plan.data, plan.seed)?;
    if prepared.fingerprint != header.fingerprint {
        return Err(Error::store(folder.display(), "the study's data have changed since it ran")
            .allowed(format!("{} as it was", plan.data.path.display()))
            .advice(instead));
    }
    Ok((table, prepared))
}

/// The plan of a stored study.
pub fn plan_of(header: &Header) -> Result<Plan> {
    Plan::from_source(&header.name, &header.source).map_err(|error| {
        Error::store("study.db", format!("the stored study cannot be read: {error}"))
            .advice("use the version of manytune that made the study")
    })
}

/// The files that the study in a folder was trained on, as far as they are known.
pub fn inputs_of(folder: &Path) -> Vec<PathBuf> {
    let plan = Store::read(folder).and_then(|store| plan_of(&store.header()?));
    plan.map_or_else(|_| Vec::new(), |plan| std::iter::once(plan.data.path).chain(plan.data.labels).collect())
}

/// The engine that a plan names, by itself or by its device.
fn asked_engine(plan: &Plan) -> Option<EngineKind> {
    match plan.engine.kind.as_str() {
        "cpu" => Some(EngineKind::Cpu),
        "gpu" => Some(EngineKind::Gpu),
        _ => plan.engine.device.as_ref().map(|_| EngineKind::Gpu),
    }
}
