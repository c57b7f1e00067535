//! What every division of rows must hold to, for any classes, groups, fractions and seeds.

use crate::{prepare, prepare_with, refused};
use manytune::data::SplitOptions;
use manytune::data::split::{Rows, Split, divide};
use proptest::prelude::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("c{class}")).collect()
}

/// Rows of so many of each class, in an order that mixes them.
fn classes_of(counts: &[usize]) -> Vec<u32> {
    let mut classes: Vec<u32> =
        counts.iter().enumerate().flat_map(|(class, &count)| vec![class as u32; count]).collect();
    let length = classes.len();
    (1..length).for_each(|place| classes.swap(place, place * 7919 % (place + 1)));
    classes
}

/// Training, validation and test rows are apart, ascending, and together all rows; each row is
/// validated once where the division is into folds.
fn check_partition(split: &Split, count: usize, is_folds: bool) -> Result<(), TestCaseError> {
    let ascending = |rows: &[u32]| rows.windows(2).all(|pair| pair[0] < pair[1]);
    let mut validated = vec![0; count];
    for (train, validation) in &split.folds {
        prop_assert!(ascending(train) && ascending(validation) && ascending(&split.test));
        prop_assert!(!train.is_empty() && !validation.is_empty());
        let mut all: Vec<u32> = [train.as_slice(), validation, &split.test].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..count as u32).collect::<Vec<_>>());
        validation.iter().for_each(|&row| validated[row as usize] += 1);
    }
    split.test.iter().for_each(|&row| validated[row as usize] += 1);
    prop_assert!(!is_folds || validated.iter().all(|&times| times == 1));
    Ok(())
}

proptest! {
    #[test]
    fn folds_have_their_share_of_every_class_to_within_one_row(
        counts in prop::collection::vec(6_usize..40, 1..6),
        folds in 2_usize..6,
        seed in any::<u64>(),
    ) {
        let (classes, names) = (classes_of(&counts), names(counts.len()));
        let rows = Rows { place: "t".into(), count: classes.len(), classes: Some((&classes, &names)), groups: None, folds: None };
        let options = SplitOptions { folds, ..SplitOptions::default() };
        let split = divide(&rows, &options, seed).unwrap();
        prop_assert_eq!(split.folds.len(), folds);
        check_partition(&split, classes.len(), true)?;
        for (_, validation) in &split.folds {
            for (class, &count) in counts.iter().enumerate() {
                let held = validation.iter().filter(|&&row| classes[row as usize] == class as u32).count();
                let share = count as f64 / folds as f64;
                prop_assert!((held as f64 - share).abs() < 1.0, "{held} of class {class}, share {share}");
            }
            let share = classes.len() as f64 / folds as f64;
            prop_assert!((validation.len() as f64 - share).abs() < 1.0);
        }
        prop_assert_eq!(&divide(&rows, &options, seed).unwrap(), &split);
    }

    /// The first repeat is the division without repeats, and each is one of its own.
    #[test]
    fn repeats_divide_again_behind_what_there_was(
        count in 24_usize..60,
        folds in 2_usize..5,
        repeats in 2_usize..4,
        holds_out in any::<bool>(),
        test in prop::option::of(0.1_f64..0.3),
        seed in any::<u64>(),
    ) {
        let rows = Rows { place: "t".into(), count, classes: None, groups: None, folds: None };
        let validation = holds_out.then_some(0.25);
        let once = SplitOptions { folds, validation, test, ..SplitOptions::default() };
        let (one, folds) = (divide(&rows, &once, seed).unwrap(), if holds_out { 1 } else { folds });
        let split = divide(&rows, &SplitOptions { repeats, ..once }, seed).unwrap();
        prop_assert_eq!(split.folds.len(), folds * repeats);
        prop_assert_eq!(&split.folds[..folds], &one.folds[..]);
        prop_assert_eq!(&split.test, &one.test);
        let each: Vec<_> = split.folds.chunks(folds).collect();
        for (index, folds) in each.iter().enumerate() {
            let part = Split { folds: folds.to_vec(), test: split.test.clone(), notes: Vec::new() };
            check_partition(&part, count, !holds_out)?;
            prop_assert!(each[..index].iter().all(|other| other != folds));
        }
    }

    #[test]
    fn hold_outs_have_their_share_and_leave_every_class_to_train_on(
        counts in prop::collection::vec(1_usize..40, 2..6),
        validation in 0.1_f64..0.6,
        test in prop::option::of(0.1_f64..0.4),
        seed in any::<u64>(),
    ) {
        let (classes, names) = (classes_of(&counts), names(counts.len()));
        prop_assume!(classes.len() > 30);
        let rows = Rows { place: "t".into(), count: classes.len(), classes: Some((&classes, &names)), groups: None, folds: None };
        let options = SplitOptions { validation: Some(validation), test, ..SplitOptions::default() };
        let split = divide(&rows, &options, seed).unwrap();
        check_partition(&split, classes.len(), false)?;
        let of_class = |rows: &[u32], class: usize| rows.iter().filter(|&&row| classes[row as usize] == class as u32).count();
        for (class, &count) in counts.iter().enumerate() {
            let (train, held) = (of_class(&split.folds[0].0, class), of_class(&split.folds[0].1, class));
            let tested = of_class(&split.test, class);
            prop_assert!(train > 0);
            prop_assert!((tested as f64 - test.unwrap_or(0.0) * count as f64).abs() < 1.0);
            prop_assert!((held as f64 - validation * (count - tested) as f64).abs() < 1.0);
        }
    }

    #[test]
    fn groups_stay_whole_and_folds_stay_even(
        sizes in prop::collection::vec(1_usize..9, 12..40),
        folds in 2_usize..6,
        test in prop::option::of(0.1_f64..0.3),
        seed in any::<u64>(),
    ) {
        let groups: Vec<u32> = sizes.iter().enumerate().flat_map(|(group, &size)| vec![group as u32; size]).collect();
        let rows = Rows { place: "t".into(), count: groups.len(), classes: None, groups: Some(&groups), folds: None };
        let options = SplitOptions { folds, test, ..SplitOptions::default() };
        let split = divide(&rows, &options, seed).unwrap();
        check_partition(&split, groups.len(), true)?;
        for (train, validation) in &split.folds {
            for part in [validation, &split.test] {
                prop_assert!(part.iter().all(|&row| !train.iter().any(|&other| groups[other as usize] == groups[row as usize])));
            }
        }
        // Largest first into the emptiest: no two folds differ by more than the largest group.
        let lengths = split.folds.iter().map(|(_, validation)| validation.len());
        let largest = sizes.iter().max().copied().unwrap_or(0);
        prop_assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= largest);
        prop_assert_eq!(&divide(&rows, &options, seed).unwrap(), &split);
    }
}

