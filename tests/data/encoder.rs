//! Types told from cells, features made of them, and the same done to new rows.

use crate::{prepare, prepare_with, read_for, refused};
use manytune::data::{ColumnType, Encoder, Prepared, Scale, Targets, Task};

/// A CSV of so many rows: each column is a name and a function of the row; the target repeats a, b.
fn table(row_count: usize, columns: &[(&str, &dyn Fn(usize) -> String)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!("{},y\n", names.join(","));
    for row in 0..row_count {
        let cells: Vec<String> = columns.iter().map(|(_, cell)| cell(row)).collect();
        text.push_str(&format!("{},{}\n", cells.join(","), ["a", "b"][row % 2]));
    }
    text
}

fn feature(prepared: &Prepared, name: &str) -> usize {
    let names = prepared.encoder.feature_names();
    names.iter().position(|known| known == name).unwrap_or_else(|| panic!("{name} is not in {names:?}"))
}

#[test]
fn types_are_told_from_cells() {
    let text = table(
        40,
        &[
            ("whole", &|row| (row % 4).to_string()),
            ("real", &|row| format!("{row}.25")),
            ("flag", &|row| ["true", "FALSE", "True"][row % 3].into()),
            ("answer", &|row| ["yes", "no", ""][row % 3].into()),
            ("two", &|row| ["left", "right"][row / 2 % 2].into()),
            ("three", &|row| ["red", "green", "blue"][row % 3].into()),
            ("mark", &|row| if row % 5 == 0 { "x".into() } else { String::new() }),
        ],
    );
    let prepared = prepare(&text).unwrap();
    let expected = "whole real flag=true answer=yes answer=(missing) two=right \
        three=blue three=green three=red three=(other) mark=x mark=(other) mark=(missing)";
    assert_eq!(prepared.encoder.feature_names().join(" "), expected);
    let row = prepared.dataset.row(2);
    assert_eq!(row[feature(&prepared, "flag=true")], 1.0);
    assert!(row[feature(&prepared, "answer=yes")].is_nan());
    assert_eq!(row[feature(&prepared, "answer=(missing)")], 1.0);
    assert_eq!(row[feature(&prepared, "two=right")], 1.0);
    assert_eq!(row[feature(&prepared, "three=blue")], 1.0);
    assert_eq!(row[feature(&prepared, "mark=(missing)")], 1.0);
}

#[test]
fn declared_types_win() {
    let text = table(
        12,
        &[
            ("code", &|row| (row % 3).to_string()),
            ("bit", &|row| (row / 2 % 2).to_string()),
            ("word", &|row| format!("w{row}")),
        ],
    );
    let prepared = prepare_with(&text, |options| {
        options.column_types.insert("code".into(), ColumnType::Categorical);
        options.column_types.insert("bit".into(), ColumnType::Boolean);
    })
    .unwrap();
    assert_eq!(prepared.encoder.feature_names(), ["code=0", "code=1", "code=2", "code=(other)", "bit=1"]);
    assert!(prepared.notes[0].contains("word is text that hardly repeats"), "{:?}", prepared.notes);
    let wrong = prepare_with(&text, |options| {
        options.column_types.insert("code".into(), ColumnType::Boolean);
    });
    refused(wrong, 3, &["column \"code\"", "3 values", "0, 1, 2"]);
    let wrong = prepare_with(&text, |options| {
        options.column_types.insert("word".into(), ColumnType::Numeric);
    });
    refused(wrong, 3, &["line 2, column \"word\"", "\"w0\" is not a number"]);
    let unknown = prepare_with(&text, |options| {
        options.column_types.insert("cod".into(), ColumnType::Numeric);
    });
    refused(unknown, 3, &["no column \"cod\" for types", "did you mean \"code\"?"]);
}

#[test]
fn columns_that_say_nothing_are_left_out_with_a_note() {
    let text = table(
        30,
        &[
            ("id", &|row| (row + 1).to_string()),
            ("x", &|row| format!("{}.5", row * row)),
            ("same", &|_| "7".into()),
            ("void", &|_| "NA".into()),
            ("name", &|row| format!("person {row}")),
        ],
    );
    let prepared = prepare(&text).unwrap();
    assert_eq!(prepared.encoder.feature_names(), ["x"]);
    let notes = prepared.notes.join("\n");
    for note in ["void has no values", "same has the same value", "name is text", "id counts the rows"] {
        assert!(notes.contains(note), "\"{note}\" is not in: {notes}");
    }
}

#[test]
fn numbers_in_disguise_are_noted() {
    let prepared = prepare(&table(40, &[("price", &|row| format!("${}", row % 8))])).unwrap();
    assert!(prepared.notes[0].contains("price holds numbers with signs"), "{:?}", prepared.notes);
}

#[test]
fn an_unnamed_first_column_of_row_numbers_is_left_out() {
    // Also after rows were shuffled or left out.
    for step in [1, 5] {
        let rows = (0..6).map(|row| format!("{},{},{}\n", row * step % 7, row * row, ["a", "b"][row % 2]));
        let text = format!(",x,y\n{}", rows.collect::<String>());
        let prepared = prepare(&text).unwrap();
        assert_eq!(prepared.encoder.feature_names(), ["x"]);
        assert!(prepared.notes[0].contains("(unnamed)"), "{:?}", prepared.notes);
        prepared.encoder.encode(&read_for(&prepared.encoder, "x\n4\n").unwrap()).unwrap();
    }
}

/// A name that pandas gives row numbers makes none of what does not number rows.
#[test]
fn an_unnamed_first_column_of_anything_else_is_learned_from() {
    let features = |name: &str, cell: &dyn Fn(usize) -> String| {
        let row = |row: usize| format!("{},{}.5,{}\n", cell(row), row * row, ["a", "b"][row % 2]);
        let text = format!("{name},x,y\n{}", (0..40).map(row).collect::<String>());
        prepare(&text).unwrap().encoder.feature_names().join(" ")
    };
    for name in ["", "Unnamed: 0", "(unnamed)"] {
        let shown = if name.is_empty() { "(unnamed)" } else { name };
        assert_eq!(features(name, &|row| format!("{}.25", row * 7 % 40)), format!("{shown} x"));
        assert_eq!(features(name, &|row| (row * 7 % 11).to_string()), format!("{shown} x"));
        let words = ["p", "q", "r"].map(|word| format!("{shown}={word}")).join(" ");
        assert_eq!(
            features(name, &|row| ["p", "q", "r"][row % 3].into()),
            format!("{words} {shown}=(other) x")
        );
        // Shuffled, with a foot, and two tables one behind the other.
        assert_eq!(features(name, &|row| if row == 39 { "all".into() } else { row.to_string() }), "x");
        assert_eq!(features(name, &|row| (row * 7 % 40).to_string()), "x");
        assert_eq!(features(name, &|row| (row % 25).to_string()), "x");
        // Of parts of tables, mixed.
        assert_eq!(features(name, &|row| (3 * (row * 7 % 40 % 25)).to_string()), "x");
    }
}

/// Twelve categories, of which two have fewer than three rows.
#[test]
fn rare_and_unseen_categories_share_a_slot() {
    let text = table(
        62,
        &[("k", &|row| match row {
            60 => "rare".into(),
            61 => "rarer".into(),
            _ => format!("k{}", row % 10),
        })],
    );
    let prepared = prepare(&text).unwrap();
    assert_eq!(prepared.encoder.feature_names().len(), 11);
    let other = feature(&prepared, "k=(other)");
    assert_eq!((prepared.dataset.row(60)[other], prepared.dataset.row(59)[other]), (1.0, 0.0));
    let new = read_for(&prepared.encoder, "k\nk3\nnever seen\n").unwrap();
    let encoded = prepared.encoder.encode(&new).unwrap();
    assert_eq!(encoded[feature(&prepared, "k=k3")], 1.0);
    assert_eq!(encoded[11 + other], 1.0);
    assert_eq!(encoded.iter().sum::<f32>(), 2.0);
}

#[test]
fn categories_beyond_the_64_most_frequent_go_to_other() {
    let text = table(700, &[("k", &|row| format!("k{}", if row < 640 { row % 64 } else { 100 + row % 20 }))]);
    let prepared = prepare(&text).unwrap();
    assert_eq!(prepared.encoder.feature_names().len(), 65);
    assert_eq!(prepared.dataset.row(699)[feature(&prepared, "k=(other)")], 1.0);
}

/// A category, and a number, that only validation rows have must not act: the model never saw it.
#[test]
fn what_no_training_row_has_is_multiplied_by_zero() {
    let text = table(
        12,
        &[
            ("fold", &|row| (row / 4).to_string()),
            ("k", &|row| if row < 4 { "first".into() } else { ["u", "v"][row / 2 % 2].into() }),
            ("x", &|row| if row < 4 { row.to_string() } else { "9".into() }),
            ("m", &|row| if row == 0 { String::new() } else { (row % 3).to_string() }),
        ],
    );
    let prepared = prepare_with(&text, |options| options.split.fold_column = Some("fold".into())).unwrap();
    let [first, second] = [0, 1].map(|fold| &prepared.dataset.folds[fold]);
    for name in ["k=first", "k=(other)", "x", "m=(missing)"] {
        assert_eq!(first.transforms[feature(&prepared, name)].scale, 0.0, "{name}");
    }
    let k = second.transforms[feature(&prepared, "k=first")];
    assert_eq!((k.shift, k.scale), (0.0, 1.0));
    assert!(second.transforms[feature(&prepared, "x")].scale > 0.0);
}

#[test]
fn missing_numbers_become_the_median_of_the_training_rows() {
    // Fold 0 validates on the rows with 1000: its training rows are 1, 2, 3, 10 and a missing one.
    let rows = [("0", "1000"), ("0", "1000"), ("1", "1"), ("1", "2"), ("1", "3"), ("1", "10"), ("1", "")];
    let rows: String = rows
        .iter()
        .enumerate()
        .map(|(row, (fold, x))| format!("{fold},{x},{}\n", ["a", "b"][row % 2]))
        .collect();
    for scale in [Scale::Standard, Scale::Minmax, Scale::None] {
        let prepared = prepare_with(format!("f,x,y\n{rows}"), |options| {
            options.split.fold_column = Some("f".into());
            options.scale = scale;
        })
        .unwrap();
        let (x, fold) = (feature(&prepared, "x"), &prepared.dataset.folds[0]);
        let read = |row: u32| fold.transforms[x].apply(prepared.dataset.row(row)[x]);
        // The median of 1, 2, 3 and 10 is 2.5, half way between rows 3 and 4.
        let expected = (read(3) + read(4)) / 2.0;
        assert!((read(6) - expected).abs() < 1e-6, "{scale:?}: {} for {expected}", read(6));
        if scale == Scale::None {
            assert_eq!((read(0), read(6)), (1000.0, 2.5));
        }
    }
}

/// Years, timestamps and prices differ in digits that f32 does not have at their own size.
#[test]
fn large_offsets_keep_their_digits() {
    let text = table(100, &[("time", &|row| format!("{}.25", 1_700_000_000_u64 + row as u64))]);
    let prepared = prepare(&text).unwrap();
    let fold = &prepared.dataset.folds[0];
    let read: Vec<f64> =
        (0..100).map(|row| fold.transforms[0].apply(prepared.dataset.row(row)[0]).into()).collect();
    let step = (read[99] - read[0]) / 99.0;
    for pair in read.windows(2) {
        // Equal steps of 1/29 deviation each, to the rounding of numbers near 1.7.
        assert!(((pair[1] - pair[0]) / step - 1.0).abs() < 1e-4, "{pair:?} with steps of {step}");
    }
}

#[test]
fn regression_outputs_come_back_in_their_own_unit() {
    let rows: String = (0..50).map(|row| format!("{row},{}\n", 1_000_000.0 + 0.5 * f64::from(row))).collect();
    let prepared = prepare(&format!("x,y\n{rows}")).unwrap();
    assert_eq!(prepared.dataset.task, Task::Regression);
    let Targets::Values { stored, .. } = &prepared.dataset.targets else { panic!("classes") };
    for fold in 0..2 {
        let unit = prepared.dataset.target_unit(fold).unwrap();
        let unit: manytune::data::TargetUnit =
            serde_json::from_str(&serde_json::to_string(&unit).unwrap()).unwrap();
        for (row, &stored) in stored.iter().enumerate() {
            let value = unit.value(prepared.dataset.folds[fold].target.apply(stored));
            // f32 holds 7 digits of the spread (25), not of the offset.
            assert!((value - (1_000_000.0 + 0.5 * row as f64)).abs() < 1e-5, "{value} for row {row}");
        }
    }
}

#[test]
fn a_target_that_is_constant_in_a_fold_keeps_its_unit() {
    let prepared = prepare_with("x,f,y\n1,0,2.5\n2,0,3.5\n3,1,4\n4,1,4\n", |options| {
        options.split.fold_column = Some("f".into());
    })
    .unwrap();
    // Fold 0 trains on the two rows of 4.
    let unit = prepared.dataset.target_unit(0).unwrap();
    let Targets::Values { stored, .. } = &prepared.dataset.targets else { panic!("classes") };
    assert_eq!(unit.value(0.0), 4.0);
    assert_eq!(unit.value(prepared.dataset.folds[0].target.apply(stored[0])), 2.5);
}

#[test]
fn a_new_number_far_beyond_the_old_ones_stays_finite() {
    let prepared = prepare(&table(12, &[("x", &|row| format!("{row}.5"))])).unwrap();
    let encoded =
        prepared.encoder.encode(&read_for(&prepared.encoder, "x\n1e100\n-1e100\n").unwrap()).unwrap();
    assert_eq!(encoded, [1e30, -1e30]);
}

#[test]
fn a_study_may_say_what_missing_looks_like() {
    let text = table(12, &[("x", &|row| if row == 3 { "-999.0".into() } else { format!("{row}.5") })]);
    let prepared = prepare_with(&text, |options| options.missing = vec!["-999".into()]).unwrap();
    assert!(prepared.dataset.row(3)[0].is_nan());
    assert_eq!(prepared.encoder.feature_names(), ["x", "x=(missing)"]);
}

#[test]
fn an_encoder_survives_json_and_encodes_the_same() {
    let text = include_str!("../../examples/data/titanic.csv");
    let prepared = prepare_with(text, |options| options.target = Some("survived".into())).unwrap();
    let json = serde_json::to_string_pretty(&prepared.encoder).unwrap();
    let encoder: Encoder = serde_json::from_str(&json).unwrap();
    assert_eq!(encoder, prepared.encoder);
    let encoded = encoder.encode(&read_for(&encoder, text).unwrap()).unwrap();
    let bits = |features: &[f32]| features.iter().map(|feature| feature.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&encoded), bits(&prepared.dataset.features));
}

