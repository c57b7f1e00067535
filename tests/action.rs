//! The model in action: scores as scikit-learn has them, columns set by hand, and what a study's pages are made of.

mod cli;

use cli::Place;
use flate2::read::GzDecoder;
use manytune::data::{self, Cell, DataOptions, Encoder, Table};
use manytune::report::action::calibration::Calibration;
use manytune::report::action::classes::ClassScores;
use manytune::report::action::confusion::Confusion;
use manytune::report::action::dependence::{Dependence, Outputs};
use manytune::report::action::values::Values;
use manytune::report::action::{Action, Judged, wilson};
use manytune::study::outside::Outside;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io::Read;

/// Sums in another order differ in the last digits of numbers near 1.
const TOLERANCE: f64 = 1e-12;

fn stored() -> Value {
    serde_json::from_str(include_str!("reference/action.json")).unwrap()
}

fn near(own: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((own - expected).abs() <= TOLERANCE * (1.0 + expected.abs()), "{own} is not {expected}");
}

fn near_or_none(own: Option<f64>, expected: &Value) {
    match own {
        Some(own) => near(own, expected),
        None => assert!(expected.is_null(), "nothing is not {expected}"),
    }
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// (row) labels, (row, class) probabilities, the names of classes.
fn case(json: &Value) -> (Vec<usize>, Vec<f64>, Vec<String>) {
    let names = (0..json["support"].as_array().unwrap().len()).map(|class| format!("c{class}")).collect();
    let labels = numbers(&json["labels"]).into_iter().map(|label| label as usize).collect();
    (labels, numbers(&json["probabilities"]), names)
}

fn said(probabilities: &[f64], class_count: usize) -> Vec<usize> {
    probabilities.chunks_exact(class_count).map(manytune::model::metric::most_probable).collect()
}

#[test]
fn classes_are_scored_as_by_scikit_learn() {
    for json in stored()["classes"].as_array().unwrap() {
        let (labels, probabilities, names) = case(json);
        let said = said(&probabilities, names.len());
        let confusion = Confusion::new(&names, &labels, &said);
        assert_eq!(json!(confusion.counts), json["confusion"]);
        assert_eq!((confusion.classes, confusion.other_count), (names.clone(), 0));
        let scores = ClassScores::new(&names, &labels, &said);
        near(scores.accuracy, &json["accuracy"]);
        for (class, score) in scores.classes.iter().enumerate() {
            near_or_none(score.precision, &json["precision"][class]);
            near_or_none(score.recall, &json["recall"][class]);
            near_or_none(score.f1, &json["f1"][class]);
            assert_eq!(json!(score.support), json["support"][class]);
        }
    }
}

#[test]
fn probabilities_are_as_calibrated_as_scikit_learn_says() {
    for json in stored()["classes"].as_array().unwrap() {
        let (labels, probabilities, names) = case(json);
        let calibration = Calibration::new(&names, &labels, &probabilities);
        near(calibration.brier, &json["brier"]);
        near(calibration.log_loss, &json["log_loss"]);
        let curves = json["curves"].as_array().unwrap();
        assert_eq!(calibration.curves.len(), curves.len());
        for (own, expected) in calibration.curves.iter().zip(curves) {
            let class = expected["class"].as_u64().map(|class| names[class as usize].clone());
            assert_eq!(own.class, class);
            assert_eq!(own.bins.len(), expected["frequency"].as_array().unwrap().len());
            for (at, bin) in own.bins.iter().enumerate() {
                near(bin.frequency, &expected["frequency"][at]);
                near(bin.probability, &expected["probability"][at]);
                assert!(bin.interval[0] <= bin.frequency && bin.frequency <= bin.interval[1], "{bin:?}");
            }
        }
        // By hand: the mean over rows of what their bin is off by.
        let error: f64 = calibration.curves[0]
            .bins
            .iter()
            .map(|bin| bin.count as f64 * (bin.frequency - bin.probability).abs())
            .sum();
        near(calibration.expected_error, &json!(error / labels.len() as f64));
    }
    // A sure mistake costs as much as an f64 can say, not infinity.
    let names = ["a", "b"].map(str::to_owned);
    assert!(Calibration::new(&names, &[1], &[1.0, 0.0]).log_loss.is_finite());
}

#[test]
fn shares_have_wilson_intervals() {
    for json in stored()["intervals"].as_array().unwrap() {
        let [low, high] = wilson(json["hits"].as_u64().unwrap(), json["count"].as_u64().unwrap());
        near(low, &json["interval"][0]);
        near(high, &json["interval"][1]);
    }
}

#[test]
fn values_are_scored_as_by_scikit_learn() {
    let json = &stored()["values"];
    let own = numbers(&json["own"]);
    let count = own.len();
    let judged = Judged { rows: (0..count as u32).collect(), own, numbers: numbers(&json["said"]) };
    let values = Values::new(&judged);
    near(values.rmse, &json["rmse"]);
    near(values.mae, &json["mae"]);
    near(values.bias, &json["bias"]);
    near_or_none(values.r2, &json["r2"]);
    assert_eq!(values.points.len(), count);
    assert_eq!(values.residuals.iter().map(|bin| bin.count).sum::<u64>(), count as u64);
}

#[test]
fn many_classes_and_rows_stay_few_on_the_page() {
    let names: Vec<String> = (0..500).map(|class| format!("class {class}")).collect();
    let labels: Vec<usize> = (0..5000).map(|row| row % 500).collect();
    // Of every class below 40 one row in ten is taken for the next one.
    let said: Vec<usize> =
        (0..5000).map(|row| if row % 500 < 40 && row < 500 { row + 1 } else { row % 500 }).collect();
    let confusion = Confusion::new(&names, &labels, &said);
    assert_eq!((confusion.classes.len(), confusion.other_count, confusion.counts.len()), (30, 470, 31));
    assert_eq!(confusion.counts.iter().flatten().sum::<u64>(), 5000);
    let scores = ClassScores::new(&names, &labels, &said);
    assert_eq!((scores.classes.len(), scores.other_count), (200, 300));
    assert!(scores.classes.iter().any(|class| class.name == "class 39"));
    let numbers: Vec<f64> = (0..50_000).map(f64::from).collect();
    let own = numbers.iter().map(|number| number * 1.000_123).collect();
    let values = Values::new(&Judged { rows: (0..50_000).collect(), own, numbers });
    assert!(json!(values).to_string().len() < 100_000);
}

/// A table with a number, a name, a truth and values that are missing.
fn table(place: &Place) -> (Table, Encoder, Vec<f32>) {
    let mut text = "size,colour,is_new,y\n".to_owned();
    for row in 0..120 {
        let size = if row % 11 == 3 { String::new() } else { format!("{}", 10 + row % 30) };
        let colour = ["red", "green", "", "blue"][row % 4];
        let is_new = ["yes", "no"][row % 2];
        writeln!(text, "{size},{colour},{is_new},{}", row as f64 * 1.5).unwrap();
    }
    place.write("t.csv", &text);
    let options =
        DataOptions { path: place.path("t.csv"), target: Some("y".into()), ..DataOptions::default() };
    let table = data::load(&options).unwrap();
    let prepared = data::prepare(&table, &options, 0).unwrap();
    (table, prepared.encoder, prepared.dataset.features)
}

#[test]
fn cells_read_and_written_are_those_of_the_file() {
    let place = Place::new();
    let (table, encoder, features) = table(&place);
    let mut written = vec![9.0_f32; features.len()];
    let columns: Vec<_> = encoder.columns().collect();
    assert_eq!(columns.iter().map(|column| column.name).collect::<Vec<_>>(), ["size", "colour", "is_new"]);
    let width = encoder.feature_count();
    for (index, column) in columns.iter().enumerate() {
        for (row, (own, new)) in features.chunks(width).zip(written.chunks_mut(width)).enumerate() {
            let cell = encoder.cell(index, &own[column.features.clone()]);
            let text =
                place.read("t.csv").lines().nth(row + 1).unwrap().split(',').nth(index).unwrap().to_owned();
            match cell {
                // f32 keeps seven digits.
                Cell::Number(number) => {
                    assert!((number - text.parse::<f64>().unwrap()).abs() <= 1e-5, "{text}")
                }
                Cell::Name(name) => assert_eq!(name, text),
                Cell::Missing => assert_eq!(text, ""),
                Cell::Other => panic!("{text}"),
            }
            encoder.put(index, cell, &mut new[column.features.clone()]);
        }
    }
    assert_eq!(table.row_count(), 120);
    let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    // The indicator of what is missing is written, too.
    for (own, new) in features.iter().zip(&written) {
        let is_same = own.is_nan() && new.is_nan() || (own - new).abs() <= 1e-6;
        assert!(is_same, "{own} was written as {new}: {:?}", bits(&[*own, *new]));
    }
    let mut cell = vec![0.0; columns[1].features.len()];
    encoder.put(1, Cell::Name("mauve"), &mut cell);
    assert_eq!(encoder.cell(1, &cell), Cell::Other);
}

/// f = 3·size² (as stored) + 10·[red]: the mean over rows of everything else stays, and is computed here.
#[test]
fn partial_dependence_is_the_mean_with_one_column_set() {
    let place = Place::new();
    let (_, encoder, features) = table(&place);
    let columns: Vec<_> = encoder.columns().collect();
    let width = encoder.feature_count();
    let red = encoder.feature_names().iter().position(|name| name == "colour=red").unwrap();
    let predict = |rows: &[f32]| -> Vec<f64> {
        let one = |row: &[f32]| {
            let size = if row[0].is_nan() { 0.0 } else { f64::from(row[0]) };
            [3.0 * size * size + 10.0 * f64::from(row[red]), 0.5]
        };
        rows.chunks(width).flat_map(one).collect()
    };
    let outputs = Outputs { width: 2, shown: vec![(0, None), (1, Some("b".to_owned()))] };
    let of = |index: usize, most: usize| {
        Dependence::new(&encoder, index, &columns[index], &features, &predict, &outputs, most)
    };
    let count = 120.0;
    let colour = of(1, 20);
    assert_eq!(json!(colour.places), json!(["blue", "green", "red"]));
    let squares: f64 = features
        .chunks(width)
        .map(|row| if row[0].is_nan() { 0.0 } else { 3.0 * f64::from(row[0]).powi(2) })
        .sum();
    let expected = [0.0, 0.0, 10.0].map(|red| squares / count + red);
    for (own, expected) in colour.curves[0].mean.iter().zip(expected) {
        // Six digits are kept.
        assert!((own - expected).abs() <= 1e-5 * expected, "{own} is not {expected}");
    }
    assert_eq!(colour.curves[1].mean, [0.5; 3]);
    assert!((colour.range - 10.0).abs() <= 1e-4);
    let size = of(0, 8);
    let places = numbers(&json!(size.places));
    assert_eq!(places.len(), 8);
    // The 5th and the 95th percentile of 10, 11, … 39.
    assert!(places[0] >= 10.0 && places[0] <= 12.0 && places[7] <= 39.0 && places[7] >= 37.0, "{places:?}");
    let mut row = vec![0.0; columns[0].features.len()];
    let reds = 30.0;
    for (place, own) in places.iter().zip(&size.curves[0].mean) {
        encoder.put(0, Cell::Number(*place), &mut row);
        let expected = 3.0 * f64::from(row[0]).powi(2) + 10.0 * reds / count;
        assert!((own - expected).abs() <= 1e-5 * expected, "{own} is not {expected}");
    }
    // A line of a single row keeps what that row has.
    assert_eq!((size.lines.len(), size.lines[0].len()), (12, 8));
    let apart = |place: usize| size.lines[0][place] - size.lines[1][place];
    // Rows 0, 10, 20, … of the table: every other one is red. Lines keep four digits.
    assert!((0..8).all(|place| (apart(place) - 10.0).abs() <= 0.02), "{:?}", size.lines);
}

/// What a study comes to in action.
fn action(place: &Place, study: &str) -> (Outside, Action) {
    place.write("t.toml", study);
    place.run("tune t.toml --engine cpu --quiet");
    let outside = Outside::of_study(&place.path("runs/t"), &mut |line| panic!("{line}")).unwrap();
    let action = Action::new(&outside, false);
    for (name, part) in json!(action).as_object().unwrap() {
        assert!(part.to_string().len() < 100_000, "{name} is too large for a page");
    }
    (outside, action)
}

/// A study of few trials of a table.
fn study(path: &str, target: &str) -> String {
    let data = format!("[data]\npath = \"{path}\"\ntarget = \"{target}\"\nfolds = 3\n");
    data + "[search]\ntrials = 3\nstrategy = \"random\"\n[schedule]\nmax_epochs = 20\n\
            [space]\nlearning_rate = 0.02\nhidden = [[8], [6]]\nbatch_size = 16\n"
}

#[test]
fn a_study_of_classes_is_seen_in_action() {
    let place = Place::new();
    let (outside, action) = action(&place, &study("penguins.csv", "species"));
    assert_eq!((action.row_count, action.values.is_none(), action.regions.is_none()), (344, true, true));
    let confusion = action.confusion.unwrap();
    let right: u64 = (0..3).map(|class| confusion.counts[class][class]).sum();
    assert_eq!(confusion.counts.iter().flatten().sum::<u64>(), 344);
    let scores = action.classes.unwrap();
    assert_eq!(scores.accuracy, right as f64 / 344.0);
    assert!(scores.accuracy > 0.9 && action.calibration.unwrap().curves.len() == 4);
    let segments = action.segments.unwrap();
    assert!((segments.overall - (1.0 - scores.accuracy)).abs() <= TOLERANCE);
    let sexes: Vec<_> = segments.segments.iter().filter(|segment| segment.column == "sex").collect();
    assert_eq!(sexes.iter().map(|segment| segment.rows).sum::<u64>(), 344, "{sexes:?}");
    let names: Vec<&str> = action.dependence.iter().map(|found| &*found.column).collect();
    assert!(names.contains(&"bill_length_mm") && names.contains(&"island"), "{names:?}");
    assert!(action.dependence.is_sorted_by(|a, b| a.range >= b.range));
    // Probabilities of all classes add up to 1 wherever a column is set.
    for found in &action.dependence {
        for place in 0..found.places.len() {
            let sum: f64 = found.curves.iter().map(|curve| curve.mean[place]).sum();
            assert!((sum - 1.0).abs() <= 1e-5, "{found:?}");
        }
    }
    let pixels = Action::new(&outside, true);
    assert!(pixels.segments.is_none() && pixels.dependence.is_empty() && pixels.confusion.is_some());
}

/// Where x < 0 the class is whether y > 0, where x > 1 it is a coin: in the plane of both it is the first that is told.
#[test]
fn two_columns_have_decision_regions_and_the_noisy_part_stands_out() {
    let place = Place::new();
    let mut text = "x,y,class\n".to_owned();
    let word =
        |at: u32| f64::from(manytune::random::philox4x32([at, 0, 0, 0], [7, 7])[0]) / f64::from(u32::MAX);
    for row in 0..400 {
        let (x, y) = (4.0 * word(3 * row) - 2.0, 2.0 * word(3 * row + 1) - 1.0);
        let is_up = if x > 1.0 { word(3 * row + 2) > 0.5 } else { y > 0.0 };
        writeln!(text, "{x:.4},{y:.4},{}", if is_up { "up" } else { "down" }).unwrap();
    }
    place.write("plane.csv", &text);
    let (outside, action) = action(&place, &study("plane.csv", "class"));
    let regions = action.regions.unwrap();
    assert_eq!(regions.axes.each_ref().map(|axis| &*axis.column), ["x", "y"]);
    assert_eq!((regions.predicted.len(), regions.predicted[0].len(), regions.classes.len()), (48, 48, 2));
    // The lowest and the highest line, on the side where y alone decides.
    assert!(regions.predicted[0][..20].iter().all(|&class| class == 0), "{:?}", regions.predicted[0]);
    assert!(regions.predicted[47][..20].iter().all(|&class| class == 1), "{:?}", regions.predicted[47]);
    assert_eq!(regions.points.len(), outside.rows.len());
    let worst = &action.segments.unwrap().segments[0];
    assert!(worst.column == "x" && worst.value.starts_with("above 0.8") && worst.stands_out, "{worst:?}");
    let y = action.dependence.iter().find(|found| found.column == "y").unwrap();
    let mean = &y.curves[0].mean;
    assert_eq!(y.curves[0].class.as_deref(), Some("up"));
    assert!(mean[mean.len() - 1] - mean[0] > 0.5, "{mean:?}");
}

/// A large group of which 30 % are labelled against the rule, and a tiny one of which more are.
#[test]
fn a_tiny_segment_does_not_shout() {
    let place = Place::new();
    let mut text = "x,group,class\n".to_owned();
    for row in 0..300_u32 {
        let (group, is_against) = match row {
            0..11 => ("tiny", [1, 3, 5, 8].contains(&row)),
            11..151 => ("large", row % 10 < 3),
            _ => ("clean", false),
        };
        let x = f64::from(row * 37 % 100) / 50.0 - 0.99;
        writeln!(text, "{x:.3},{group},{}", if (x > 0.0) != is_against { "up" } else { "down" }).unwrap();
    }
    place.write("groups.csv", &text);
    // No sum of the two columns can follow what is against the rule.
    let linear =
        study("groups.csv", "class").replace("hidden = [[8], [6]]\n", "") + "[model]\nkind = \"linear\"\n";
    let (_, action) = action(&place, &linear);
    let segments = action.segments.unwrap().segments;
    let find = |value: &str| segments.iter().position(|segment| segment.value == value).unwrap();
    let [tiny, large] = ["tiny", "large"].map(find);
    assert!(segments[tiny].error > segments[large].error && tiny > large, "{segments:?}");
    assert!(segments[large].stands_out, "{segments:?}");
}

#[test]
fn a_study_of_values_is_seen_in_action() {
    let place = Place::new();
    let (outside, action) = action(&place, &study("penguins.csv", "body_mass_g"));
    // Two penguins have no mass.
    assert_eq!(
        (action.row_count, action.confusion.is_none(), action.calibration.is_none()),
        (342, true, true)
    );
    let values = action.values.unwrap();
    assert_eq!(values.points.len(), 342);
    let point = &values.points[17];
    // Six digits are kept.
    assert!((point.actual - outside.value(point.row)).abs() <= 1e-5 * point.actual);
    assert!(values.r2.unwrap() > 0.7, "{values:?}");
    let segments = action.segments.unwrap();
    assert_eq!(segments.measure, "mean_absolute_error");
    assert!((segments.overall - values.mae).abs() <= TOLERANCE * values.mae);
}

/// Digits have more rows than a page has room for.
#[test]
fn digits_stay_small_on_the_page() {
    let place = Place::new();
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("reference/digits.csv.gz")[..]).read_to_string(&mut text).unwrap();
    place.write("digits.csv", &text);
    let (_, action) =
        action(&place, &study("digits.csv", "digit").replace("20", "3").replace("trials = 3", "trials = 1"));
    assert_eq!((action.row_count, action.calibration.unwrap().curves.len()), (1797, 11));
    assert_eq!(action.dependence.len(), 12);
}
