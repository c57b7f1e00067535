//! An engine whose steps are counted out.

use super::{STEPS, rings};
use manytune::engine::{Engine, EngineKind, MemberId, Report, Snapshot};
use manytune::error::Result;
use manytune::model::inside::Probe;
use manytune::model::primitive::{Primitive, Words};
use manytune::model::recipe::Member;
use manytune::model::trainer::{Scratch, Trainer};
use std::collections::BTreeMap;

/// An engine without threads that takes one to three steps of every member a call, by the member's name:
/// where a run is stopped depends on nothing but how often it is called.
pub struct Stepping {
    members: BTreeMap<MemberId, Stepped>,
    /// Members that it has room for.
    room: usize,
    /// Of all members together.
    pub steps: u64,
    /// Members taken in a state that was given.
    pub restored: usize,
    /// Hears what the engine is called for, before it does it; an error is the call's.
    pub listener: Box<dyn FnMut(Call) -> Result<()>>,
}

/// What an engine is called for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Call {
    Admit,
    Begin,
    Advance,
}

struct Stepped {
    trainer: Trainer<f32>,
    epoch: u32,
    kept: Option<Vec<f32>>,
    asked: bool,
}

impl Stepping {
    pub fn new() -> Self {
        Self::with_room(7)
    }

    pub fn with_room(room: usize) -> Self {
        Self { members: BTreeMap::new(), room, steps: 0, restored: 0, listener: Box::new(|_| Ok(())) }
    }
}

impl Stepped {
    fn new(trainer: Trainer<f32>) -> Self {
        Self { trainer, epoch: 0, kept: None, asked: false }
    }

    /// Some steps; the report of an epoch that they end.
    fn advance(&mut self, id: MemberId) -> Option<Report> {
        let (dataset, scratch) = (rings(), &mut Scratch::default());
        let end = u64::from(self.epoch + 1) * STEPS;
        let stop = end.min(self.trainer.step + 1 + id % 3);
        let outcome = self.trainer.train_until(&dataset, scratch, stop, || false);
        if outcome.is_ok() && self.trainer.step < end {
            return None;
        }
        (self.epoch, self.asked) = (self.epoch + 1, false);
        let train_loss = std::mem::take(&mut self.trainer.loss_sum) / STEPS as f64;
        Some(Report {
            id,
            epoch: self.epoch,
            step: self.trainer.step,
            train_loss,
            evaluation: outcome.is_ok().then(|| self.trainer.evaluate(&dataset, scratch, false)),
            diverged_at_step: outcome.err(),
            solver: Vec::new(),
        })
    }
}

impl Engine for Stepping {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }
    fn device(&self) -> String {
        "steps that are counted".to_owned()
    }
    fn explain(&self) -> Vec<String> {
        Vec::new()
    }
    fn room(&self, _: &Member) -> usize {
        self.room.saturating_sub(self.members.len())
    }
    fn check(&self, _: &Member) -> Result<()> {
        Ok(())
    }
    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        (self.listener)(Call::Admit)?;
        self.members.insert(id, Stepped::new(Trainer::new(member, 7)));
        Ok(())
    }
    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        let Snapshot { epoch, step, loss_sum, parameters, m, v, kept } = snapshot;
        let mut stepped = Stepped::new(Trainer::resume(member, 7, [parameters, m, v], *step));
        (stepped.epoch, stepped.kept, stepped.trainer.loss_sum) = (*epoch, kept.clone(), *loss_sum);
        self.members.insert(id, stepped);
        self.restored += 1;
        Ok(())
    }
    fn copy(&mut self, id: MemberId, member: Member, from: MemberId) -> Result<()> {
        assert!(!self.members[&from].asked, "member {from} is in training");
        let state = self.snapshot(&[from])?.remove(0);
        self.restore(id, member, &state)?;
        self.restored -= 1;
        Ok(())
    }
    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        ids.iter().for_each(|id| self.members.get_mut(id).unwrap().asked = true);
        Ok(())
    }
    fn begin(&mut self) -> Result<()> {
        (self.listener)(Call::Begin)
    }
    fn advance(&mut self) -> Result<Vec<Report>> {
        (self.listener)(Call::Advance)?;
        let mut reports = Vec::new();
        for (id, stepped) in self.members.iter_mut().filter(|(_, stepped)| stepped.asked) {
            let before = stepped.trainer.step;
            reports.extend(stepped.advance(*id));
            self.steps += stepped.trainer.step - before;
        }
        Ok(reports)
    }
    fn is_idle(&self) -> bool {
        self.members.values().all(|stepped| !stepped.asked)
    }
    fn pause(&mut self) -> Result<()> {
        self.members.values_mut().for_each(|stepped| stepped.asked = false);
        Ok(())
    }
    fn keep(&mut self, ids: &[MemberId]) -> Result<()> {
        for id in ids {
            let stepped = self.members.get_mut(id).unwrap();
            stepped.kept = Some(stepped.trainer.parameters.to_vec());
        }
        Ok(())
    }
    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let state = |id: &MemberId| {
            let Stepped { trainer, epoch, kept, .. } = &self.members[id];
            Snapshot::of(trainer, *epoch, kept.clone())
        };
        Ok(ids.iter().map(state).collect())
    }
    fn probe(&mut self, ids: &[MemberId]) -> Result<Vec<Option<Probe>>> {
        let probe = |id: &MemberId| Some(self.members[id].trainer.probe(&rings(), &mut Scratch::default()));
        Ok(ids.iter().map(probe).collect())
    }
    fn retire(&mut self, ids: &[MemberId]) {
        ids.iter().for_each(|id| drop(self.members.remove(id)));
    }
    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        Ok(operands.iter().map(|pair| primitive.compute(*pair)).collect())
    }
}
