//! The checks: one file per family that is verified, each a list of small trainings made from the
//! family's own list, so that a new member is verified by being listed.

pub mod activation;
pub mod company;
pub mod initializer;
pub mod layer;
pub mod loss;
pub mod lr_schedule;
pub mod minibatch;
pub mod network;
pub mod optimizer;
pub mod regulariser;

use super::Level;
use super::case::Case;
use super::tables::GENERAL;
use crate::engine::Job;

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
    company::cases,
];
