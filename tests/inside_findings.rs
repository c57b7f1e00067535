//! What goes on inside models, as the doctor says it of a study: each planted fault is named, a healthy study names none.

mod cli;
mod findings;

use cli::Place;
use findings::{assert_says, named, scattered};
use manytune::diagnosis::study::{self, Record};
use manytune::diagnosis::{Finding, Severity};
use manytune::space::Value;
use manytune::study::inside::{LayerSummary, Look};
use manytune::trial::Trial;
use serde_json::Value as Json;
use std::fmt::Write;

/// What this is about.
const NAMES: [&str; 6] = [
    "dead_units",
    "saturation",
    "vanishing_gradients",
    "exploding_gradients",
    "update_ratio",
    "rarely_updated",
];

/// Two classes that a curved line tells, nearly; one column of names beside three of numbers.
fn table(rows: usize, size: f64, names: usize) -> String {
    let mut text = "x0,x1,x2,name,y\n".to_owned();
    for row in 0..rows {
        let x: Vec<f64> = (0..3).map(|salt| 10.0 * scattered(row, salt)).collect();
        let class =
            if x[0] + 0.1 * x[1] * x[1] - x[2] + 2.0 * scattered(row, 9) > 4.0 { "yes" } else { "no" };
        let name = (scattered(row, 5) * names as f64) as usize;
        let cells: Vec<String> = x.iter().map(|x| format!("{:.5}", size * x)).collect();
        writeln!(text, "{},n{name},{class}", cells.join(",")).unwrap();
    }
    text
}

/// What is found inside a study: by name.
fn found(table: &str, data: &str, rest: &str) -> Vec<Json> {
    let place = Place::new();
    place.write("t.csv", table);
    let head = format!(
        "[data]\npath = \"t.csv\"\ntarget = \"y\"\nfolds = 3\n{data}\n[search]\nstrategy = \"random\"\n"
    );
    place.write("s.toml", &format!("{head}{rest}\n[engine]\nkind = \"cpu\"\n"));
    place.run("tune s.toml --quiet --out run");
    let output = place.command("doctor run --format json").output().unwrap();
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    findings.filter(|finding| NAMES.contains(&finding["name"].as_str().unwrap())).cloned().collect()
}

#[test]
fn a_healthy_study_has_nothing_of_it() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 12\n[schedule]\nmax_epochs = 20\n[space]\nlearning_rate = { log_uniform = [2e-3, 2e-2] }\n\
         hidden = [[16], [16, 8]]\nactivation = [\"relu\", \"tanh\", \"gelu\"]\nbatch_size = 16\n",
    );
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn rectifiers_that_a_learning_rate_has_killed_are_named_with_the_rates_that_do_it() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 16\n[schedule]\nmax_epochs = 8\n[space]\nlearning_rate = { log_uniform = [3e-3, 10.0] }\n\
         hidden = [[16, 16]]\nactivation = \"relu\"\noptimizer = \"adam\"\nbatch_size = 16\n",
    );
    let finding = named(&findings, "dead_units");
    assert_eq!(finding["severity"], "warning");
    assert_says(finding, "where", "learning_rate from ");
    assert_says(finding, "try", "leaky_relu");
}

#[test]
fn tanh_of_inputs_that_are_not_scaled_is_saturated() {
    let findings = found(
        &table(300, 100.0, 3),
        "scale = \"none\"",
        "trials = 8\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = { log_uniform = [1e-4, 1e-3] }\n\
         hidden = [[16]]\nactivation = [\"tanh\", \"sigmoid\"]\nbatch_size = 16\n",
    );
    let finding = named(&findings, "saturation");
    assert_eq!(finding["severity"], "warning");
    assert_says(finding, "seen", "8 of 8 trials");
    assert_says(finding, "try", "scale = \"standard\"");
}

