//! The model files of LIBSVM, which `svm-predict` and many libraries read.
//!
//! The support vectors of a class have one coefficient for each other class, in the order of classes: yα of the
//! pair (i, j), i < j, where i is the positive one.

use super::Format;
use crate::data::Transform;
use crate::error::{Error, Result};
use crate::model::svm::machine::Machine;
use crate::study::model::SavedModel;
use std::fmt::Write;

/// LIBSVM's model file.
pub struct Libsvm;

impl Format for Libsvm {
    fn name(&self) -> &'static str {
        "libsvm"
    }
    fn summary(&self) -> &'static str {
        "a kernel machine as a model file of LIBSVM"
    }

    fn render(&self, model: &SavedModel, fold: usize) -> Result<String> {
        let machine = model.machines().and_then(|machines| machines.get(fold)).ok_or_else(|| {
            Error::usage("--format", "libsvm for a model that is no kernel machine")
                .allowed("studies with model.kind = \"svm\"")
        })?;
        if machine.class_count > 0 && machine.decisions.is_empty() {
            return Err(Error::usage("--format", "libsvm for a machine that has seen one class only"));
        }
        Ok(render(machine, model.class_names()))
    }

    fn remarks(&self, model: &SavedModel, fold: usize) -> Vec<String> {
        let mut remarks = Vec::new();
        let Some(fold) = model.preprocessing.folds.get(fold) else { return remarks };
        if !fold
            .transforms
            .iter()
            .all(|transform| *transform == Transform { fill: transform.fill, ..Transform::IDENTITY })
        {
            remarks.push(
                "the file expects features as the model reads them: encoded and scaled, as the JSON file beside \
                 the weights says"
                    .to_owned(),
            );
        }
        if let Some(unit) = fold.target_unit {
            remarks.push(format!("a prediction p of the file means {} + {} * p", unit.offset, unit.factor));
        } else if labels(model.class_names()).1 {
            let names: Vec<String> = model
                .class_names()
                .iter()
                .enumerate()
                .map(|(index, name)| format!("{index} = {name}"))
                .collect();
            remarks.push(format!("labels of the file: {}", names.join(", ")));
        }
        remarks
    }
}

/// LIBSVM's labels are whole numbers: those of the classes where they are some, else their indices. Whether they are
/// indices.
fn labels(classes: &[String]) -> (Vec<i32>, bool) {
    let numbers: Option<Vec<i32>> = classes.iter().map(|name| name.trim().parse().ok()).collect();
    match numbers {
        Some(numbers) => (numbers, false),
        None => ((0..classes.len() as i32).collect(), true),
    }
}

fn render(machine: &Machine, classes: &[String]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_to(&mut text, machine, classes);
    text
}

fn write_to(text: &mut String, machine: &Machine, classes: &[String]) -> std::fmt::Result {
    let (kernel, numbers) = (machine.choice.kernel, machine.choice.parameters);
    let is_regression = machine.class_count == 0;
    writeln!(text, "svm_type {}", if is_regression { "epsilon_svr" } else { "c_svc" })?;
    writeln!(text, "kernel_type {}", kernel.libsvm_name())?;
    let uses = kernel.uses();
    if uses.degree {
        writeln!(text, "degree {}", numbers.degree)?;
    }
    if uses.gamma {
        writeln!(text, "gamma {}", numbers.gamma)?;
    }
    if uses.coef0 {
        writeln!(text, "coef0 {}", numbers.coef0)?;
    }
    let present: Vec<usize> = match is_regression {
        true => vec![0],
        false => {
            let has =
                |class: &usize| machine.decisions.iter().any(|decision| decision.classes.contains(class));
            (0..machine.class_count).filter(has).collect()
        }
    };
    let joined = |values: Vec<String>| values.join(" ");
    let of_decisions = |value: &dyn Fn(&crate::model::svm::machine::Decision) -> f64| {
        joined(machine.decisions.iter().map(|decision| value(decision).to_string()).collect())
    };
    writeln!(text, "nr_class {}", if is_regression { 2 } else { present.len() })?;
    writeln!(text, "total_sv {}", machine.support_count())?;
    writeln!(text, "rho {}", of_decisions(&|decision| decision.rho))?;
    // (support vector, place of another class) coefficients, and the place of its own class.
    let columns = present.len().saturating_sub(1).max(1);
    let mut coefficients = vec![0.0; machine.support_count() * columns];
    let mut homes = vec![0; machine.support_count()];
    for decision in &machine.decisions {
        let place = |class: usize| present.binary_search(&class).unwrap_or(0);
        let [first, second] = decision.classes.map(place);
        for &(at, a) in &decision.terms {
            let at = at as usize;
            let is_first = a > 0.0 || is_regression;
            homes[at] = if is_first { first } else { second };
            coefficients[at * columns
                + if is_regression {
                    0
                } else if is_first {
                    second - 1
                } else {
                    first
                }] = a;
        }
    }
    if !is_regression {
        let (labels, _) = labels(classes);
        writeln!(text, "label {}", joined(present.iter().map(|&class| labels[class].to_string()).collect()))?;
        if machine.has_probabilities() {
            let sigmoid = |decision: &crate::model::svm::machine::Decision| decision.sigmoid;
            writeln!(text, "probA {}", of_decisions(&|d| sigmoid(d).map_or(0.0, |s| s.a)))?;
            writeln!(text, "probB {}", of_decisions(&|d| sigmoid(d).map_or(0.0, |s| s.b)))?;
        }
        let count = |place: usize| homes.iter().filter(|&&home| home == place).count().to_string();
        writeln!(text, "nr_sv {}", joined((0..present.len()).map(count).collect()))?;
    }
    writeln!(text, "SV")?;
    let rows = machine.support.chunks_exact(machine.feature_count.max(1));
    for (coefficients, row) in coefficients.chunks_exact(columns).zip(rows) {
        write!(text, "{}", joined(coefficients.iter().map(f64::to_string).collect()))?;
        for (feature, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            write!(text, " {}:{value}", feature + 1)?;
        }
        writeln!(text)?;
    }
    Ok(())
}
