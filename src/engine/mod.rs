//! Engines train members: `gpu` in WGSL, `cpu` with the same network code as the reference at f32.
//!
//! An engine knows nothing of trials. It trains each member one epoch at a time when asked, scores its
//! validation rows, and reports; which members go on is decided above. Members never wait for each
//! other inside an engine. All of them can be paused at their next step, and go on from there bit for bit.

pub mod ceiling;
pub mod cpu;
pub mod gpu;
mod machines;

use crate::data::Dataset;
use crate::error::{Error, Result, unknown_name};
use crate::model::hyperparameter::SVM;
use crate::model::inside::Probe;
use crate::model::metric::Evaluation;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use crate::model::svm::dual::Dual;
use crate::model::svm::smo::Outcome;
use crate::model::trainer::Trainer;
use ceiling::Ceilings;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What every member of a study shares.
#[derive(Clone)]
pub struct Job {
    /// The table and its folds.
    pub dataset: Arc<Dataset>,
    /// The key of all random streams.
    pub seed: u64,
    /// Whether evaluations carry the outputs of every validation row.
    pub with_outputs: bool,
}

/// Names a member within an engine; chosen by the caller, never reused.
pub type MemberId = u64;

/// One epoch of one member.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose.
    pub id: MemberId,
    /// Epochs trained so far, this one included.
    pub epoch: u32,
    /// Steps taken so far.
    pub step: u64,
    /// Mean of the epoch's minibatch losses; NaN where it diverged.
    pub train_loss: f64,
    /// Scores of the validation rows after the epoch; `None` where it diverged.
    pub evaluation: Option<Evaluation>,
    /// The step (from 0) whose loss was not finite, or, where the loss of the validation rows was not,
    /// the number of steps taken. The member trains no further.
    pub diverged_at_step: Option<u64>,
    /// How each decision function of a kernel machine was found, with its two classes; empty for a network.
    pub solver: Vec<([usize; 2], Outcome)>,
}

/// The whole state of a member between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Epochs trained and scored.
    pub epoch: u32,
    /// Steps taken: more than those epochs have where the member was paused in the next one. Where that
    /// one has had all its steps, its validation rows are still to be scored.
    pub step: u64,
    /// Sum of the losses of the minibatches since the last epoch's end, as the engine adds them up.
    pub loss_sum: f64,
    /// Laid out as [`crate::model::network::layer_ranges`] says.
    pub parameters: Vec<f32>,
    /// First optimizer state number of each parameter.
    pub m: Vec<f32>,
    /// Second optimizer state number of each parameter.
    pub v: Vec<f32>,
    /// The parameters last kept, where any were.
    pub kept: Option<Vec<f32>>,
}

impl Snapshot {
    /// A member that has taken no step from these parameters.
    pub fn fresh(parameters: Vec<f32>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        Self { m: zeros.clone(), v: zeros, ..Self::bare(parameters) }
    }

    /// A member that this trainer trains, between two steps.
    pub fn of(trainer: &Trainer<f32>, epoch: u32, kept: Option<Vec<f32>>) -> Self {
        Self {
            epoch,
            step: trainer.step,
            loss_sum: trainer.loss_sum,
            parameters: trainer.parameters.to_vec(),
            m: trainer.m.to_vec(),
            v: trainer.v.to_vec(),
            kept,
        }
    }

    /// A member without optimizer state.
    pub fn bare(parameters: Vec<f32>) -> Self {
        let (m, v) = (Vec::new(), Vec::new());
        Self { epoch: 0, step: 0, loss_sum: 0.0, parameters, m, v, kept: None }
    }
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// WGSL on a graphics device.
    Gpu,
    /// The processor.
    Cpu,
}

impl EngineKind {
    /// `gpu` or `cpu`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        }
    }
}

/// How much device memory an engine may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MemoryLimit {
    /// So many bytes.
    Bytes(u64),
    /// A share, in percent, of what it would otherwise take.
    Percent(f64),
}

/// Which engine a user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// A real GPU where there is one, else the processor.
    #[default]
    Auto,
    /// A graphics device; a software adapter only when it is named.
    Gpu,
    /// The processor.
    Cpu,
}

impl EngineChoice {
    /// What may be typed.
    pub const NAMES: [&str; 3] = ["auto", "gpu", "cpu"];

    /// The choice of this name.
    pub fn named(place: &str, name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            _ => Err(unknown_name(place, "engine", name, Self::NAMES)),
        }
    }
}

/// An engine that was opened, and why it was this one.
pub struct Opened {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// One line for the user.
    pub why: String,
}

/// All graphics adapters of this machine.
pub fn devices() -> Vec<gpu::device::DeviceFacts> {
    gpu::device::list()
}