#[test]
fn gradients_that_fade_through_many_sigmoids_are_named() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 12\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = 0.001\nbatch_size = 16\n\
         hidden = [[16, 16], [16, 16, 16, 16, 16, 16]]\nactivation = \"sigmoid\"\n",
    );
    let finding = named(&findings, "vanishing_gradients");
    assert_says(finding, "where", "hidden = [16, 16, 16, 16, 16, 16]");
    assert!(findings.iter().all(|finding| finding["name"] != "dead_units"), "{findings:#?}");
}

#[test]
fn gradients_that_grow_and_steps_out_of_proportion_are_named() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        // So few steps that they are still large beside weights that grow with them.
        "trials = 12\n[schedule]\nmax_epochs = 2\n[space]\nlearning_rate = { log_uniform = [1e-3, 3.0] }\n\
         hidden = [[32, 32, 32, 32]]\nactivation = \"leaky_relu\"\noptimizer = \"adam\"\nbatch_size = 64\n",
    );
    assert_says(named(&findings, "exploding_gradients"), "try", "clip_norm");
    let finding = named(&findings, "update_ratio");
    assert_eq!(finding["severity"], "note", "a band is no verdict");
    assert_says(finding, "seen", "more than a tenth");
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 4\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = { log_uniform = [1e-7, 1e-6] }\nhidden = [[8]]\n",
    );
    assert_says(named(&findings, "update_ratio"), "seen", "less than a ten-thousandth");
}

#[test]
fn parameters_of_names_that_hardly_any_minibatch_has_are_named() {
    let findings = found(
        &table(300, 1.0, 120),
        "",
        "trials = 4\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = { log_uniform = [1e-3, 1e-2] }\n\
         hidden = [[8]]\nactivation = \"tanh\"\nbatch_size = 8\n",
    );
    let finding = named(&findings, "rarely_updated");
    assert_eq!(finding["severity"], "note");
    assert_says(finding, "cause", "rare categories");
}

/// A hidden layer as it should be: no diagnosis says anything of it.
const HIDDEN: LayerSummary = LayerSummary {
    unit_count: 10,
    dead_count: 0,
    closed: Some(0.2),
    mean_activation: Some(0.5),
    d_rms: Some(1.0),
    update_ratio: Some(3e-3),
    zero_gradients: 0.1,
    not_finite: 0.0,
};
const OUTPUT: LayerSummary = LayerSummary { closed: None, mean_activation: None, ..HIDDEN };

/// What looks of epochs 0, 1 and 2 saw of two hidden layers and the output: sound ones, changed.
fn looks(change: impl Fn(&mut Vec<Look>)) -> Vec<Look> {
    let layers = vec![HIDDEN, HIDDEN, OUTPUT];
    let look = |epoch| Look { trial: 0, epoch, layers: layers.clone(), histograms: None };
    let mut looks: Vec<Look> = (0..3).map(look).collect();
    change(&mut looks);
    looks
}

/// The same change to one layer in every look.
fn layer(at: usize, change: impl Fn(&mut LayerSummary)) -> Vec<Look> {
    looks(|looks| looks.iter_mut().for_each(|look| change(&mut look.layers[at])))
}

/// A study whose trials were seen to be what is planted, by rank.
struct Planted<'a>(Record<'a>);

impl Planted<'_> {
    fn open(place: &Place) -> Self {
        place.run("tune study.toml --quiet");
        Self(Record::open(&place.path("runs/study"), None).unwrap())
    }

    fn findings(&mut self, activation: &str, trials: &[Vec<Look>]) -> Vec<Finding> {
        let record = &mut self.0;
        let like = record.trials[0].clone();
        record.trials = (0..trials.len() as u64).map(|number| Trial { number, ..like.clone() }).collect();
        for trial in &mut record.trials {
            trial.configuration.insert("activation".to_owned(), Value::Text(activation.to_owned()));
        }
        record.looks = (0..).zip(trials.iter().cloned()).collect();
        let own: Vec<_> = study::ALL.iter().copied().filter(|one| NAMES.contains(&one.name())).collect();
        study::examine(&own, record).unwrap().into_iter().flat_map(|examined| examined.findings).collect()
    }

    fn names(&mut self, activation: &str, trials: &[Vec<Look>]) -> Vec<&'static str> {
        self.findings(activation, trials).iter().map(|finding| finding.name).collect()
    }
}