#[test]
fn new_rows_may_have_columns_in_any_order_and_more_of_them() {
    let text = table(12, &[("x", &|row| row.to_string()), ("k", &|row| ["u", "v", "w"][row % 3].into())]);
    let prepared = prepare(&text).unwrap();
    let encoder = &prepared.encoder;
    let new = read_for(encoder, "extra,k,x\nhello,v,4\nthere,w,\n").unwrap();
    let encoded = encoder.encode(&new).unwrap();
    assert_eq!(encoded[..5], *prepared.dataset.row(4));
    assert!(encoded[5].is_nan(), "a number may be missing where none was before");
    refused(
        encoder.encode(&read_for(encoder, "k,X\nv,4\n").unwrap()),
        3,
        &["new.csv", "no column \"x\"", "is \"X\" the same column?"],
    );
    refused(
        encoder.encode(&read_for(encoder, "k,x\nv,4\nu,four\n").unwrap()),
        3,
        &["line 3, column \"x\"", "\"four\""],
    );
    refused(encoder.encode(&read_for(encoder, "k,x\nv,inf\n").unwrap()), 3, &["line 2, column \"x\"", "inf"]);
    refused(read_for(encoder, ""), 3, &["is empty"]);
}

#[test]
fn without_a_header_new_rows_are_matched_by_position() {
    let rows: String = (0..8).map(|row| format!("{row}.5,{},{}\n", ["a", "b"][row % 2], row * row)).collect();
    let prepared = prepare_with(&rows, |options| options.target = Some("1".into())).unwrap();
    let encoder = &prepared.encoder;
    for new in ["3.5,a,9\n", "3.5,9\n"] {
        assert_eq!(encoder.encode(&read_for(encoder, new).unwrap()).unwrap(), prepared.dataset.row(3));
    }
    refused(
        encoder.encode(&read_for(encoder, "1\n").unwrap()),
        3,
        &["1 columns", "3, or 2 without the target"],
    );
}

#[test]
fn a_changed_cell_changes_the_fingerprint() {
    let text = table(20, &[("x", &|row| format!("{row}.5"))]);
    let before = prepare(&text).unwrap().fingerprint;
    assert_eq!(before.len(), 16);
    assert_eq!(prepare(&text).unwrap().fingerprint, before);
    assert_ne!(prepare(&text.replace("7.5", "7.6")).unwrap().fingerprint, before);
    assert_ne!(prepare(&text.replace(",b", ",c")).unwrap().fingerprint, before);
}
