//! An engine that is wrong in some way: faults are made around a right one, on what goes in and on what comes out.

use manytune::engine::ceiling::Ceilings;
use manytune::engine::{Engine, EngineKind, MemberId, Report, Snapshot};
use manytune::error::Result;
use manytune::model::primitive::{Primitive, Words};
use manytune::model::recipe::Member;
use manytune::model::svm::dual::Dual;
use std::collections::HashMap;

/// What is wrong; nothing, where nothing is said.
#[allow(unused_variables, reason = "the defaults change nothing")]
pub trait Fault {
    /// Changes what is trained, behind the caller's back.
    fn member(&self, member: &mut Member) {}
    /// Changes a state that is read back, given the member as it was asked for and how many were admitted.
    fn snapshot(&self, member: &Member, snapshot: &mut Snapshot, admitted: usize) {}
    /// Changes a report.
    fn report(&self, member: &Member, report: &mut Report) {}
    /// Changes what a primitive gives.
    fn outcomes(&self, primitive: &Primitive, outcomes: &mut [Words]) {}
    /// Changes what is seen of a solver after so many steps.
    fn dual(&self, dual: &mut Dual, most_iterations: u64) {}
    /// What the device is said to be able to do.
    fn ceilings(&self) -> Option<Ceilings> {
        None
    }
}

/// An engine with a fault.
pub struct Wrong<E, F> {
    engine: E,
    fault: F,
    members: HashMap<MemberId, Member>,
    admitted: usize,
}

impl<E: Engine + 'static, F: Fault + 'static> Wrong<E, F> {
    pub fn boxed(engine: E, fault: F) -> Box<dyn Engine> {
        Box::new(Self { engine, fault, members: HashMap::new(), admitted: 0 })
    }
}

impl<E, F: Fault> Wrong<E, F> {
    fn changed(&mut self, id: MemberId, mut member: Member) -> Member {
        self.admitted += 1;
        self.members.insert(id, member.clone());
        self.fault.member(&mut member);
        member
    }
}

impl<E: Engine, F: Fault> Engine for Wrong<E, F> {
    fn kind(&self) -> EngineKind {
        self.engine.kind()
    }
    fn device(&self) -> String {
        "a faulty engine".to_owned()
    }
    fn explain(&self) -> Vec<String> {
        Vec::new()
    }
    fn room(&self, member: &Member) -> usize {
        self.engine.room(member)
    }
    fn check(&self, member: &Member) -> Result<()> {
        self.engine.check(member)
    }
    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        let member = self.changed(id, member);
        self.engine.admit(id, member)
    }
    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        let member = self.changed(id, member);
        self.engine.restore(id, member, snapshot)
    }
    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        self.engine.train(ids)
    }
    fn advance(&mut self) -> Result<Vec<Report>> {
        let mut reports = self.engine.advance()?;
        reports.iter_mut().for_each(|report| self.fault.report(&self.members[&report.id], report));
        Ok(reports)
    }
    fn is_idle(&self) -> bool {
        self.engine.is_idle()
    }
    fn pause(&mut self) -> Result<()> {
        self.engine.pause()
    }
    fn keep(&mut self, ids: &[MemberId]) -> Result<()> {
        self.engine.keep(ids)
    }
    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let mut snapshots = self.engine.snapshot(ids)?;
        for (id, snapshot) in ids.iter().zip(&mut snapshots) {
            self.fault.snapshot(&self.members[id], snapshot, self.admitted);
        }
        Ok(snapshots)
    }
    fn retire(&mut self, ids: &[MemberId]) {
        self.engine.retire(ids);
    }
    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        let mut outcomes = self.engine.compute(primitive, operands)?;
        self.fault.outcomes(primitive, &mut outcomes);
        Ok(outcomes)
    }
    fn duals(&mut self, member: &Member, most_iterations: u64) -> Result<Vec<Dual>> {
        let mut member = member.clone();
        self.fault.member(&mut member);
        let mut duals = self.engine.duals(&member, most_iterations)?;
        duals.iter_mut().for_each(|dual| self.fault.dual(dual, most_iterations));
        Ok(duals)
    }
    fn ceilings(&mut self) -> Result<Ceilings> {
        self.fault.ceilings().map_or_else(|| self.engine.ceilings(), Ok)
    }
}
