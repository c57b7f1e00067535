//! An engine whose room is not what it says.

use super::rings;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Engine, EngineKind, Job, MemberId, Report, Snapshot};
use manytune::error::{Error, Result};
use manytune::model::inside::Probe;
use manytune::model::primitive::{Primitive, Words};
use manytune::model::recipe::Member;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An engine that holds so many members at most, and says so only when it is full.
pub struct Cramped {
    pub inner: CpuEngine,
    pub capacity: usize,
    pub held: BTreeSet<MemberId>,
    pub most_held: usize,
}

impl Cramped {
    pub fn new(capacity: usize) -> Self {
        let job = Job { dataset: Arc::new(rings()), seed: 7, with_outputs: false };
        let inner = CpuEngine::new(job, Some(2)).unwrap();
        Self { inner, capacity, held: BTreeSet::new(), most_held: 0 }
    }

    fn hold(&mut self, id: MemberId) -> Result<()> {
        if self.held.len() == self.capacity {
            return Err(Error::device("cramped", "no room"));
        }
        assert!(self.held.insert(id), "member {id} is named twice");
        self.most_held = self.most_held.max(self.held.len());
        Ok(())
    }
}

impl Engine for Cramped {
    fn kind(&self) -> EngineKind {
        self.inner.kind()
    }
    fn device(&self) -> String {
        self.inner.device()
    }
    fn explain(&self) -> Vec<String> {
        self.inner.explain()
    }
    fn room(&self, _: &Member) -> usize {
        1000
    }
    fn check(&self, member: &Member) -> Result<()> {
        self.inner.check(member)
    }
    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        self.hold(id)?;
        self.inner.admit(id, member)
    }
    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.hold(id)?;
        self.inner.restore(id, member, snapshot)
    }
    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        self.inner.train(ids)
    }
    fn begin(&mut self) -> Result<()> {
        self.inner.begin()
    }
    fn advance(&mut self) -> Result<Vec<Report>> {
        self.inner.advance()
    }
    fn is_idle(&self) -> bool {
        self.inner.is_idle()
    }
    fn pause(&mut self) -> Result<()> {
        self.inner.pause()
    }
    fn keep(&mut self, ids: &[MemberId]) -> Result<()> {
        self.inner.keep(ids)
    }
    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        self.inner.snapshot(ids)
    }
    fn probe(&mut self, ids: &[MemberId]) -> Result<Vec<Option<Probe>>> {
        self.inner.probe(ids)
    }
    fn retire(&mut self, ids: &[MemberId]) {
        self.inner.retire(ids);
        self.held.retain(|id| !ids.contains(id));
    }
    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        self.inner.compute(primitive, operands)
    }
}
