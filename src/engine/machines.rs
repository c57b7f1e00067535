//! What engines of kernel machines share: folds, the members they hold, and groups of those that differ in C alone.

use super::{Job, MemberId, Report, Snapshot};
use crate::data::{Targets, Task};
use crate::error::{Error, Result};
use crate::model::metric::Evaluation;
use crate::model::recipe::Member;
use crate::model::svm::group::{Group, SetTruth};
use crate::model::svm::set::FoldSet;
use crate::model::svm::settings::{Gamma, Settings};
use crate::model::svm::smo::Outcome;
use std::collections::HashMap;
use std::sync::Arc;

/// Most members at a time: the more, the more is shared.
pub const MOST_MEMBERS: usize = 8192;

/// A fold and what is true of its validation rows.
pub struct Fold {
    /// Its rows.
    pub set: FoldSet<f32>,
    /// What its validation rows are.
    pub truth: SetTruth,
}

impl Fold {
    /// A fold of a job's table.
    pub fn new(job: &Job, fold: usize) -> Self {
        let (dataset, rows) = (&job.dataset, &job.dataset.folds[fold]);
        let truth = match (&dataset.targets, dataset.task) {
            (Targets::Classes(classes), Task::Classification { class_count }) => SetTruth::Classes {
                class_count,
                classes: rows.validation.iter().map(|&row| classes[row as usize] as usize).collect(),
            },
            (Targets::Values { stored, .. }, _) => {
                let value = |&row: &u32| f64::from(rows.target.apply(stored[row as usize]));
                SetTruth::Values(rows.validation.iter().map(value).collect())
            }
            _ => SetTruth::Values(Vec::new()),
        };
        Self { set: FoldSet::new(dataset, fold), truth }
    }
}

/// Members to solve together: those of a fold that differ in C alone.
pub struct Asked {
    /// Their fold.
    pub fold: usize,
    /// Their settings, but for C.
    pub settings: Settings,
    /// Who they are.
    pub ids: Vec<MemberId>,
    /// (member) C
    pub costs: Vec<f64>,
}

/// Where a member stands.
enum Slot {
    /// Not solved yet.
    Fresh,
    /// Solved here, at this place of its group.
    Solved { group: Arc<Group>, cost: usize },
    /// Solved before.
    Restored(Snapshot),
}

/// The members that an engine holds.
#[derive(Default)]
pub struct Roster {
    members: HashMap<MemberId, (Member, Slot)>,
    /// Asked for, in no group yet.
    asked: Vec<MemberId>,
    ended: Vec<Report>,
}

impl Roster {
    /// How many more it takes, of at most so many.
    pub fn room(&self, most: usize) -> usize {
        most.saturating_sub(self.members.len())
    }

    /// Takes a member that is not solved.
    pub fn admit(&mut self, id: MemberId, member: Member) {
        self.members.insert(id, (member, Slot::Fresh));
    }

