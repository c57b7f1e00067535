//! What a verification found: one line per check, as a table or as JSON.

use serde::Serialize;
use std::fmt;

/// What a check compares with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Kind {
    /// The f64 reference against central differences of itself.
    #[serde(rename = "L0 reference")]
    Reference,
    /// The engine's forward and backward against the f64 reference at the same f32 parameters.
    #[serde(rename = "L1 kernels")]
    Kernels,
    /// What must be equal to the bit or to the count.
    #[serde(rename = "L1 exact")]
    Exact,
    /// Differences of the engine's own values against its own gradient.
    #[serde(rename = "L2 slopes")]
    Slopes,
    /// The functions that kernels are made of against f64, in units in the last place.
    #[serde(rename = "L3 functions")]
    Functions,
    /// The engine's steps (optimizer, learning rate, order, regularisers) against the f64 reference.
    #[serde(rename = "L4 steps")]
    Steps,
}

impl Kind {
    /// The name, as in the table and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "L0 reference",
            Self::Kernels => "L1 kernels",
            Self::Exact => "L1 exact",
            Self::Slopes => "L2 slopes",
            Self::Functions => "L3 functions",
            Self::Steps => "L4 steps",
        }
    }
}

/// One check, at the place where it came closest to failing (or failed worst).
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was checked: `family/member`.
    pub name: String,
    /// What was compared with what.
    pub kind: Kind,
    /// The plan by which the engine trained, where it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<&'static str>,
    /// |found − expected| there; for exact checks the number of differences, for functions the distance in
    /// units in the last place. NaN (`null`) where the engine gave one.
    pub worst_error: f64,
    /// The largest error allowed there.
    pub tolerance: f64,
    /// Whether every comparison of the check was within its tolerance.
    pub passed: bool,
    /// Tensor, element, both values, the model that was trained, and the file of the formula.
    #[serde(rename = "where")]
    pub place: String,
    /// Whether it failed for having seen too little, not for an error.
    #[serde(skip)]
    pub blind: bool,
}

/// The result of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The engine and the adapter's or processor's name.
    pub device: String,
    /// Whether every check passed.
    pub passed: bool,
    /// One per name and kind.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// One outcome of several verifications of one device, each of them by another plan.
    pub fn of_plans(parts: Vec<(&'static str, Self)>) -> Self {
        let mut all = Self { device: String::new(), passed: true, checks: Vec::new() };
        for (plan, part) in parts {
            all.device = part.device;
            all.passed &= part.passed;
            all.checks.extend(part.checks.into_iter().map(|check| Check { plan: Some(plan), ..check }));
        }
        // Those of one name together.
        all.checks.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        all
    }

    /// One outcome of two verifications of one device, of different things.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        self.device = other.device;
        self.passed &= other.passed;
        self.checks.extend(other.checks);
        self
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passed)
    }
}

impl Outcome {
    /// What the arithmetic of the device is worth: one line, for a report; empty where it was not measured.
    fn arithmetic(&self) -> String {
        let measured =
            self.checks.iter().filter(|check| check.kind == Kind::Functions && check.tolerance > 0.0);
        let name = |check: &Check| check.name.trim_start_matches("primitive/").to_owned();
        let mut each: Vec<String> =
            measured.map(|check| format!("{} {:.2}", name(check), check.worst_error)).collect();
        // The functions are the same by every plan.
        each.dedup();
        if each.is_empty() {
            return String::new();
        }
        format!("errors of functions on this device, in units in the last place: {}\n", each.join(", "))
    }
}

/// A table; below it, what the device's functions are worth, what failed, and what to do.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0).max(5);
        let plan_width = self.checks.iter().filter_map(|check| check.plan).map(|plan| plan.len() + 2).max();
        let plan = |plan: &str| plan_width.map_or_else(String::new, |width| format!("{plan:width$}"));
        let plans = plan("plan");
        writeln!(
            f,
            "{:width$}  {plans}{:12}  {:>11}  {:>9}  result",
            "check", "kind", "worst error", "tolerance"
        )?;
        for check in &self.checks {
            let Check { name, kind, worst_error, tolerance, passed, .. } = check;
            let result = if *passed { "ok" } else { "FAILED" };
            let (kind, plan) = (kind.name(), plan(check.plan.unwrap_or("")));
            writeln!(f, "{name:width$}  {plan}{kind:12}  {worst_error:>11.2e}  {tolerance:>9.2e}  {result}")?;
        }
        write!(f, "\n{}", self.arithmetic())?;
        for check in self.failures() {
            let Check { name, kind, place, .. } = check;
            writeln!(f, "\n{name} ({}) FAILED\n  {place}", kind.name())?;
        }
        let failed = self.failures().count();
        if failed == 0 {
            return write!(f, "\n{} checks passed on {}", self.checks.len(), self.device);
        }
        writeln!(f, "\n{failed} of {} checks FAILED on {}", self.checks.len(), self.device)?;
        if self.failures().all(|check| check.blind) {
            return write!(f, "  try: another --seed; nothing was wrong, but too little was seen to pass");
        }
        let (driver, meanwhile) = match self.device.starts_with("gpu") {
            true => {
                (" update the device's driver; train with --engine cpu meanwhile;", " and driver version")
            }
            false => ("", ""),
        };
        write!(
            f,
            "  try: repeat one with --only NAME and the same --seed;{driver} and report this table with the \
             device's name{meanwhile}."
        )
    }
}