/// Each is said from its threshold on and not before, of what it is about and of nothing else.
#[test]
fn each_is_said_from_its_threshold_on() {
    let place = Place::new();
    let mut planted = Planted::open(&place);
    let mut case = |activation: &str, looks: Vec<Look>, expected: &[&str], what: &str| {
        assert_eq!(planted.names(activation, &[looks]), expected, "{what}");
    };
    case("relu", looks(|_| {}), &[], "sound");
    case("tanh", looks(|_| {}), &[], "sound");

    for at in [0, 1] {
        case("relu", layer(at, |layer| layer.dead_count = 4), &["dead_units"], "two fifths are dead");
        case("relu", layer(at, |layer| layer.dead_count = 3), &[], "three tenths are dead");
    }
    case("tanh", layer(0, |layer| layer.dead_count = 10), &[], "tanh is not dead but saturated");
    case("relu", layer(2, |layer| layer.dead_count = 10), &[], "the output has no activation");
    case("relu", looks(|looks| looks[0].layers[0].dead_count = 10), &[], "they came back to life");
    case("relu", looks(|looks| looks[2].layers[0].dead_count = 4), &["dead_units"], "in the end they are");

    for at in [0, 1] {
        case("tanh", layer(at, |layer| layer.closed = Some(0.6)), &["saturation"], "three fifths");
        case("tanh", layer(at, |layer| layer.closed = Some(0.59)), &[], "less than three fifths");
        case(
            "relu",
            layer(at, |layer| layer.closed = Some(0.9)),
            &[],
            "a rectifier is closed, not saturated",
        );
    }
    case("sigmoid", looks(|looks| looks[0].layers[0].closed = Some(1.0)), &[], "at the start alone");

    let faded = |share: f64| layer(0, move |layer| layer.d_rms = Some(share));
    case("tanh", faded(0.9e-3), &["vanishing_gradients"], "a thousandth");
    case("tanh", faded(1.1e-3), &[], "more than a thousandth");
    let in_looks = |share: f64, count: usize| {
        looks(move |looks| looks[..count].iter_mut().for_each(|look| look.layers[0].d_rms = Some(share)))
    };
    case("tanh", in_looks(1e-5, 1), &[], "in one look of three");
    case("tanh", in_looks(1e-5, 2), &["vanishing_gradients"], "in two looks of three");
    let mut dead = faded(1e-5);
    dead[2].layers[1].dead_count = 9;
    case("relu", dead, &["dead_units"], "nothing passes dead units");
    let shallow = looks(|looks| {
        looks.iter_mut().for_each(|look| {
            look.layers.remove(1);
            look.layers[0].d_rms = Some(1e-5);
        });
    });
    case("tanh", shallow, &[], "one hidden layer has no depth");

    case("relu", faded(101.0), &["exploding_gradients"], "a hundred times as large");
    case("relu", faded(99.0), &[], "not a hundred times");
    case("relu", in_looks(1e4, 1), &[], "in one look of three");
    for look in 0..3 {
        let overflow = looks(move |looks| looks[look].layers[1].not_finite = 0.01);
        case("relu", overflow, &["exploding_gradients"], "some are infinite");
    }

    let steps = |ratio: f64| {
        looks(move |looks| {
            let layers = looks.iter_mut().flat_map(|look| &mut look.layers);
            layers.for_each(|layer| layer.update_ratio = Some(ratio));
        })
    };
    for (ratio, expected) in
        [(0.11, &["update_ratio"][..]), (0.09, &[]), (1.1e-4, &[]), (0.9e-4, &["update_ratio"])]
    {
        case("relu", steps(ratio), expected, &format!("steps of {ratio}"));
    }
    let one_layer = layer(0, |layer| layer.update_ratio = Some(1.0));
    case("relu", one_layer, &[], "the median over layers is usual");
    let first_alone = looks(|looks| {
        looks[0].layers.iter_mut().for_each(|layer| layer.update_ratio = Some(1.0));
        let later = looks[1..].iter_mut().flat_map(|look| &mut look.layers[..2]);
        later.for_each(|layer| layer.update_ratio = None);
    });
    case("relu", first_alone, &[], "the step before training is like no other");

    for at in 0..3 {
        let still = |share: f64| layer(at, move |layer| layer.zero_gradients = share);
        case("relu", still(0.6), &["rarely_updated"], "three fifths get no gradient");
        case("relu", still(0.59), &[], "less than three fifths");
    }
    case("relu", looks(|looks| looks[1].layers[0].zero_gradients = 1.0), &[], "in one look of three");
    let mut dead = layer(0, |layer| layer.zero_gradients = 0.9);
    dead[2].layers[1].dead_count = 9;
    case("relu", dead, &["dead_units"], "dead units get none either");
}

