//! The data sets that ship with the project, loaded and prepared as a study would.

use manytune::data::{self, ColumnRef, DataOptions, Prepared, Targets, Task};
use std::path::Path;

fn options(file: &str, target: Option<&str>) -> DataOptions {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(file);
    DataOptions { path, target: target.map(ColumnRef::from), ..DataOptions::default() }
}

fn prepare(options: &DataOptions) -> Prepared {
    let table = data::load(options).unwrap_or_else(|error| panic!("{error}"));
    data::prepare(&table, options, 0).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn penguins_has_three_species_and_marks_what_is_missing() {
    let prepared = prepare(&options("penguins.csv", Some("species")));
    assert_eq!(prepared.dataset.task, Task::Classification { class_count: 3 });
    assert_eq!(prepared.encoder.class_names(), ["Adelie", "Chinstrap", "Gentoo"]);
    assert_eq!(prepared.dataset.row_count(), 344);
    let expected = "island=Biscoe island=Dream island=Torgersen island=(other) \
        bill_length_mm bill_length_mm=(missing) bill_depth_mm bill_depth_mm=(missing) \
        flipper_length_mm flipper_length_mm=(missing) body_mass_g body_mass_g=(missing) \
        sex=MALE sex=(missing)";
    assert_eq!(prepared.encoder.feature_names().join(" "), expected);
    assert_eq!(prepared.dataset.folds.len(), 5);
    assert!(prepared.notes.is_empty(), "{:?}", prepared.notes);
}

/// Every fold's standard features have mean 0 and deviation 1 over its own training rows, which they
/// would not if they were scaled by all rows.
#[test]
fn each_fold_is_scaled_by_its_training_rows_alone() {
    let prepared = prepare(&options("penguins.csv", Some("species")));
    let dataset = &prepared.dataset;
    let feature = prepared.encoder.feature_names().iter().position(|name| name == "body_mass_g").unwrap();
    for fold in &dataset.folds {
        let values: Vec<f64> = fold
            .train
            .iter()
            .map(|&row| dataset.row(row)[feature])
            .filter(|stored| !stored.is_nan())
            .map(|stored| f64::from(fold.transforms[feature].apply(stored)))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        // Shift and factor are rounded to f32 (6e-8), the sums are of 275 values in f64.
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "mean {mean}, variance {variance}");
    }
}

#[test]
fn titanic_without_its_leak() {
    let mut options = options("titanic.csv", Some("survived"));
    options.ignore = vec!["alive".into()];
    let prepared = prepare(&options);
    assert_eq!(prepared.dataset.task, Task::Classification { class_count: 2 });
    assert_eq!(prepared.encoder.class_names(), ["0", "1"]);
    let names = prepared.encoder.feature_names();
    for name in ["pclass", "sex=male", "age", "age=(missing)", "deck=(missing)", "deck=G", "alone=true"] {
        assert!(names.iter().any(|known| known == name), "{name} not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("alive")));
}

#[test]
fn diamonds_is_a_regression_on_the_price() {
    let prepared = prepare(&options("diamonds.csv.gz", Some("price")));
    let dataset = &prepared.dataset;
    assert_eq!(dataset.task, Task::Regression);
    assert_eq!(dataset.row_count(), 53_940);
    let Targets::Values { stored, centre, scale } = &dataset.targets else { panic!("classes") };
    let first = centre + scale * f64::from(stored[0]);
    // A price of 326 with f32's digits at the scale of 2,800.
    assert!((first - 326.0).abs() < 1e-3, "{first}");
    // What a model of fold 2 would say if it were right is the price again.
    let unit = dataset.target_unit(2).unwrap();
    let value = unit.value(dataset.folds[2].target.apply(stored[0]));
    assert!((value - 326.0).abs() < 1e-2, "{value}");
}

#[test]
fn heart_scale_is_dense_with_its_labels_as_written() {
    let prepared = prepare(&options("heart_scale", None));
    assert_eq!(prepared.encoder.class_names(), ["-1", "+1"]);
    assert_eq!((prepared.dataset.row_count(), prepared.dataset.feature_count), (270, 13));
    assert_eq!(prepared.encoder.target_name(), "label");
}

#[test]
fn mnist_images_are_flattened_and_find_their_labels() {
    let mut options = options("t10k-images-idx3-ubyte.gz", None);
    let beside = prepare(&options);
    assert_eq!(beside.dataset.row_count(), 10_000);
    assert_eq!(beside.encoder.class_names().len(), 10);
    let Targets::Classes(classes) = &beside.dataset.targets else { panic!("values") };
    assert_eq!(classes[..5], [7, 2, 1, 0, 4]);
    assert!(beside.encoder.feature_names().contains(&"pixel_14_14".to_string()));
    // One mean and one deviation for all pixels.
    let fold = &beside.dataset.folds[0];
    let lit: Vec<_> = fold.transforms.iter().filter(|transform| transform.scale > 0.0).collect();
    assert!(lit.len() > 600 && lit.iter().all(|transform| transform.scale == lit[0].scale));

    let lit_rows = fold.train.iter().step_by(7).map(|&row| beside.dataset.row(row));
    let read: Vec<f64> = lit_rows
        .flat_map(|row| row.iter().zip(&fold.transforms))
        .filter(|(_, transform)| transform.scale > 0.0)
        .map(|(&stored, transform)| f64::from(transform.apply(stored)))
        .collect();
    let mean = read.iter().sum::<f64>() / read.len() as f64;
    let variance = read.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / read.len() as f64;
    // Over every seventh training row: 1,143 images of 100 lit pixels or so.
    assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "mean {mean}, variance {variance}");

    let mut refitted = beside.dataset.clone();
    let index = refitted.refit_fold();
    let transforms = &refitted.folds[index].transforms;
    let lit = transforms.iter().filter(|transform| transform.scale > 0.0).count();
    assert!(
        lit == transforms.len() && transforms.iter().all(|transform| transform.scale == transforms[0].scale)
    );

    options.labels = Some(options.path.with_file_name("t10k-labels-idx1-ubyte.gz"));
    assert_eq!(prepare(&options).fingerprint, beside.fingerprint);
}

#[test]
fn a_refitted_fold_trains_on_all_rows_but_the_test_set_and_is_scaled_alike() {
    let mut options = options("penguins.csv", Some("species"));
    options.split.test = Some(0.2);
    for scale in [data::Scale::Standard, data::Scale::Minmax, data::Scale::None] {
        options.scale = scale;
        let mut prepared = prepare(&options);
        let index = prepared.dataset.refit_fold();
        assert_eq!(index, 5);
        let fold = &prepared.dataset.folds[index];
        assert!(fold.validation.is_empty());
        assert_eq!(fold.train.len() + prepared.test_rows.len(), 344);
        assert!(prepared.test_rows.iter().all(|row| fold.train.binary_search(row).is_err()));
        let mass = prepared.encoder.feature_names().iter().position(|name| name == "body_mass_g").unwrap();
        let values =
            fold.train.iter().map(|&row| fold.transforms[mass].apply(prepared.dataset.row(row)[mass]));
        let largest = values.clone().fold(f32::MIN, f32::max);
        let expected = match scale {
            data::Scale::Standard => 2.6,
            data::Scale::Minmax => 1.0,
            data::Scale::None => 6300.0,
        };
        assert!((largest / expected - 1.0).abs() < 0.05, "{scale:?}: largest {largest}");
        assert!(values.fold(f32::MAX, f32::min) < largest * 0.5);
    }
}
