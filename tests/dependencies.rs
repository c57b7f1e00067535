//! The rooms of the house depend downward only (see ARCHITECTURE.md), and one room alone names wgpu.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the ground up; a room may use those of its own floor and below.
const FLOORS: &[&[&str]] = &[
    &["error", "random", "sample", "setting"],
    &["data", "space"],
    &["model", "trial"],
    &["engine", "search", "schedule"],
    &["study", "verify"],
    &["report", "diagnosis", "export", "benchmark"],
    &["cli"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

/// The room of a file under `src`; `None` for lib.rs and main.rs, which stand outside.
fn room_of(file: &Path) -> Option<String> {
    let first = file.strip_prefix("src").unwrap().components().next().unwrap();
    let name = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// The code of a file without its comments.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms that some code names: `crate::room`, and each of `crate::{room, other::Thing}`.
fn rooms_named(code: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut rooms = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => rooms.push(name(rest)),
            Some(group) => {
                let (mut depth, mut start) = (0, 0);
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth > 0 => depth -= 1,
                        ',' if depth == 0 => {
                            rooms.push(name(&group[start..at]));
                            start = at + 1;
                        }
                        '}' => {
                            rooms.push(name(&group[start..at]));
                            break;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    // A macro or type at the root of the crate is no room; a trailing comma names nothing.
    rooms.retain(|room| room.starts_with(|c: char| c.is_ascii_lowercase()));
    rooms
}

#[test]
fn arrows_between_rooms_run_downward() {
    let mut faults = Vec::new();
    let mut arrow_count = 0;
    for file in sources(Path::new("src")) {
        let Some(room) = room_of(&file) else { continue };
        let Some(own) = floor(&room) else {
            faults.push(format!("{}: say in this test on which floor {room} is", file.display()));
            continue;
        };
        for other in rooms_named(&code_of(&file)) {
            arrow_count += 1;
            match floor(&other) {
                Some(theirs) if theirs <= own => {}
                Some(_) => faults.push(format!("{}: {room} uses {other}, which is above it", file.display())),
                None => faults.push(format!("{}: {room} uses {other}, which is no room", file.display())),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(arrow_count > 100, "only {arrow_count} arrows were found: is the test blind?");
}

#[test]
fn grouped_imports_are_seen() {
    let code = "use crate::{a, b::{C, d}, e::F,};\nuse crate::g::H; crate::i::j(); use crate::K;";
    assert_eq!(rooms_named(code), ["a", "b", "e", "g", "i"]);
}

#[test]
fn one_room_alone_names_wgpu() {
    let outside: Vec<PathBuf> = sources(Path::new("src"))
        .into_iter()
        .filter(|file| !file.starts_with("src/engine/gpu") && code_of(file).contains("wgpu::"))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}
