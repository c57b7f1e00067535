//! What is kept of how the decision functions of kernel machines were found.

use crate::model::svm::smo::Outcome;
use serde_json::{Value, json};

/// The numbers of one decision function that are shown, in their order.
const NUMBERS: &[&str] =
    &["dual_objective", "support_vector_count", "bounded_support_vector_count", "rho", "iterations", "gap"];

/// One fold's decision functions, by pair of classes, as JSON.
pub fn text(found: &[([usize; 2], Outcome)]) -> String {
    let one = |(classes, outcome): &([usize; 2], Outcome)| {
        json!({
            "classes": classes,
            "dual_objective": outcome.objective,
            "support_vector_count": outcome.support_count,
            "bounded_support_vector_count": outcome.bounded_count,
            "rho": outcome.rho,
            "iterations": outcome.iterations,
            "gap": outcome.gap,
        })
    };
    found.iter().map(one).collect::<Value>().to_string()
}

/// What the user should know of solvers whose iterations ran out.
pub fn warning(trial: u64, fold: usize, found: &[([usize; 2], Outcome)]) -> Option<String> {
    let open = found.iter().filter(|(_, outcome)| !outcome.is_solved);
    let (count, gap) =
        open.fold((0, 0.0_f64), |(count, gap), (_, outcome)| (count + 1, gap.max(outcome.gap)));
    (count > 0).then(|| {
        format!(
            "trial {trial}, fold {fold}: {count} of {} decision functions are not solved within the most \
             iterations (gap {gap:.2e}); a smaller c or scaled data would help",
            found.len()
        )
    })
}

/// The solver object of a trial: for each number a list over folds, of numbers where there is one decision
/// function, else of lists over the `class_pairs`. `None` where a fold's JSON is not what [`text`] gives.
pub fn object(folds: &[String]) -> Option<Value> {
    let folds: Vec<Vec<Value>> =
        folds.iter().map(|text| serde_json::from_str(text).ok()).collect::<Option<_>>()?;
    let is_single = folds.iter().all(|pairs| pairs.len() == 1);
    let mut object = serde_json::Map::new();
    for &name in NUMBERS {
        let of_fold = |pairs: &Vec<Value>| match is_single {
            true => pairs[0][name].clone(),
            false => pairs.iter().map(|pair| pair[name].clone()).collect(),
        };
        object.insert(name.to_owned(), folds.iter().map(of_fold).collect());
    }
    if !is_single {
        let pairs = |pairs: &Vec<Value>| pairs.iter().map(|pair| pair["classes"].clone()).collect::<Value>();
        object.insert("class_pairs".to_owned(), folds.iter().map(pairs).collect());
    }
    Some(Value::Object(object))
}