/// What is seen is said in numbers, on the side that it is on.
#[test]
fn what_was_seen_is_said_in_numbers() {
    let place = Place::new();
    let mut planted = Planted::open(&place);
    let mut seen =
        |activation: &str, looks: Vec<Look>| planted.findings(activation, &[looks])[0].seen.clone();
    assert!(seen("relu", layer(1, |layer| layer.dead_count = 7)).contains("70 % of the units are dead"));
    let text =
        seen("tanh", layer(1, |layer| (layer.closed, layer.mean_activation) = (Some(0.8), Some(0.97))));
    assert!(text.contains("80 % of its rows and units, mean |activation| 0.97"), "{text}");
    let text = seen("tanh", layer(0, |layer| layer.d_rms = Some(2e-5)));
    assert!(text.contains("first layer of 2e-5 of those in the last") || text.contains("0.00002"), "{text}");
    let text = seen("relu", layer(0, |layer| layer.zero_gradients = 0.75));
    assert!(text.contains("75 % of the parameters get no gradient"), "{text}");
    let steps = |ratio: f64| {
        looks(move |looks| {
            let layers = looks.iter_mut().flat_map(|look| &mut look.layers);
            layers.for_each(|layer| layer.update_ratio = Some(ratio));
        })
    };
    assert!(seen("relu", steps(0.5)).contains("more than a tenth"));
    assert!(seen("relu", steps(1e-6)).contains("less than a ten-thousandth"));
}

/// From 15 % of the trials on, from 30 % as a warning, and at once where the best trial has it.
#[test]
fn how_many_trials_have_it_says_how_bad_it_is() {
    let place = Place::new();
    let mut planted = Planted::open(&place);
    let mut severity = |afflicted: &[usize], change: fn(&mut LayerSummary)| {
        let one = |number| if afflicted.contains(&number) { layer(0, change) } else { looks(|_| {}) };
        let findings = planted.findings("relu", &(0..20).map(one).collect::<Vec<_>>());
        findings.first().map(|finding| finding.severity)
    };
    let dead = |layer: &mut LayerSummary| layer.dead_count = 9;
    assert_eq!(severity(&[18, 19], dead), None);
    assert_eq!(severity(&[17, 18, 19], dead), Some(Severity::Note));
    assert_eq!(severity(&[15, 16, 17, 18, 19], dead), Some(Severity::Note));
    assert_eq!(severity(&[14, 15, 16, 17, 18, 19], dead), Some(Severity::Warning));
    assert_eq!(severity(&[0], dead), Some(Severity::Warning));
    let still = |layer: &mut LayerSummary| layer.zero_gradients = 0.9;
    assert_eq!(severity(&[0], still), Some(Severity::Note), "of some there is never more than a note");
}