#[test]
fn another_seed_gives_another_division_and_the_same_seed_the_same() {
    let text: String = (0..60).map(|row| format!("{row}.5,{}\n", ["a", "b", "c"][row % 3])).collect();
    let text = format!("x,y\n{text}");
    let of_seed = |seed: u64| {
        let folder = crate::Folder::new();
        let options = crate::options(folder.write("t.csv", &text));
        let table = manytune::data::load(&options).unwrap();
        let prepared = manytune::data::prepare(&table, &options, seed).unwrap();
        (prepared.dataset.folds[0].validation.clone(), prepared.fingerprint)
    };
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1).0, of_seed(2).0);
    assert_ne!(of_seed(1).1, of_seed(2).1);
}

#[test]
fn grouped_classes_are_spread_over_the_folds() {
    // Forty groups of three rows, a quarter of them of class 1.
    let groups: Vec<u32> = (0..120).map(|row| row / 3).collect();
    let classes: Vec<u32> = groups.iter().map(|group| u32::from(group % 4 == 0)).collect();
    let names = names(2);
    let rows = Rows {
        place: "t".into(),
        count: 120,
        classes: Some((&classes, &names)),
        groups: Some(&groups),
        folds: None,
    };
    let split = divide(&rows, &SplitOptions::default(), 3).unwrap();
    for (_, validation) in &split.folds {
        assert_eq!(validation.len(), 24);
        assert_eq!(validation.iter().filter(|&&row| classes[row as usize] == 1).count(), 6);
    }
}