/// Opens the engine that was asked for. `device` is an adapter's index or a part of its name; naming one
/// asks for the GPU engine.
pub fn open(
    choice: EngineChoice,
    device: Option<&str>,
    memory: Option<MemoryLimit>,
    job: Job,
) -> Result<Opened> {
    open_with(choice, device, memory, job, &|engine| engine)
}

/// The same, by these plans on a graphics device: for measurements.
pub fn open_by(
    choice: EngineChoice,
    device: Option<&str>,
    memory: Option<MemoryLimit>,
    plans: gpu::plan::Plans,
    job: Job,
) -> Result<Opened> {
    open_with(choice, device, memory, job, &|engine| engine.with_plans(plans))
}

/// The same for the verifier: with guards that tell what was [`disturbed`](Engine::disturbed), and by these
/// plans on a graphics device.
pub fn open_guarded(
    choice: EngineChoice,
    device: Option<&str>,
    plans: gpu::plan::Plans,
    job: Job,
) -> Result<Opened> {
    open_with(choice, device, None, job, &|engine| engine.with_plans(plans).guarded())
}

/// Opens the engine that trains models of a kind, one of [`MODELS`](crate::model::hyperparameter::MODELS).
pub fn open_for(
    model: &str,
    choice: EngineChoice,
    device: Option<&str>,
    memory: Option<MemoryLimit>,
    job: Job,
) -> Result<Opened> {
    match model == SVM {
        true => open_machines(choice, device, memory, job),
        false => open(choice, device, memory, job),
    }
}

/// Opens the engine for a study of kernel machines, by the same rules.
pub fn open_machines(
    choice: EngineChoice,
    device: Option<&str>,
    memory: Option<MemoryLimit>,
    job: Job,
) -> Result<Opened> {
    let on_gpu = |job: Job| -> Result<Box<dyn Engine>> {
        let device = gpu::device::GpuDevice::open(device)?;
        Ok(Box::new(gpu::machines::GpuMachineEngine::new(job, device, memory)))
    };
    let on_cpu = |job: Job| -> Result<Box<dyn Engine>> {
        Ok(Box::new(cpu::machines::MachineEngine::within(job, memory)?))
    };
    open_either(choice, device.is_some(), job, &on_gpu, &on_cpu)
}

fn open_with(
    choice: EngineChoice,
    device: Option<&str>,
    memory: Option<MemoryLimit>,
    job: Job,
    prepare: &dyn Fn(gpu::GpuEngine) -> gpu::GpuEngine,
) -> Result<Opened> {
    let on_gpu = |job: Job| -> Result<Box<dyn Engine>> {
        let device = gpu::device::GpuDevice::open(device)?;
        Ok(Box::new(prepare(gpu::GpuEngine::new(job, device, memory)?)))
    };
    let on_cpu =
        |job: Job| -> Result<Box<dyn Engine>> { Ok(Box::new(cpu::CpuEngine::within(job, None, memory)?)) };
    open_either(choice, device.is_some(), job, &on_gpu, &on_cpu)
}

type Opener<'a> = &'a dyn Fn(Job) -> Result<Box<dyn Engine>>;

/// Chooses between a graphics device and the processor.
fn open_either(
    choice: EngineChoice,
    is_named: bool,
    job: Job,
    on_gpu: Opener<'_>,
    on_cpu: Opener<'_>,
) -> Result<Opened> {
    let (engine, why) = match choice {
        EngineChoice::Cpu => (on_cpu(job)?, "asked for".to_owned()),
        EngineChoice::Gpu => (on_gpu(job)?, "asked for".to_owned()),
        EngineChoice::Auto if is_named => (on_gpu(job)?, "its device was named".to_owned()),
        EngineChoice::Auto => {
            let found = devices();
            match gpu::device::preferred(&found).map(|_| on_gpu(job.clone())) {
                Some(Ok(engine)) => (engine, "this machine has a graphics device".to_owned()),
                Some(Err(error)) => (on_cpu(job)?, format!("the graphics device failed: {}", error.found)),
                None if found.is_empty() => (on_cpu(job)?, "there is no graphics adapter".to_owned()),
                None => (on_cpu(job)?, "every graphics adapter here is software".to_owned()),
            }
        }
    };
    let why = format!("engine {}: {} ({why})", engine.kind().name(), engine.device());
    Ok(Opened { engine, why })
}

