//! What tests of the doctor share: numbers to plant faults in, and findings by name.

#![allow(dead_code, reason = "each test file uses a part")]

use serde_json::Value;

/// Numbers without a pattern, in [0, 1).
pub fn scattered(i: usize, salt: usize) -> f64 {
    (((i * 7919 + salt * 104_729 + 1) as f64 * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0)
}

/// Names of findings that are at least as bad.
pub fn names(json: &Value, least: &str) -> Vec<String> {
    let severities = ["note", "warning", "error"];
    let rank = |name: &str| severities.iter().position(|severity| *severity == name).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let bad = findings.filter(|finding| rank(finding["severity"].as_str().unwrap()) >= rank(least));
    bad.map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
}

/// The finding of this name among all.
#[track_caller]
pub fn named<'a>(findings: &'a [Value], name: &str) -> &'a Value {
    let found = findings.iter().find(|finding| finding["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {findings:#?}"))
}

#[track_caller]
pub fn assert_says(finding: &Value, key: &str, part: &str) {
    assert!(finding[key].as_str().unwrap().contains(part), "no \"{part}\" in {finding:#}");
}
