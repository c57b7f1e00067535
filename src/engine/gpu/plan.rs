//! How a member is trained: by a workgroup of its own, or tile by tile together with all others. Chosen by
//! the member's own shape and the device alone, so that its bits never depend on its neighbours.

use super::device::DeviceFacts;
use super::resident::layout::Layout;
use super::resident::variant::{self, Variant};
use super::table_data::FoldPlace;
use crate::error::{Result, unknown_name};
use crate::model::recipe::Member;

/// Most floating-point operations of one step for which one workgroup does better than the whole device
/// in eight dispatches: what a processor of a large device does in the 80 µs that these take at least.
/// By the arithmetic of such devices; no measurement yet.
const MOST_OPERATIONS: f64 = 8e6;

/// How a member is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Per layer and pass one dispatch over the tiles of all members.
    Tiled,
    /// One workgroup owns the member and takes many steps in one dispatch.
    Resident(&'static Variant),
}

impl Plan {
    /// `tiled`, or the name of the resident variant.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiled => "tiled",
            Self::Resident(variant) => variant.name,
        }
    }
}

/// Which plans may be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plans {
    /// Whichever is thought the faster one.
    #[default]
    Fastest,
    /// The tiled plan alone.
    Tiled,
    /// The resident plan wherever a variant of it holds the member.
    Resident,
    /// One variant of the resident plan wherever it holds the member.
    Variant(&'static Variant),
}

impl Plans {
    /// The plans that `--plan` names: `fastest`, `tiled`, `resident` or a variant's.
    pub fn named(name: &str) -> Result<Self> {
        let simple = [("fastest", Self::Fastest), ("tiled", Self::Tiled), ("resident", Self::Resident)];
        let variants = variant::ALL.iter().map(|variant| (variant.name, Self::Variant(variant)));
        let known: Vec<(&str, Self)> = simple.into_iter().chain(variants).collect();
        let found = known.iter().find(|(known, _)| *known == name).map(|(_, plans)| *plans);
        found.ok_or_else(|| unknown_name("--plan", "plan", name, known.iter().map(|(name, _)| *name)))
    }

    /// The plan of a member on a device whose table lies in so many buffers.
    pub fn choose(self, member: &Member, fold: FoldPlace, tables: usize, facts: &DeviceFacts) -> Plan {
        let (batch, _) = member.recipe.steps(fold.train_count as usize);
        let worth = match self {
            Self::Tiled => false,
            Self::Fastest => operations(member, batch) <= MOST_OPERATIONS,
            Self::Resident | Self::Variant(_) => true,
        };
        // A workgroup reads one binding of the table.
        if !worth || tables != 1 {
            return Plan::Tiled;
        }
        let may = |variant: &&Variant| match self {
            Self::Variant(only) => *variant == only,
            _ => true,
        };
        let Some(layout) = Layout::of(member, batch as u32, fold.validation_count) else {
            return Plan::Tiled;
        };
        let fits = |variant: &&Variant| may(variant) && variant.runs_on(facts) && variant.holds(&layout);
        variant::ALL.iter().find(fits).map_or(Plan::Tiled, Plan::Resident)
    }
}

/// Floating-point operations of one step: (6·P − 2·P₁)·B.
pub fn operations(member: &Member, batch: usize) -> f64 {
    let network = &member.network;
    let first = network.layers().next().map_or(0, |(inputs, outputs)| inputs * outputs);
    (6 * network.parameter_count() - 2 * first) as f64 * batch as f64
}
