//! What is predicted, told from the target column: the task, the classes, and the rows that have one.

use crate::{prepare, prepare_with};
use manytune::data::{ColumnType, DataOptions, Targets, Task, TaskKind};

#[test]
fn the_task_is_told_from_the_target() {
    let of = |target: &dyn Fn(usize) -> String, task: Option<TaskKind>| {
        let rows: String = (0..50).map(|row| format!("{}.5,{}\n", row * row, target(row))).collect();
        prepare_with(format!("x,y\n{rows}"), |options| options.task = task).unwrap().dataset.task
    };
    assert_eq!(of(&|row| (row % 20).to_string(), None), Task::Classification { class_count: 20 });
    assert_eq!(of(&|row| (row % 21).to_string(), None), Task::Regression);
    assert_eq!(of(&|row| format!("{}.5", row % 2), None), Task::Regression);
    assert_eq!(of(&|row| (row % 3).to_string(), Some(TaskKind::Regression)), Task::Regression);
    assert_eq!(
        of(&|row| (row % 25).to_string(), Some(TaskKind::Classification)),
        Task::Classification { class_count: 25 }
    );
}

#[test]
fn numeric_labels_are_in_the_order_of_their_values() {
    let rows: String = (0..22).map(|row| format!("{}.5,{}\n", row * row, row % 11)).collect();
    let prepared = prepare(&format!("x,y\n{rows}")).unwrap();
    assert_eq!(prepared.encoder.class_names().join(" "), "0 1 2 3 4 5 6 7 8 9 10");
}

/// An amount is the same however it is written; a name is another one with another sign in it.
#[test]
fn labels_are_one_class_only_where_they_are_written_as_one_amount() {
    let classes = |labels: &[&str]| {
        let rows: String =
            (0..4 * labels.len()).map(|row| format!("{row}.5,{}\n", labels[row % labels.len()])).collect();
        let prepared =
            prepare_with(format!("x,y\n{rows}"), |options| options.task = Some(TaskKind::Classification));
        prepared.unwrap().encoder.class_names().join(" ")
    };
    assert_eq!(classes(&["2", "1.0", "1", "2.00", "-0", "0", "1.", "2.0000000000000000"]), "-0 1.0 2");
    assert_eq!(classes(&["0120", "12e1", "120", "120.0", "121"]), "0120 120 12e1 121");
    let large = ["9007199254740992", "9007199254740993", "9007199254740996"];
    assert_eq!(classes(&large), large.join(" "));
    assert_eq!(classes(&large[..2]), large[..2].join(" "));
    assert_eq!(classes(&["1", "1.0", "one"]), "1 1.0 one");
}

#[test]
fn an_amount_by_declaration_is_not_said_to_have_many_values() {
    let text: String = (0..40).map(|row| format!("{row}.5,{}\n", row % 2)).collect();
    let amount = |options: &mut DataOptions| {
        options.column_types.insert("y".into(), ColumnType::Numeric);
    };
    let prepared = prepare_with(format!("x,y\n{text}"), amount).unwrap();
    assert_eq!((prepared.dataset.task, prepared.notes.len()), (Task::Regression, 0), "{:?}", prepared.notes);
}

#[test]
fn rows_without_a_target_are_left_out() {
    let prepared = prepare("x,y\n1,a\n2,\n3,b\n4,a\n5,?\n6,b\n").unwrap();
    assert_eq!(prepared.dataset.row_count(), 4);
    assert!(prepared.notes[0].contains("2 rows without a target") && prepared.notes[0].contains("line 3"));
    let Targets::Classes(classes) = &prepared.dataset.targets else { panic!("values") };
    assert_eq!(classes, &[0, 1, 0, 1]);
}
