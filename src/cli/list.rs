//! `manytune --list`: what a study file can name, from the lists of the families themselves.

use super::output;
use crate::error::Result;
use crate::model::svm::kernel;
use crate::model::{activation, hyperparameter, initializer, layer, loss, lr_schedule, metric, optimizer};
use crate::setting::Setting;
use crate::{diagnosis, export, report, schedule, search};

/// Prints every family with its members.
pub fn run() -> Result<()> {
    let families: Vec<(&str, Vec<(&str, String)>)> = vec![
        ("hyperparameters, under [space]", hyperparameters(hyperparameter::ALL)),
        ("hyperparameters of model.kind = \"svm\"", hyperparameters(hyperparameter::machine::ALL)),
        ("kernel", members(kernel::ALL, |member| (member.name(), member.summary()))),
        ("activation", members(activation::ALL, |member| (member.name(), member.summary()))),
        ("optimizer", members(optimizer::ALL, |member| (member.name(), member.summary()))),
        ("loss", members(loss::ALL, |member| (member.name(), member.summary()))),
        ("initializer", members(initializer::ALL, |member| (member.name(), member.summary()))),
        ("lr_schedule", members(lr_schedule::ALL, |member| (member.name(), member.summary()))),
        ("layers", members(layer::ALL, |member| (member.name(), member.summary()))),
        ("search.objective", members(metric::ALL, |member| (member.name(), member.summary()))),
        ("search.strategy", members(search::ALL, |member| (member.name(), member.summary()))),
        (
            "its own settings, keys of [search]",
            settings(search::ALL, |member| (member.name(), member.settings())),
        ),
        ("schedule.kind", members(schedule::ALL, |member| (member.name(), member.summary()))),
        (
            "its own settings, keys of [schedule]",
            settings(schedule::ALL, |member| (member.name(), member.settings())),
        ),
        ("doctor, of the data", members(diagnosis::data::ALL, |member| (member.name(), member.healthy()))),
        (
            "doctor, of what trains",
            members(diagnosis::training::ALL, |member| (member.name(), member.healthy())),
        ),
        ("doctor, of a study", members(diagnosis::study::ALL, |member| (member.name(), member.healthy()))),
        ("export --format", members(export::ALL, |member| (member.name(), member.summary()))),
        ("show --format", members(report::ALL, |member| (member.name(), member.summary()))),
    ];
    let blocks: Vec<String> = families.iter().map(|(family, members)| block(family, members)).collect();
    output::print(&blocks.join("\n"))
}

fn members<T: ?Sized>(
    all: &[&'static T],
    facts: fn(&T) -> (&'static str, &'static str),
) -> Vec<(&'static str, String)> {
    all.iter().map(|member| facts(member)).map(|(name, summary)| (name, summary.to_owned())).collect()
}

/// Each setting once, with the members that have it.
fn settings<T: ?Sized>(
    all: &[&'static T],
    facts: fn(&T) -> (&'static str, &'static [Setting]),
) -> Vec<(&'static str, String)> {
    let mut found: Vec<(Setting, Vec<&str>)> = Vec::new();
    for (member, settings) in all.iter().map(|member| facts(member)) {
        for setting in settings {
            match found.iter_mut().find(|(known, _)| known == setting) {
                Some((_, members)) => members.push(member),
                None => found.push((*setting, vec![member])),
            }
        }
    }
    let line = |(setting, members): (Setting, Vec<&str>)| {
        let Setting { name, summary, default, .. } = setting;
        (name, format!("{summary} (default {default}; {})", members.join(", ")))
    };
    found.into_iter().map(line).collect()
}

fn hyperparameters(all: &[hyperparameter::Hyperparameter]) -> Vec<(&'static str, String)> {
    let line = |known: &hyperparameter::Hyperparameter| {
        (known.name, format!("{} (default {})", known.help, known.default))
    };
    all.iter().map(line).collect()
}

fn block(family: &str, members: &[(&str, String)]) -> String {
    let width = members.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = members.iter().map(|(name, summary)| format!("  {name:width$}  {summary}\n"));
    format!("{family}\n{}", lines.collect::<String>())
}
