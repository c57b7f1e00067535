//! The engine on the graphics device: WGSL kernels over all members of a shard at once.
//!
//! The only room that names wgpu. `plan` says how a member is trained; `slice` and `resident` plan what a
//! submission does as plain data; `shard` owns the arenas; `flight` keeps submissions under way.

mod arena;
mod autotune;
mod binding;
pub mod cache;
pub mod ceiling;
mod copies;
pub mod device;
mod flight;
mod footprint;
mod guards;
mod inside;
pub mod machines;
mod pace;
pub mod pipelines;
pub mod plan;
mod primitive;
mod progress;
pub mod resident;
mod room;
mod run;
mod shard;
mod slice;
pub mod sources;
mod stamps;
mod states;
mod synthetic;
mod table_data;
pub mod tables;
mod tiled;
mod usage;
pub mod variant;

use super::ceiling::Ceilings;
use super::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::Result;
use crate::model::inside::Probe;
use crate::model::network::initial_parameters;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use cache::{Cache, PipelineCache};
use device::GpuDevice;
use flight::Flight;
use pipelines::{Kernel, Pipeline};
use plan::{Plan, Plans};
use resident::Residents;
use shard::Shard;
use sources::Source;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use table_data::DeviceData;
use tiled::Tiled;

/// Trains members on a graphics device.
pub struct GpuEngine {
    job: Job,
    gpu: GpuDevice,
    pipelines: Vec<Pipeline>,
    tiled: Tiled,
    /// What is kept of the device between runs.
    files: Option<Cache>,
    residents: Residents,
    /// What counts inside members, compiled when first needed.
    inside: Option<Pipeline>,
    inside_source: Source,
    primitives: primitive::Primitives,
    data: DeviceData,
    /// By number; one that is empty makes room for others.
    shards: BTreeMap<usize, Shard>,
    /// Which shard each member lives in.
    homes: HashMap<MemberId, usize>,
    /// Bytes the arenas may take; less than planned once the device had less.
    memory: u64,
    /// Bytes of it that looks inside members may take; 0 before the first.
    look_bytes: u64,
    /// Which plans may be chosen.
    plans: Plans,
    /// How long submissions should take at most.
    seconds: f64,
    /// What the device works on, in order.
    flights: VecDeque<Flight>,
    /// Reports that nobody has read yet.
    ended: Vec<Report>,
    usage: usage::Usage,
    /// Words of the guards between members; 0 without guards.
    gap: u64,
    /// What was written where it must not be, as far as it was seen.
    faults: Vec<String>,
}

impl GpuEngine {
    /// An engine on an open device, within so much device memory.
    pub fn new(job: Job, gpu: GpuDevice, memory: Option<MemoryLimit>) -> Result<Self> {
        // What is fast on a processor is not worth finding out, and its driver keeps what it compiles.
        if gpu.facts.software {
            let mut engine = Self::with_sources(job, gpu, memory, &sources::assemble())?;
            engine.tiled = Tiled::base("not measured on a software adapter");
            return Ok(engine);
        }
        Self::tuned(job, gpu, memory, cache::user_folder())
    }

    /// The same, with tiles that are measured on whatever adapter unless the folder has an earlier result.
    pub fn tuned(
        job: Job,
        gpu: GpuDevice,
        memory: Option<MemoryLimit>,
        cache_folder: Option<PathBuf>,
    ) -> Result<Self> {
        let facts = &gpu.facts;
        let every_source: Vec<Source> = variant::ALL.iter().flat_map(sources::assemble_in).collect();
        let files = Cache::new(cache_folder, [&facts.name, &facts.backend, &facts.driver], &every_source);
        gpu.driver_cache.get_or_init(|| PipelineCache::open(&gpu.device, &files));
        let mut engine = Self::with_sources(job, gpu, memory, &sources::assemble())?;
        engine.tiled = Tiled::tuned(&engine.gpu, &engine.pipelines, &files)
            .unwrap_or_else(|error| Tiled::base(&format!("measuring failed, {}", error.found)));
        engine.files = Some(files);
        engine.keep_pipelines();
        Ok(engine)
    }