    /// Takes a member in a given state.
    pub fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) {
        let slot = if snapshot.epoch == 0 { Slot::Fresh } else { Slot::Restored(snapshot.clone()) };
        self.members.insert(id, (member, slot));
    }

    /// Whether a member is held.
    pub fn holds(&self, id: MemberId) -> bool {
        self.members.contains_key(&id)
    }

    /// Asks for the solutions of members.
    pub fn ask(&mut self, ids: &[MemberId]) {
        self.asked.extend_from_slice(ids);
    }

    /// Forgets what was asked for and is in no group.
    pub fn forget_asked(&mut self) {
        self.asked.clear();
    }

    /// Whether nothing is asked for, and nothing waits to be reported.
    pub fn is_idle(&self) -> bool {
        self.asked.is_empty() && self.ended.is_empty()
    }

    /// Whether a solution waits to be reported.
    pub fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// What was asked for, in groups: those that take longest first, so that nothing is left with one at the end.
    pub fn take_asked(&mut self) -> Vec<Asked> {
        let mut groups: Vec<Asked> = Vec::new();
        for id in std::mem::take(&mut self.asked) {
            let Some((member, _)) = self.members.get(&id) else { continue };
            let Some(settings) = member.recipe.machine else { continue };
            let fold = member.fold;
            let same =
                |asked: &&mut Asked| asked.fold == fold && differ_in_c_alone(&asked.settings, &settings);
            match groups.iter_mut().find(same) {
                Some(asked) => {
                    asked.ids.push(id);
                    asked.costs.push(settings.c);
                }
                None => groups.push(Asked { fold, settings, ids: vec![id], costs: vec![settings.c] }),
            }
        }
        groups.sort_by(|a, b| difficulty(&a.settings).total_cmp(&difficulty(&b.settings)));
        groups
    }

    /// Takes in a group that was solved. Members that were retired meanwhile are gone.
    pub fn settle(&mut self, ids: &[MemberId], group: &Arc<Group>, evaluations: Vec<Evaluation>) {
        for (cost, (&id, evaluation)) in ids.iter().zip(evaluations).enumerate() {
            let Some((_, slot)) = self.members.get_mut(&id) else { continue };
            *slot = Slot::Solved { group: Arc::clone(group), cost };
            let solver = group.solutions(cost).map(|(pair, solution)| (pair.classes, solution.outcome));
            let solver: Vec<([usize; 2], Outcome)> = solver.collect();
            self.ended.push(Report {
                id,
                epoch: 1,
                step: solver.iter().map(|(_, outcome)| outcome.iterations).sum(),
                train_loss: solver.iter().map(|(_, outcome)| outcome.objective).sum(),
                evaluation: Some(evaluation),
                diverged_at_step: None,
                solver,
            });
        }
    }

    /// What has ended since this was last asked.
    pub fn take_ended(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.ended)
    }

    /// The states of members, whose folds are `set_of`; `place` names the engine in errors.
    pub fn snapshots<'a>(
        &self,
        ids: &[MemberId],
        place: &str,
        set_of: impl Fn(usize) -> Option<&'a FoldSet<f32>>,
    ) -> Result<Vec<Snapshot>> {
        let snapshot = |id: &MemberId| {
            let found = self.members.get(id);
            let unknown = || Error::device(place, format!("member {id} was never admitted"));
            let (member, slot) = found.ok_or_else(unknown)?;
            Ok(match slot {
                Slot::Fresh => Snapshot::fresh(Vec::new()),
                Slot::Restored(snapshot) => snapshot.clone(),
                Slot::Solved { group, cost } => {
                    let parameters = set_of(member.fold).map(|set| group.machine(set, *cost).to_parameters());
                    let step = group.solutions(*cost).map(|(_, solution)| solution.outcome.iterations).sum();
                    Snapshot { epoch: 1, step, ..Snapshot::bare(parameters.unwrap_or_default()) }
                }
            })
        };
        ids.iter().map(snapshot).collect()
    }

    /// Forgets members.
    pub fn retire(&mut self, ids: &[MemberId]) {
        for id in ids {
            self.members.remove(id);
        }
        self.asked.retain(|id| !ids.contains(id));
        self.ended.retain(|report| !ids.contains(&report.id));
    }
}

fn differ_in_c_alone(a: &Settings, b: &Settings) -> bool {
    a.kernel.name() == b.kernel.name()
        && a.gamma == b.gamma
        && (a.coef0, a.degree, a.epsilon) == (b.coef0, b.degree, b.epsilon)
        && (a.balanced, a.probabilities) == (b.balanced, b.probabilities)
}

/// The smaller, the longer it takes: neither near 1 nor near 0 are the kernel's values then.
fn difficulty(settings: &Settings) -> f64 {
    match settings.gamma {
        Gamma::Value(gamma) => (gamma.log2() + 8.0).abs(),
        Gamma::Scale => 3.0,
    }
}
