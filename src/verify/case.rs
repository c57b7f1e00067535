//! One small training that a check is made of: a model, the state it starts in, and how it is judged.

use super::outcome::Kind;
use super::rounding::Setting;
use crate::data::Task;
use crate::engine::{EngineKind, Job, Snapshot};
use crate::model::activation::{self, Activation};
use crate::model::network::initial_parameters;
use crate::model::optimizer::{self, OptimizerParameters};
use crate::model::recipe::{Member, Network, Recipe};
use crate::model::trainer::{Scratch, Trainer};
use crate::model::{initializer, loss, lr_schedule};
use crate::random::{Purpose, Stream, uniform};

/// How the results of a training are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// Every epoch against the f64 reference from the same f32 state.
    Trajectory,
    /// Also: the initial parameters are those of the host, to the bit.
    Initial,
    /// Also: which rows were drawn at which step (see [`super::checks::minibatch`]).
    Order,
    /// It must be reported as diverged, at its first step.
    Diverges,
}

/// The state a training starts in.
#[derive(Clone, Debug)]
pub enum Start {
    /// Admitted at its initial parameters.
    Fresh,
    /// Restored.
    At(Snapshot),
}

/// The files that hold a formula, for whoever looks for the fault.
#[derive(Clone, Debug)]
pub struct Formula {
    /// What the GPU engine runs.
    pub shader: String,
    /// What the CPU engine runs at f32, and the reference at f64.
    pub host: String,
}

impl Formula {
    /// Two files, relative to the repository.
    pub fn new(shader: &str, host: &str) -> Self {
        Self { shader: shader.to_owned(), host: host.to_owned() }
    }

    /// Those of a family's member, named `family/member`.
    fn of_member(name: &str) -> Self {
        Self { shader: format!("shaders/{name}.wgsl"), host: format!("src/model/{name}.rs") }
    }

    /// The one that an engine runs.
    pub fn file(&self, engine: EngineKind) -> &str {
        match engine {
            EngineKind::Gpu => &self.shader,
            EngineKind::Cpu => &self.host,
        }
    }
}

/// One small training.
#[derive(Clone)]
pub struct Case {
    /// The check it belongs to: `family/member`.
    pub name: String,
    /// What its comparisons are.
    pub kind: Kind,
    /// Where the formula is written.
    pub formula: Formula,
    /// Index of its table.
    pub table: usize,
    /// The model.
    pub member: Member,
    /// Where it starts.
    pub start: Start,
    /// Epochs to train; 0 for one that only stands by.
    pub epochs: u32,
    /// How it is judged.
    pub judge: Judge,
    /// Whether the reference's gradient at the start is compared with differences.
    pub differences: bool,
}

impl Case {
    /// A training of one epoch, judged as a trajectory, its reference checked against differences.
    pub fn new(name: String, kind: Kind, table: usize, member: Member, start: Start) -> Self {
        let formula = Formula::of_member(&name);
        let judge = Judge::Trajectory;
        Self { name, kind, formula, table, member, start, epochs: 1, judge, differences: true }
    }

    /// The same over more epochs.
    #[must_use]
    pub fn epochs(mut self, epochs: u32) -> Self {
        self.epochs = epochs;
        self
    }

    /// The same with another judge.
    #[must_use]
    pub fn judged(mut self, judge: Judge) -> Self {
        self.judge = judge;
        self
    }

    /// The same with its formula elsewhere.
    #[must_use]
    pub fn formula(mut self, shader: &str, host: &str) -> Self {
        self.formula = Formula::new(shader, host);
        self
    }

    /// The same without differences of the reference.
    #[must_use]
    pub fn without_differences(mut self) -> Self {
        self.differences = false;
        self
    }
}

/// A member in one phrase: `7-33-3 relu, cross_entropy, sgd, batch 5 of 33 rows`.
pub fn describe(member: &Member, job: &Job) -> String {
    let Member { network, recipe, .. } = member;
    let widths: Vec<String> = std::iter::once(network.input_count)
        .chain(network.hidden.iter().copied())
        .chain([network.output_count])
        .map(|width| width.to_string())
        .collect();
    let rows = job.dataset.folds[member.fold].train.len();
    let mut text = format!(
        "{} {}, {}, {}, batch {} of {rows} rows",
        widths.join("-"),
        network.activation.name(),
        recipe.loss.name(),
        recipe.optimizer.name(),
        recipe.batch_size
    );
    let options = [
        ("dropout", recipe.dropout),
        ("input_dropout", recipe.input_dropout),
        ("l1_penalty", recipe.l1_penalty),
        ("l2_penalty", recipe.l2_penalty),
        ("weight_decay", recipe.optimizer_parameters.weight_decay),
        ("clip_norm", recipe.clip_norm),
        ("label_smoothing", recipe.loss_parameters.label_smoothing),
        ("balanced", f64::from(u8::from(recipe.balanced))),
    ];
    for (name, value) in options.into_iter().filter(|(_, value)| *value != 0.0) {
        text += &format!(", {name} {value}");
    }
    text
}

/// The optimizer whose first state number, without momentum, is the gradient of the step: through it
/// an engine's gradients are read.
pub fn sgd() -> &'static dyn optimizer::Optimizer {
    let sgd = optimizer::ALL.iter().copied().find(|optimizer| optimizer.name() == "sgd");
    sgd.expect("sgd is a member of optimizer::ALL")
}

