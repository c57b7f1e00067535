//! The keys of a plan, as TOML: the text of a whole plan, and what differs between two.

use crate::setting::{Chosen, Setting};
use crate::space::Space;
use std::collections::BTreeSet;

/// Table, key, and value as TOML where it is set.
pub type Entry = (&'static str, &'static str, Option<String>);

/// The text of a file that reads back as the same plan.
pub fn text(entries: &[Entry], space: Option<&Space>) -> String {
    let mut text = String::new();
    let mut last = "";
    for (table, key, value) in entries {
        let Some(value) = value else { continue };
        if *table != last {
            let gap = if last.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}[{table}]\n"));
            last = table;
        }
        text.push_str(&format!("{key} = {value}\n"));
    }
    if let Some(space) = space {
        text.push_str(&format!("\n[space]\n{space}"));
    }
    text
}

/// Every key that a family declares, with its value where one was said.
pub fn of_settings(
    table: &'static str,
    declared: impl Iterator<Item = &'static Setting>,
    said: &Chosen,
) -> Vec<Entry> {
    let names: BTreeSet<&'static str> = declared.map(|setting| setting.name).collect();
    let value =
        |name: &str| said.said().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    names.into_iter().map(|name| (table, name, value(name))).collect()
}

/// What differs between the entries of two plans, which have the same keys in the same order: one line
/// each. Keys that are `free` may.
pub fn differences(before: &[Entry], now: &[Entry], free: &[(&str, &str)]) -> Vec<String> {
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    before
        .iter()
        .zip(now)
        .filter(|((table, key, _), _)| !free.contains(&(*table, *key)))
        .filter(|((_, _, before), (_, _, now))| before != now)
        .map(|((table, key, before), (_, _, now))| {
            format!("{table}.{key} was {}, is {} now", said(before), said(now))
        })
        .collect()
}

/// What differs between two spaces: one line each.
pub fn space_differences(before: &Space, now: &Space) -> Vec<String> {
    let mut differences = Vec::new();
    for dimension in &before.dimensions {
        match now.get(&dimension.name) {
            Some(other) if other == dimension => {}
            Some(other) => differences.push(format!(
                "space.{} was {}, is {} now",
                dimension.name,
                dimension.text(),
                other.text()
            )),
            None => differences.push(format!("space.{} is not in the space now", dimension.name)),
        }
    }
    let new = now.dimensions.iter().filter(|dimension| before.get(&dimension.name).is_none());
    differences.extend(new.map(|dimension| format!("space.{} is new", dimension.name)));
    if differences.is_empty() && before.dimensions != now.dimensions {
        differences
            .push("the order of the hyperparameters in [space], which decides what is proposed".to_string());
    }
    differences
}
