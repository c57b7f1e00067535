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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::svm::kernel::{self, KernelParameters};
    use crate::model::svm::machine::{Decision, Verdict};
    use crate::model::svm::platt::Sigmoid;
    use crate::model::svm::rows::KernelChoice;
    use serde_json::Value;

    /// Three classes, a polynomial kernel, probabilities, features of 0; made up, so that no solver is asked.
    fn made_up() -> Machine {
        let decision = |classes, terms: &[(u32, f64)], rho, a, b| Decision {
            classes,
            terms: terms.to_vec(),
            rho,
            sigmoid: Some(Sigmoid { a, b }),
        };
        let parameters = KernelParameters { gamma: 0.25, coef0: -0.5, degree: 3 };
        #[rustfmt::skip]
        let support = vec![
            0.1, 0.0, -1.5,    2.0, 0.25, 0.0,
            0.0, 0.0, 1e-3,    -0.75, 1.0, 3.0,    0.0, 0.0, 0.0,
            1.25, -2.0, 0.5,
        ];
        Machine {
            choice: KernelChoice { kernel: kernel::find("polynomial").unwrap(), parameters },
            feature_count: 3,
            class_count: 3,
            support,
            decisions: vec![
                decision([0, 1], &[(0, 2.0), (1, 0.5), (2, -0.125), (3, -2.0), (4, -0.375)], 0.1, -1.5, 0.25),
                decision([0, 2], &[(0, 1.0 / 3.0), (5, -1.0 / 3.0)], -0.75, -2.0, -0.5),
                decision([1, 2], &[(3, 1e-9), (4, 1.75), (5, -1.750_000_001)], 1.5, -0.5, 0.0),
            ],
            only_class: 0,
        }
    }

    fn stored(name: &str) -> Vec<f64> {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/reference/svm_export.json")).unwrap();
        file[name].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    #[test]
    fn the_file_is_the_one_that_libsvm_has_read() {
        let classes = ["7", "-2", "40"].map(str::to_owned);
        assert_eq!(render(&made_up(), &classes), include_str!("../../tests/reference/svm_export.model"));
    }

    #[test]
    fn libsvm_decides_by_the_file_as_the_machine_does() {
        let machine = made_up();
        let rows: Vec<f32> = stored("rows").into_iter().map(|x| x as f32).collect();
        let decisions = machine.decision_values(&rows);
        let (labels, theirs) = (stored("labels"), stored("decisions"));
        assert_eq!(decisions.len(), theirs.len());
        // Kernel values of f32 here, cubes of up to 4, times coefficients of up to 2.
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-5;
        assert!(decisions.iter().zip(&theirs).all(|(a, b)| close(*a, *b)), "{decisions:?} {theirs:?}");
        let probabilities = stored("probabilities");
        let rows = decisions.chunks_exact(3).zip(labels).zip(probabilities.chunks_exact(3));
        for ((row, label), theirs) in rows {
            let Verdict::Class(class) = machine.verdict(row) else { panic!("a class") };
            assert_eq!([7.0, -2.0, 40.0][class], label);
            let ours = machine.probabilities(row).unwrap();
            assert!(ours.iter().zip(theirs).all(|(a, b)| close(*a, *b)), "{ours:?} {theirs:?}");
        }
    }
}
