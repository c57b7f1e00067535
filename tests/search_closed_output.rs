//! `manytune search … | head -1`, in a process of its own: another test that starts a program would hold the
//! pipe's other end for an instant.

mod cli;

use cli::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

#[test]
fn a_closed_output_ends_the_search_without_a_panic() {
    let place = Place::new();
    place.write("space.toml", "[search]\ntrials = 10\nbatch = 4\n[space]\nx = { uniform = [0.0, 1.0] }\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
    command.current_dir(place.path("")).args(["search", "space.toml"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"ask\":["), "{line}");
    for number in 0..4 {
        writeln!(input, "{{\"tell\":{{\"number\":{number},\"value\":1}}}}").unwrap();
    }
    let status = child.wait().unwrap();
    let mut error = String::new();
    child.stderr.as_mut().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(status.code(), Some(130), "{error}");
    assert!(error.contains("standard output was closed: 4 of 10 trials are told"), "{error}");
    assert!(!error.contains("panicked"), "{error}");
    let trials = place.show("runs/space")["trials"].clone();
    assert_eq!(trials.as_array().unwrap().iter().filter(|trial| trial["value"] == 1.0).count(), 4);
}