    /// The same with kernels of the caller's: for the verifier's planted faults.
    pub fn with_sources(
        job: Job,
        gpu: GpuDevice,
        memory: Option<MemoryLimit>,
        sources: &[Source],
    ) -> Result<Self> {
        let memory = room::planned_memory(&gpu.facts, memory);
        assert_eq!(sources.len(), Kernel::ALL.len(), "one source a kernel");
        let kernels: Vec<(Kernel, &Source)> = Kernel::TILED.iter().copied().zip(sources).collect();
        let pipelines = pipelines::compile(&gpu, &kernels)?;
        let shard_bytes = gpu.facts.binding_limit.min(memory.max(1 << 16));
        let data = DeviceData::upload(&gpu, &job.dataset, shard_bytes)?;
        gpu.wait()?;
        Ok(Self {
            job,
            gpu,
            pipelines,
            tiled: Tiled::base("of the caller's"),
            files: None,
            residents: Residents::new(sources),
            inside: None,
            inside_source: sources[Kernel::Inside as usize].clone(),
            primitives: primitive::Primitives::new(sources),
            data,
            shards: BTreeMap::new(),
            homes: HashMap::new(),
            memory,
            look_bytes: 0,
            plans: Plans::default(),
            seconds: flight::SUBMISSION_SECONDS,
            flights: VecDeque::new(),
            ended: Vec::new(),
            usage: usage::Usage::default(),
            gap: 0,
            faults: Vec::new(),
        })
    }

    /// With one tile variant for all layers, in place of what was chosen.
    pub fn with_tile_variant(self, name: &str) -> Result<Self> {
        let variant = variant::named(name).ok_or_else(|| {
            let names = variant::ALL.iter().map(|variant| variant.name);
            crate::error::unknown_name("gpu", "tile variant", name, names)
        })?;
        self.with_tiles_of(variant, &sources::assemble_in(&variant::ALL[variant]))
    }

    /// The same with kernels of the caller's, in the variant of this place in [`variant::ALL`].
    pub fn with_tiles_of(mut self, variant: usize, sources: &[Source]) -> Result<Self> {
        self.tiled = Tiled::only(&self.gpu, variant, sources)?;
        Ok(self)
    }

