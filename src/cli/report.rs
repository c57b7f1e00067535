//! `manytune report`: a study as one HTML file.

use super::guard::refuse_needed;
use super::output;
use crate::engine::{self, Engine, EngineChoice, Job};
use crate::error::Result;
use crate::report::html::{self, Subject};
use crate::study::files;
use crate::study::plan::Plan;
use std::path::{Path, PathBuf};

/// The file in the study's folder.
const NAME: &str = "report.html";

/// Write a study as one HTML file, also while it runs
///
/// The file holds everything that it needs: it opens without a network, and can be sent to anyone. Pages: the
/// answer, the space, training, the worst mistakes, findings and how to repeat it.
#[derive(clap::Args)]
pub struct Arguments {
    /// The study's folder, such as runs/penguins
    run: PathBuf,
    /// Write to this file [default: report.html in the study's folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Have the doctor train its small models too, which takes seconds
    #[arg(long)]
    doctor: bool,
}

/// Writes the report, and prints where it is.
pub fn run(arguments: &Arguments) -> Result<()> {
    let own = arguments.run.join(NAME);
    if let Some(out) = arguments.out.as_ref().filter(|out| !files::is_same(out, &own)) {
        refuse_needed(out, &arguments.run, None, NAME)?;
    }
    let checks = |plan: &Plan, job: Job| open(plan, job);
    let subject = Subject::open(&arguments.run, arguments.doctor.then_some(&checks))?;
    let text = html::render(&subject);
    subject.remarks().iter().for_each(|remark| output::note(remark));
    let path: &Path = arguments.out.as_ref().unwrap_or(&own);
    files::write(path, text.as_bytes())?;
    output::written(path)
}

/// The engine that the study asks for.
fn open(plan: &Plan, job: Job) -> Result<Box<dyn Engine>> {
    let choice = EngineChoice::named("engine.kind", &plan.engine.kind)?;
    Ok(engine::open_for(&plan.model, choice, plan.engine.device.as_deref(), None, job)?.engine)
}
