//! The checks: one file per family that is verified, each a list of small trainings made from the
//! family's own list, so that a new member is verified by being listed.

pub mod activation;
pub mod company;
pub mod direction;
pub mod evaluation;
pub mod initializer;
pub mod layer;
pub mod loss;
pub mod lr_schedule;
pub mod minibatch;
pub mod network;
pub mod optimizer;
pub mod primitive;
pub mod projection;
pub mod regulariser;
pub mod trajectory;

use super::Level;
use super::case::Case;
use super::findings::Findings;
use super::tables::GENERAL;
use crate::engine::{Engine, Job};
use crate::error::Result;

/// What a family needs to make its cases.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The tables, by number.
    pub jobs: &'a [Job],
    /// How much to check.
    pub level: Level,
}

impl Plan<'_> {
    /// How many of the tables of general use are used: each takes an engine of its own.
    pub fn general_tables(&self) -> usize {
        self.by_level(2, GENERAL, GENERAL)
    }

    /// One of three numbers, by level.
    pub fn by_level<T>(&self, quick: T, normal: T, full: T) -> T {
        match self.level {
            Level::Quick => quick,
            Level::Normal => normal,
            Level::Full => full,
        }
    }
}

/// Makes the cases of one family.
type MakeCases = fn(Plan<'_>) -> Vec<Case>;

/// Every family of cases.
pub static ALL: &[MakeCases] = &[
    activation::cases,
    loss::cases,
    layer::cases,
    regulariser::cases,
    optimizer::cases,
    lr_schedule::cases,
    initializer::cases,
    minibatch::cases,
    network::cases,
    evaluation::cases,
    trajectory::cases,
    company::cases,
];

/// Comparisons that are no trainings judged one by one: of functions, and of an engine with itself.
#[derive(Clone, Copy)]
pub struct Probe {
    /// The tables whose engines it is made on.
    pub tables: &'static [usize],
    /// The names of its checks.
    pub names: fn() -> Vec<String>,
    /// Makes, on an engine of a table, those of its checks that are wanted.
    pub check: CheckEngine,
}

/// Compares what an engine gives on a table, for the checks that are wanted by name.
pub type CheckEngine =
    fn(&mut Findings, &mut dyn Engine, Plan<'_>, usize, &dyn Fn(&str) -> bool) -> Result<()>;

/// Every probe.
pub static PROBES: &[Probe] = &[primitive::PROBE, direction::PROBE, projection::PROBE];