    /// Keeps submissions within so many seconds instead of the usual 50 ms. With 0 each is one step of
    /// every member; no number depends on it.
    pub fn with_submissions_of(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Chooses among these plans for every member that is admitted from now on.
    pub fn with_plans(mut self, plans: Plans) -> Self {
        self.plans = plans;
        self
    }

    /// How a member would be trained.
    pub fn plan_of(&self, member: &Member) -> Plan {
        let fold = self.data.places[member.fold];
        self.plans.choose(member, fold, self.data.shards.len(), &self.gpu.facts)
    }

    /// Guards around every member that is admitted from now on: for the verifier, which then asks what was
    /// [`disturbed`](Engine::disturbed).
    pub fn guarded(mut self) -> Self {
        assert!(self.shards.is_empty(), "guards surround the first member too");
        self.gap = guards::GAP;
        self
    }

    /// A shard that members live in, or that the device works on.
    fn shard_mut(&mut self, home: usize) -> &mut Shard {
        self.shards.get_mut(&home).expect("a shard stays as long as anyone needs it")
    }
}

impl Engine for GpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Gpu
    }

    fn device(&self) -> String {
        self.gpu.facts.name.clone()
    }

    fn explain(&self) -> Vec<String> {
        let facts = &self.gpu.facts;
        let mut lines = vec![
            format!("{} ({}, {}), {}", facts.name, facts.kind, facts.backend, facts.driver),
            format!("at most {} members in {} MiB", self.most_members(), self.memory >> 20),
            format!(
                "plans: {}",
                resident::variant::ALL
                    .iter()
                    .filter(|variant| variant.runs_on(facts))
                    .fold("tiled".to_owned(), |names, variant| format!("{names}, {}", variant.name))
            ),
            format!(
                "table in {} buffers, bindings up to {} MiB",
                self.data.shards.len(),
                facts.binding_limit >> 20
            ),
        ];
        lines.extend_from_slice(self.tiled.notes());
        lines
    }

    fn chosen(&self) -> Vec<(&'static str, String)> {
        vec![("tiles", self.tiled.notes().join("\n"))]
    }

    fn usage(&self) -> Vec<String> {
        self.usage.line().into_iter().collect()
    }

    fn room(&self, member: &Member) -> usize {
        self.room_for(member)
    }

    fn check(&self, member: &Member) -> Result<()> {
        self.check_alone(member)
    }

    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        let parameters =
            initial_parameters(&member.network, member.recipe.initializer, self.job.seed, member.stream());
        self.place(id, member, &Snapshot::fresh(parameters))
    }

    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.place(id, member, snapshot)
    }

    fn copy(&mut self, id: MemberId, member: Member, from: MemberId) -> Result<()> {
        if self.copy_on_device(id, &member, from)? {
            return Ok(());
        }
        let snapshots = self.snapshot(&[from])?;
        snapshots.iter().try_for_each(|snapshot| self.place(id, member.clone(), snapshot))
    }

    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        for &id in ids {
            let home = self.home(id)?;
            if let Some(tenant) = self.shard_mut(home).tenants.get_mut(&id) {
                tenant.asked = true;
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        self.launch()
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        self.fly()
    }

    fn is_idle(&self) -> bool {
        self.ended.is_empty()
            && self.flights.is_empty()
            && !self.shards.values().any(|shard| shard.tenants.values().any(|tenant| tenant.asked))
    }

    fn pause(&mut self) -> Result<()> {
        // A submission ends between two steps.
        self.land_all()?;
        let tenants = self.shards.values_mut().flat_map(|shard| shard.tenants.values_mut());
        tenants.for_each(|tenant| tenant.asked = false);
        Ok(())
    }

    fn disturbed(&mut self) -> Result<Option<Vec<String>>> {
        if self.gap == 0 {
            return Ok(None);
        }
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.faults_of(None)?);
        Ok(Some(faults))
    }

    fn keep(&mut self, ids: &[MemberId]) -> Result<()> {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        for &id in ids {
            let home = self.home(id)?;
            self.shard_mut(home).keep(id, &mut encoder);
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(())
    }

    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(ids.len());
        while snapshots.len() < ids.len() {
            snapshots.extend(self.read_snapshots(&ids[snapshots.len()..])?);
        }
        Ok(snapshots)
    }

    fn probe(&mut self, ids: &[MemberId]) -> Result<Vec<Option<Probe>>> {
        self.look_inside(ids)
    }

    fn retire(&mut self, ids: &[MemberId]) {
        if self.gap > 0 {
            let faults = self.faults_of(Some(ids));
            self.faults.extend(faults.unwrap_or_else(|error| vec![error.to_string()]));
        }
        for id in ids {
            if let Some(shard) = self.homes.remove(id).and_then(|home| self.shards.get_mut(&home)) {
                shard.retire(&self.gpu, *id);
            }
        }
        self.ended.retain(|report| !ids.contains(&report.id));
    }

    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        self.primitives.compute(&self.gpu, primitive, operands)
    }

    fn ceilings(&mut self) -> Result<Ceilings> {
        ceiling::measure(&self.gpu)
    }
}

impl GpuEngine {
    /// What guards have met around some members, or anywhere.
    fn faults_of(&self, members: Option<&[MemberId]>) -> Result<Vec<String>> {
        let faults: Result<Vec<Vec<String>>> =
            self.shards.values().map(|shard| guards::inspect(&self.gpu, shard, members)).collect();
        Ok(faults?.concat())
    }

    /// The pipeline of a kernel in a variant.
    fn pipeline(&self, kernel: Kernel, variant: usize) -> &wgpu::ComputePipeline {
        let base = || &self.compiled(kernel).pipeline;
        self.tiled.pipeline(kernel, variant).unwrap_or_else(base)
    }

    /// A kernel of the tiled plan, or the one that counts inside members, once it was needed.
    fn compiled(&self, kernel: Kernel) -> &Pipeline {
        match &self.inside {
            Some(inside) if kernel == Kernel::Inside => inside,
            _ => &self.pipelines[kernel as usize],
        }
    }

    /// Keeps what was compiled, for the next run.
    fn keep_pipelines(&self) {
        if let (Some(files), Some(cache)) = (&self.files, self.gpu.driver_cache.get()) {
            cache.save(files);
        }
    }
}

impl Drop for GpuEngine {
    fn drop(&mut self) {
        // Kernels of the resident plan are compiled when their first member comes.
        self.keep_pipelines();
    }
}
