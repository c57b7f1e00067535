//! What other seeds and permuted labels make of a configuration, for people.

use super::number::{Scores, significant};
use crate::study::noise::{Noise, Permuted, Seeds};

/// On one line, to stand below a leaderboard.
pub fn line(noise: &Noise, objective: &str) -> String {
    let Seeds { values, mean, standard_deviation, .. } = &noise.seeds;
    let scores = Scores::like(*mean);
    let mut text = format!(
        "with {} other seeds: {objective} {} ± {} (standard deviation)",
        values.len(),
        scores.text(*mean),
        scores.text(*standard_deviation)
    );
    if let Some(lead) = &noise.lead {
        let next = lead.next.trial.map_or(String::new(), |number| format!(" over trial {number}"));
        let within =
            if lead.is_within_noise { "within the noise of seeds" } else { "beyond the noise of seeds" };
        text += &format!("; its lead of {}{next} is {within}", scores.text(lead.lead));
    }
    if let Some(permuted) = &noise.permuted {
        let Some(chance) = Seeds::of(None, permuted.values.clone()) else { return text };
        let best = match permuted.configurations {
            1 => String::new(),
            many => format!(" as the best of {many} configurations"),
        };
        text += &format!(
            "; labels dealt anew give {} ± {}{best} (p {})",
            scores.text(chance.mean),
            scores.text(chance.standard_deviation),
            significant(permuted.p, 2)
        );
    }
    text
}

/// A line a seed and permutation, and the conclusion.
pub fn table(noise: &Noise, objective: &str) -> String {
    let scores = Scores::like(noise.seeds.mean);
    let name = |seeds: &Seeds| seeds.trial.map_or("defaults".to_owned(), |number| format!("trial {number}"));
    let list = |what: String, values: &[f64]| {
        let values: Vec<String> = values.iter().map(|value| scores.text(*value)).collect();
        format!("{what:>16}  {}\n", values.join("  "))
    };
    let mut text = String::new();
    if let Some(value) = noise.value {
        text += &list("in the study".to_owned(), &[value]);
    }
    text += &list(name(&noise.seeds), &noise.seeds.values);
    text += &noise.lead.as_ref().map_or(String::new(), |lead| list(name(&lead.next), &lead.next.values));
    let permuted = |one: &Permuted| {
        let best = if one.configurations > 1 { ", best" } else { "" };
        list(format!("permuted{best}"), &one.values)
    };
    text += &noise.permuted.as_ref().map_or(String::new(), permuted);
    text + &format!("\n{}\n", line(noise, objective))
}