/// An activation without kinks, that bends.
pub fn smooth() -> &'static dyn Activation {
    let bends = |activation: &&'static dyn Activation| {
        let (mut values, mut slopes) = ([-1.0, 1.0], [0.0; 2]);
        activation.apply_f64(&mut values, &mut slopes);
        activation.kinks().is_empty() && slopes[0] != slopes[1]
    };
    activation::ALL.iter().copied().find(bends).expect("some activation is smooth")
}

/// The plainest training of a task: gradient descent without momentum, so that m is the gradient. All
/// numbers are exact in f32: their rounding is in no difference.
pub fn plain_recipe(task: Task, batch_size: usize) -> Recipe {
    let loss = loss::ALL.iter().copied().find(|loss| loss.fits(task));
    Recipe {
        optimizer: sgd(),
        optimizer_parameters: OptimizerParameters {
            momentum: 0.0,
            nesterov: false,
            beta1: 0.875,
            beta2: 1.0 - 1.0 / 64.0,
            // Large, so that its place beside the root is seen.
            epsilon: 1.0 / 64.0,
            weight_decay: 0.0,
        },
        learning_rate: 1.0 / 64.0,
        lr_schedule: lr_schedule::ALL[0],
        lr_schedule_parameters: Default::default(),
        loss: loss.expect("every task has a loss"),
        loss_parameters: Default::default(),
        balanced: false,
        l2_penalty: 0.0,
        l1_penalty: 0.0,
        dropout: 0.0,
        input_dropout: 0.0,
        clip_norm: 0.0,
        initializer: initializer::ALL[0],
        batch_size,
        max_epochs: 40,
        machine: None,
    }
}

/// A plain member on a fold of a table.
pub fn plain_member(
    job: &Job,
    fold: usize,
    hidden: &[usize],
    activation: &'static dyn Activation,
    batch_size: usize,
) -> Member {
    let task = job.dataset.task;
    Member {
        fold,
        repeat: 0,
        network: Network {
            input_count: job.dataset.feature_count,
            hidden: hidden.to_vec(),
            output_count: task.output_count(),
            activation,
        },
        recipe: plain_recipe(task, batch_size),
    }
}

/// Where in its life a model is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Initial weights, biases of about 0.1.
    Young,
    /// After eight epochs.
    Trained,
    /// Parameters five times the initial ones: most units far out.
    Saturated,
    /// Parameters a thousandth of the initial ones: formulas that cancel near 0 show it.
    Faint,
    /// Parameters forty times the initial ones: exponentials at the ends of their range.
    Extreme,
}

/// A state for a member: parameters by age, optimizer state by its kind, `epoch` epochs done.
pub fn state(job: &Job, member: &Member, age: Age, epoch: u32, salt: u32) -> Snapshot {
    let mut parameters = initial_parameters(
        &member.network,
        member.recipe.initializer,
        job.seed ^ u64::from(salt),
        member.stream(),
    );
    let draw = |purpose: usize| {
        let stream = Stream::new(job.seed, Purpose::Verify, purpose, salt, member.stream());
        move |index: usize| 2.0 * uniform(stream.word(index as u32)) - 1.0
    };
    let noise = draw(2);
    // Biases start at 0; a bias of 0 hides what is wrong with biases.
    for (index, parameter) in parameters.iter_mut().enumerate().filter(|(_, parameter)| **parameter == 0.0) {
        *parameter = 0.25 * noise(index);
    }
    match age {
        Age::Young => {}
        Age::Saturated => parameters.iter_mut().for_each(|parameter| *parameter *= 5.0),
        Age::Faint => parameters.iter_mut().for_each(|parameter| *parameter /= 1024.0),
        Age::Extreme => parameters.iter_mut().for_each(|parameter| *parameter *= 40.0),
        Age::Trained => parameters = trained(job, member, parameters),
    }
    let (first, second) = (draw(3), draw(4));
    let used = member.recipe.optimizer.state_count();
    let m = |i| if used > 0 { 0.125 * first(i) } else { 0.0 };
    let v = |i| if used > 1 { 0.015625 * (1.0 + second(i)) } else { 0.0 };
    let (m, v) = (0..parameters.len()).map(|i| (m(i), v(i))).unzip();
    let (_, steps) = member.recipe.steps(job.dataset.folds[member.fold].train.len());
    Snapshot { epoch, step: u64::from(epoch) * steps, m, v, ..Snapshot::fresh(parameters) }
}

/// The parameters after eight plain epochs at f32.
fn trained(job: &Job, member: &Member, parameters: Vec<f32>) -> Vec<f32> {
    let mut member = member.clone();
    member.recipe = plain_recipe(job.dataset.task, member.recipe.batch_size);
    let zeros = &vec![0.0; parameters.len()];
    let mut trainer = Trainer::<f32>::resume(member, job.seed, [&parameters, zeros, zeros], 0);
    let mut scratch = Scratch::default();
    for _ in 0..8 {
        // What diverges here stays as it began: the check is of the engine, not of this.
        if trainer.epoch(&job.dataset, &mut scratch).is_err() {
            return parameters;
        }
    }
    trainer.parameters.to_vec()
}

/// The setting of a case.
pub fn setting<'a>(job: &'a Job, member: &'a Member) -> Setting<'a> {
    Setting { dataset: &job.dataset, seed: job.seed, member }
}