/// Trains members.
///
/// The order of a member's life: [`admit`](Engine::admit) or [`restore`](Engine::restore); any number
/// of [`train`](Engine::train) and a report from [`advance`](Engine::advance); [`keep`](Engine::keep)
/// and [`snapshot`](Engine::snapshot) between two epochs, and snapshots also after a
/// [`pause`](Engine::pause); [`retire`](Engine::retire).
pub trait Engine {
    /// Which engine this is.
    fn kind(&self) -> EngineKind;
    /// The adapter's or processor's name.
    fn device(&self) -> String;
    /// What the engine uses and may take, one fact a line, for `--explain`.
    fn explain(&self) -> Vec<String>;
    /// What the engine chose for this device, by name, for the study's records. Results do not depend on it.
    fn chosen(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// How busy it was so far, one fact a line, for `--explain` at the end.
    fn usage(&self) -> Vec<String> {
        Vec::new()
    }
    /// How many more members like this one can be admitted now.
    fn room(&self, member: &Member) -> usize;
    /// Whether the member could ever be admitted, alone; an error says which limit it passes.
    fn check(&self, member: &Member) -> Result<()>;
    /// Takes a member at its initial parameters.
    fn admit(&mut self, id: MemberId, member: Member) -> Result<()>;
    /// Takes a member in a given state.
    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()>;
    /// Takes a member in the state of another one here, `from`, of the same fold and network, that is not being
    /// trained. The state need not leave the device.
    fn copy(&mut self, id: MemberId, member: Member, from: MemberId) -> Result<()> {
        let snapshots = self.snapshot(&[from])?;
        snapshots.iter().try_for_each(|snapshot| self.restore(id, member.clone(), snapshot))
    }
    /// Asks for one more epoch of each member, or for the rest of the one it was paused in.
    fn train(&mut self, ids: &[MemberId]) -> Result<()>;
    /// Begins what was asked for, as far as that needs no waiting: for callers that will be busy elsewhere. Without it
    /// [`advance`](Engine::advance) does.
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }
    /// Works for a short while (some 50 ms, however long epochs are), and reports the asked epochs that
    /// are done: often none.
    fn advance(&mut self) -> Result<Vec<Report>>;
    /// Whether there is nothing to wait for: no asked epoch is under way, and none waits to be reported.
    fn is_idle(&self) -> bool;
    /// Stops every member at its next step. When this returns none is being trained; those that had come
    /// to the end of their epoch are reported by [`advance`](Engine::advance), the others stand in the
    /// middle of it.
    fn pause(&mut self) -> Result<()>;
    /// Works until at least one asked epoch is done, and reports those that are. Empty when none was
    /// asked for.
    fn wait(&mut self) -> Result<Vec<Report>> {
        loop {
            let reports = self.advance()?;
            if !reports.is_empty() || self.is_idle() {
                return Ok(reports);
            }
        }
    }
    /// Trains members for one epoch, or the rest of the one they were paused in, and waits for all of them.
    fn train_epoch(&mut self, ids: &[MemberId]) -> Result<BTreeMap<MemberId, Report>> {
        self.train(ids)?;
        let mut reports = BTreeMap::new();
        while reports.len() < ids.len() {
            let news = self.wait()?;
            if news.is_empty() {
                return Err(Error::device(self.device(), "the engine stopped reporting")
                    .advice("run the same command again"));
            }
            reports.extend(news.into_iter().map(|report| (report.id, report)));
        }
        Ok(reports)
    }
    /// What was written where it must not be since this was last asked, one line each: which buffer, where,
    /// beside which member. `None` where the engine has no guards that would tell.
    fn disturbed(&mut self) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
    /// Keeps the members' parameters as they are now, replacing what was kept before.
    fn keep(&mut self, ids: &[MemberId]) -> Result<()>;
    /// Reads the states of members that are not being trained.
    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>>;
    /// Looks inside members that are not being trained; their states stay as they are. `None` for a model without
    /// layers, and where a look finds no room.
    fn probe(&mut self, ids: &[MemberId]) -> Result<Vec<Option<Probe>>> {
        Ok(vec![None; ids.len()])
    }
    /// Says that members will not be trained for a while: where it is not memory that limits how many an engine
    /// holds, they make room for others. Asked to [`train`](Engine::train) they go on.
    fn rest(&mut self, _ids: &[MemberId]) {}
    /// Forgets members, whatever they are doing, and frees their room.
    fn retire(&mut self, ids: &[MemberId]);
    /// Computes a primitive of each pair of operands, with the code that training uses: for the verifier.
    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>>;
    /// Where the solver of a kernel machine stands, for each problem of its fold, after so many steps of its path at
    /// most, with the code that training uses: for the verifier.
    fn duals(&mut self, _member: &Member, _most_iterations: u64) -> Result<Vec<Dual>> {
        Err(Error::device(self.device(), "this engine trains no kernel machines"))
    }
    /// Measures what the device can do at most; takes a second or two, while no member is in training.
    fn ceilings(&mut self) -> Result<Ceilings> {
        Err(Error::device(self.device(), "this engine cannot measure what its device can do at most"))
    }
}
