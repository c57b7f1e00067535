//! Every combination of the values of a space, exactly once; with `refine`, the same again around the best, in
//! passes (`grid/refine.rs`).

mod axis;
mod refine;

use super::cells::{Cells, Remaining};
use super::{Settings, Strategy, StrategyKind, Trials, Unguided};
use crate::error::{Error, Result};
use crate::setting::{Chosen, Setting};
use crate::space::{Configuration, Space};
use axis::{axis, default_points};
use refine::{Found, Passes, most_refined};
use std::collections::BTreeSet;

static REFINE: Setting = Setting {
    name: "refine",
    summary: "passes of a grid after the first, each around the best so far",
    default: 0.0,
    low: 0.0,
    high: 20.0,
    whole: true,
};

/// Every combination of the values of a space.
pub struct Grid;

impl StrategyKind for Grid {
    fn name(&self) -> &'static str {
        "grid"
    }
    fn summary(&self) -> &'static str {
        "every combination of the values, once; `count` points of a range, evenly or log-spaced; `refine` passes around the best"
    }
    fn size(&self, space: &Space, settings: &Settings) -> Option<u128> {
        let cells = remaining(space, &settings.enqueued).most().unwrap_or(u128::MAX);
        let first = cells.saturating_add(settings.enqueued.len() as u128);
        // Around nothing there is nothing.
        let passes = if first == 0 { 0 } else { settings.chosen.count(&REFINE) };
        Some(first.saturating_add(most_refined(space).saturating_mul(passes.into())))
    }
    fn learns(&self, chosen: &Chosen) -> bool {
        chosen.count(&REFINE) > 0
    }
    fn waits(&self, chosen: &Chosen) -> bool {
        self.learns(chosen)
    }
    fn runs_all(&self) -> bool {
        true
    }
    fn settings(&self) -> &'static [Setting] {
        std::slice::from_ref(&REFINE)
    }
    fn notes(&self, space: &Space, settings: &Settings) -> Vec<String> {
        let size = match cells(space).len() {
            Some(size) => format!("the grid has {size} cells"),
            None => "the grid has more cells than can be counted".to_string(),
        };
        let allowed = match remaining(space, &[]).len() {
            _ if space.constraints.is_empty() => String::new(),
            Some(left) => format!(", of which {left} are left by the constraints"),
            None => ", of which the constraints leave too many to be counted".to_string(),
        };
        let passes = settings.chosen.count(&REFINE);
        let refined = (passes > 0).then(|| {
            format!(
                "the grid is refined in {passes} passes of at most {} cells: choices stay at the best, a range goes on \
                 past its edge where the best lies there, else it zooms in; constraints keep it from going too far",
                most_refined(space)
            )
        });
        let unsaid = space
            .dimensions
            .iter()
            .filter(|dimension| dimension.domain.size().is_none() && dimension.grid_count.is_none());
        std::iter::once(size + &allowed).chain(unsaid.map(default_points)).chain(refined).collect()
    }
    fn unguided(&self, space: &Space, settings: &Settings) -> Unguided {
        let cells = remaining(space, &settings.enqueued).len().unwrap_or(u128::MAX);
        Unguided::Cells(u64::try_from(cells).unwrap_or(u64::MAX))
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Walk { settings: settings.clone(), passes: None, needs: 0, remarks: Vec::new() })
    }
}

/// A grid being walked: behind the enqueued trials, trial n is the n-th cell that they and the constraints
/// leave; behind those, the n-th of the next pass.
struct Walk {
    settings: Settings,
    /// Of the space last asked about.
    passes: Option<(Space, Passes)>,
    needs: u64,
    remarks: Vec<String>,
}

impl Strategy for Walk {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let known = self.passes.take().filter(|(known, _)| known == space);
        let new = || (space.clone(), Passes::new(space, &self.settings));
        let (_, passes) = self.passes.insert(known.unwrap_or_else(new));
        if passes.is_uncountable() {
            return Err(Error::usage("space", "a grid of more than 3.4e38 cells")
                .allowed("a grid whose cells can be counted")
                .advice("fewer values, a smaller `count`, or strategy = \"random\""));
        }
        passes.forget_unlike(trials.told);
        let mut asked = Vec::new();
        self.needs = 0;
        for number in (first_number..=u64::MAX).take(count) {
            match passes.find(space, trials.told, number) {
                Found::Cell(configuration) => asked.push(configuration),
                Found::Needs(told) => {
                    self.needs = told;
                    break;
                }
                Found::End => break,
            }
        }
        self.remarks.append(&mut passes.remarks);
        Ok(asked)
    }

    fn needs(&self) -> u64 {
        self.needs
    }

    fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}

fn cells(space: &Space) -> Cells {
    Cells::new(space, |dimension| axis(dimension))
}

/// The cells that the constraints allow and that are not enqueued.
fn remaining(space: &Space, enqueued: &[Configuration]) -> Remaining {
    let cells = cells(space);
    let enqueued: BTreeSet<u128> =
        enqueued.iter().filter_map(|configuration| cells.index(configuration)).collect();
    Remaining::new(space, cells, enqueued)
}