#[test]
fn the_last_groups_fill_parts_that_are_still_empty() {
    // Two equal groups and a hold-out of a tenth: by shares alone, training would take both.
    let groups = [0, 0, 0, 1, 1, 1];
    let rows = Rows { place: "t".into(), count: 6, classes: None, groups: Some(&groups), folds: None };
    let options = SplitOptions { validation: Some(0.1), ..SplitOptions::default() };
    let split = divide(&rows, &options, 0).unwrap();
    assert_eq!((split.folds[0].0.len(), split.folds[0].1.len()), (3, 3));
}

#[test]
fn a_fold_column_is_taken_at_its_word_and_is_no_feature() {
    let text: String = (0..12)
        .map(|row| format!("{row}.5,{},{}\n", ["p", "q", "r"][row / 4], ["a", "b"][row % 2]))
        .collect();
    let prepared =
        prepare_with(format!("x,f,y\n{text}"), |options| options.split.fold_column = Some("f".into()))
            .unwrap();
    let folds = &prepared.dataset.folds;
    assert_eq!(folds.len(), 3);
    assert_eq!(folds[1].validation, [4, 5, 6, 7]);
    assert_eq!(folds[1].train, [0, 1, 2, 3, 8, 9, 10, 11]);
    assert_eq!(prepared.encoder.feature_names(), ["x"]);
}

#[test]
fn a_class_within_one_group_is_noted_and_weighs_nothing_where_it_is_absent() {
    let text: String = (0..12)
        .map(|row| format!("{row}.5,g{},{}\n", row / 4, if row < 4 { "rare" } else { ["a", "b"][row % 2] }))
        .collect();
    let text = format!("x,g,y\n{text}");
    let prepared = prepare_with(&text, |options| options.split.group_column = Some("g".into())).unwrap();
    assert!(prepared.notes.iter().any(|note| note.contains("class \"rare\"")), "{:?}", prepared.notes);
    let fold = prepared.dataset.folds.iter().find(|fold| fold.balanced_weights[2] == 0.0).unwrap();
    // The two classes that are left are even: weights of mean 1.
    assert_eq!(fold.balanced_weights, [1.0, 1.0, 0.0]);
    assert!(fold.validation.starts_with(&[0, 1, 2, 3]));
    assert_eq!(prepared.encoder.feature_names(), ["x"]);
}

#[test]
fn splits_that_cannot_be_are_refused() {
    let text: String = (0..20)
        .map(|row| format!("{row}.5,g{},{}\n", row % 3, if row < 3 { "rare" } else { "often" }))
        .collect();
    let text = &format!("x,g,y\n{text}");
    refused(prepare_with(text, |o| o.split.folds = 5), 3, &["class \"rare\" has 3 rows", "folds = 3"]);
    refused(prepare_with(text, |o| o.split.folds = 1), 2, &["data.folds", "validation"]);
    refused(prepare_with(text, |o| o.split.folds = 0), 2, &["data.folds"]);
    for fraction in [0.0, 1.0, -0.2, 1.5, f64::NAN] {
        refused(
            prepare_with(text, |o| o.split.validation = Some(fraction)),
            2,
            &["data.validation", "below 1"],
        );
        refused(prepare_with(text, |o| o.split.test = Some(fraction)), 2, &["data.test"]);
    }
    let grouped = |o: &mut manytune::data::DataOptions, folds| {
        o.split.group_column = Some("g".into());
        o.split.folds = folds;
    };
    refused(prepare_with(text, |o| grouped(o, 4)), 3, &["3 groups"]);
    let both = prepare_with(text, |o| {
        grouped(o, 2);
        o.split.fold_column = Some("g".into());
    });
    refused(both, 2, &["fold_column", "group_column"]);
    refused(prepare_with(text, |o| o.split.fold_column = Some("y".into())), 2, &["\"y\" is the target"]);
    refused(
        prepare_with(text, |o| o.split.fold_column = Some("gg".into())),
        3,
        &["no column \"gg\"", "\"g\""],
    );
    let regression = prepare_with("x,y\n1,1.5\n2,2.5\n3,3.5\n", |o| o.split.folds = 4);
    refused(regression, 3, &["3 rows", "4 folds"]);
    let tiny = prepare_with("x,y\n1,1.5\n2,2.5\n3,3.5\n", |o| o.split.validation = Some(0.01));
    refused(tiny, 3, &["none is left for validation"]);
    prepare(text).unwrap();
}
