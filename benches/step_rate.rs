//! Config-steps per second of the CPU engine, driven through the [`Engine`] trait as a study drives it.
//!
//! A config-step is one optimizer step of one member on one minibatch. Nothing is timed before the
//! engine's losses match the f64 reference. `--export DIR` writes the data, the initial parameters, the
//! minibatches and our losses, so that a peer can do the same work and compare before it is timed.

use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Engine, Job, MemberId};
use manytune::model::network::{initial_parameters, layer_ranges};
use manytune::model::recipe::{Member, Network, Recipe};
use manytune::model::trainer::{Scratch, Trainer};
use manytune::model::{activation, initializer, loss, lr_schedule, optimizer};
use manytune::random::{Permutation, Purpose, Stream, uniform};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const SEED: u64 = 7;

/// Epochs whose losses are compared, here with the reference and in the peers with ours.
const COMPARED_EPOCHS: usize = 2;

/// Largest relative difference of an epoch's mean loss between f32 and f64. Adam divides by √v, which
/// is near 0 in the first steps: it amplifies rounding, measured at 4e-6 here. A wrong formula is off
/// by more than 1e-2.
const TOLERANCE: f64 = 1e-4;

/// The work of one measurement.
struct Workload {
    name: &'static str,
    layers: &'static [usize],
    batch_size: usize,
    member_count: usize,
    steps_per_epoch: usize,
    dropout: f64,
}

static WORKLOADS: &[Workload] = &[
    Workload {
        name: "64-128-128-10",
        layers: &[64, 128, 128, 10],
        batch_size: 128,
        member_count: 64,
        steps_per_epoch: 40,
        dropout: 0.0,
    },
    Workload {
        name: "16-32-2",
        layers: &[16, 32, 2],
        batch_size: 32,
        member_count: 1024,
        steps_per_epoch: 100,
        dropout: 0.0,
    },
    Workload {
        name: "16-32-2-dropout",
        layers: &[16, 32, 2],
        batch_size: 32,
        member_count: 1024,
        steps_per_epoch: 100,
        dropout: 0.2,
    },
];

impl Workload {
    fn row_count(&self) -> usize {
        self.batch_size * self.steps_per_epoch
    }

    fn network(&self) -> Network {
        let (input_count, output_count) = (self.layers[0], self.layers[self.layers.len() - 1]);
        Network {
            input_count,
            hidden: self.layers[1..self.layers.len() - 1].to_vec(),
            output_count,
            activation: activation::ALL
                .iter()
                .copied()
                .find(|a| a.name() == "relu")
                .expect("a member of ALL"),
        }
    }

    /// Learning rates from 1e-4 to 3e-3, spread evenly in their logarithms.
    fn learning_rate(&self, member: usize) -> f64 {
        let share = member as f64 / (self.member_count - 1).max(1) as f64;
        1e-4 * 30_f64.powf(share)
    }

    fn member(&self, member: usize) -> Member {
        let adam = optimizer::ALL.iter().copied().find(|o| o.name() == "adam").expect("a member of ALL");
        let recipe = Recipe {
            optimizer: adam,
            optimizer_parameters: adam.defaults(),
            learning_rate: self.learning_rate(member),
            lr_schedule: lr_schedule::ALL[0],
            lr_schedule_parameters: lr_schedule::LrScheduleParameters::default(),
            loss: loss::cross_entropy(),
            loss_parameters: loss::LossParameters::default(),
            balanced: false,
            l2_penalty: 0.0,
            l1_penalty: 0.0,
            dropout: self.dropout,
            input_dropout: 0.0,
            clip_norm: 0.0,
            initializer: initializer::ALL[0],
            batch_size: self.batch_size,
            max_epochs: 1000,
        };
        Member { fold: 0, repeat: 0, network: self.network(), recipe }
    }

    /// Features uniform in ±1.7 (unit variance); the class is the largest of as many random linear
    /// functions of them. No validation rows: the peers are timed on training alone.
    fn job(&self) -> Job {
        let (features, classes) = (self.layers[0], self.layers[self.layers.len() - 1]);
        let numbers = |layer: usize, count: usize| -> Vec<f32> {
            let stream = Stream::new(SEED, Purpose::Verify, layer, 0, 0);
            let number = |word: u32| 3.464 * (uniform(word) - 0.5);
            (0..count.div_ceil(4) as u32).flat_map(|b| stream.block(b)).take(count).map(number).collect()
        };
        let rows = numbers(0, self.row_count() * features);
        let teacher = numbers(1, classes * features);
        let score = |row: &[f32], class: usize| -> f32 {
            row.iter().zip(&teacher[class * features..]).map(|(x, w)| x * w).sum()
        };
        let best = |row: &[f32]| {
            let order = |a: &usize, b: &usize| score(row, *a).total_cmp(&score(row, *b));
            (0..classes).max_by(order).unwrap_or(0) as u32
        };
        let dataset = Dataset {
            task: Task::Classification { class_count: classes },
            feature_count: features,
            targets: Targets::Classes(rows.chunks_exact(features).map(best).collect()),
            features: rows,
            folds: vec![Fold {
                train: (0..self.row_count() as u32).collect(),
                validation: Vec::new(),
                transforms: vec![Transform::IDENTITY; features],
                target: Transform::IDENTITY,
                balanced_weights: vec![1.0; classes],
            }],
        };
        Job { dataset: Arc::new(dataset), seed: SEED, with_outputs: false }
    }
}

/// An engine with every member of a workload admitted.
struct Race<'a> {
    workload: &'a Workload,
    job: Job,
    engine: CpuEngine,
    ids: Vec<MemberId>,
}

impl<'a> Race<'a> {
    fn new(workload: &'a Workload, threads: Option<usize>) -> manytune::error::Result<Self> {
        let job = workload.job();
        let mut engine = CpuEngine::new(job.clone(), threads)?;
        let ids: Vec<MemberId> = (0..workload.member_count as u64).collect();
        for &id in &ids {
            engine.admit(id, workload.member(id as usize))?;
        }
        Ok(Self { workload, job, engine, ids })
    }

    /// Trains every member for one epoch; returns their mean losses, by member.
    fn epoch(&mut self) -> manytune::error::Result<Vec<f64>> {
        let mut losses = vec![f64::NAN; self.ids.len()];
        self.engine.train(&self.ids)?;
        loop {
            let reports = self.engine.wait()?;
            if reports.is_empty() {
                return Ok(losses);
            }
            for report in reports {
                losses[report.id as usize] = report.train_loss;
            }
        }
    }

    /// Trains the first epochs and compares some members with the reference; returns (epoch, member)
    /// losses and the largest relative difference.
    fn check(&mut self) -> manytune::error::Result<(Vec<Vec<f64>>, f64)> {
        let losses: Vec<Vec<f64>> = (0..COMPARED_EPOCHS).map(|_| self.epoch()).collect::<Result<_, _>>()?;
        let mut worst = 0.0_f64;
        for member in [0, self.ids.len() / 2, self.ids.len() - 1] {
            let mut reference = Trainer::<f64>::new(self.workload.member(member), SEED);
            let mut scratch = Scratch::default();
            for of_members in &losses {
                let exact = reference.epoch(&self.job.dataset, &mut scratch).unwrap_or(f64::NAN);
                let difference = (of_members[member] / exact - 1.0).abs();
                worst = if difference <= worst { worst } else { difference };
            }
        }
        Ok((losses, worst))
    }

    /// Config-steps per second over one timed run of at least `seconds`.
    fn rate(&mut self, seconds: f64) -> manytune::error::Result<f64> {
        let (start, mut epochs) = (Instant::now(), 0);
        while start.elapsed().as_secs_f64() < seconds {
            self.epoch()?;
            epochs += 1;
        }
        let steps = epochs * self.workload.steps_per_epoch * self.workload.member_count;
        Ok(steps as f64 / start.elapsed().as_secs_f64())
    }

    /// Steps per second of one member on one thread by its quickest tenth of steps: what a core does
    /// while nobody disturbs it, which a machine shared with others still shows now and then.
    fn undisturbed(&self) -> f64 {
        let mut trainer = Trainer::<f32>::new(self.workload.member(0), SEED);
        let mut scratch = Scratch::default();
        let mut step = || {
            let start = Instant::now();
            trainer.gradient(&self.job.dataset, &mut scratch);
            trainer.update(&self.job.dataset, &scratch);
            start.elapsed().as_secs_f64()
        };
        let mut seconds: Vec<f64> = (0..10_000).map(|_| step()).collect();
        seconds.sort_by(f64::total_cmp);
        1.0 / seconds[seconds.len() / 10]
    }

    /// Everything a peer needs to do the same work, in one file.
    fn export(&self, losses: &[Vec<f64>], folder: &Path) -> std::io::Result<()> {
        let Workload { name, layers, batch_size, steps_per_epoch, .. } = self.workload;
        let (dataset, network) = (&self.job.dataset, self.workload.network());
        let rows = dataset.row_count();
        let batches: Vec<u32> = (0..COMPARED_EPOCHS as u32)
            .flat_map(|epoch| {
                let permutation = Permutation::new(SEED, epoch, 0, rows as u32);
                (0..rows as u32).map(move |position| permutation.at(position))
            })
            .collect();
        let Targets::Classes(classes) = &dataset.targets else { unreachable!("built with classes") };
        let parameters = initial_parameters(&network, initializer::ALL[0], SEED, 0);
        let rates: Vec<f32> =
            self.ids.iter().map(|&id| self.workload.learning_rate(id as usize) as f32).collect();
        let losses: Vec<f32> = losses.iter().flatten().map(|&loss| loss as f32).collect();
        let mut file = Tensors::default();
        file.add("features", &[rows, layers[0]], &dataset.features);
        file.add("classes", &[rows], classes);
        file.add("batches", &[COMPARED_EPOCHS, *steps_per_epoch, *batch_size], &batches);
        file.add("learning_rates", &[rates.len()], &rates);
        file.add("losses", &[COMPARED_EPOCHS, rates.len()], &losses);
        for (layer, (range, (inputs, outputs))) in
            layer_ranges(&network).into_iter().zip(network.layers()).enumerate()
        {
            let (weights, bias) = parameters[range].split_at(inputs * outputs);
            file.add(&format!("weights_{layer}"), &[inputs, outputs], weights);
            file.add(&format!("bias_{layer}"), &[outputs], bias);
        }
        file.write(&folder.join(format!("{name}.safetensors")))
    }
}

/// Tensors of 4-byte numbers on their way to a safetensors file.
#[derive(Default)]
struct Tensors(Vec<(String, safetensors::Dtype, Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn add<T: bytemuck::Pod>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        let float = std::any::TypeId::of::<T>() == std::any::TypeId::of::<f32>();
        let dtype = if float { safetensors::Dtype::F32 } else { safetensors::Dtype::U32 };
        self.0.push((name.to_owned(), dtype, shape.to_vec(), bytemuck::cast_slice(values).to_vec()));
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let views = self.0.iter().map(|(name, dtype, shape, bytes)| {
            let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes);
            (name, view.expect("shape and bytes were made together"))
        });
        safetensors::serialize_to_file(views, None, path).map_err(std::io::Error::other)
    }
}

/// The command line, as `cargo bench --bench step_rate -- …` passes it.
struct Arguments {
    only: Option<String>,
    rounds: usize,
    seconds: f64,
    threads: Option<usize>,
    export: Option<PathBuf>,
    json: bool,
}

impl Arguments {
    fn read() -> Result<Self, String> {
        let mut found =
            Self { only: None, rounds: 5, seconds: 2.0, threads: None, export: None, json: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number = |text: String| text.parse::<f64>().map_err(|_| format!("{text} is not a number"));
            match word.as_str() {
                "--bench" => {}
                "--json" => found.json = true,
                "--only" => found.only = Some(value()?),
                "--rounds" => found.rounds = number(value()?)? as usize,
                "--seconds" => found.seconds = number(value()?)?,
                "--threads" => found.threads = Some(number(value()?)? as usize),
                "--export" => found.export = Some(value()?.into()),
                other => {
                    return Err(format!(
                        "unknown argument {other}; known: --only WORKLOAD, --rounds N, --seconds S, --threads N, --export DIR, --json"
                    ));
                }
            }
        }
        Ok(found)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::read()?;
    if !arguments.json {
        println!(
            "config-steps per second\n{:<15} {:>7} {:>12} {:>12} {:>12} {:>16}   off reference",
            "workload", "members", "median", "min", "max", "one undisturbed"
        );
    }
    let chosen = |w: &&Workload| arguments.only.as_deref().is_none_or(|name| name == w.name);
    for workload in WORKLOADS.iter().filter(chosen) {
        let mut race = Race::new(workload, arguments.threads)?;
        let (losses, worst) = race.check()?;
        let matches = worst <= TOLERANCE;
        if !matches {
            return Err(format!(
                "{}: losses differ from the reference by {worst:.1e}; nothing was timed",
                workload.name
            )
            .into());
        }
        if let Some(folder) = &arguments.export {
            std::fs::create_dir_all(folder)?;
            race.export(&losses, folder)?;
            continue;
        }
        let mut rates: Vec<f64> =
            (0..arguments.rounds.max(1)).map(|_| race.rate(arguments.seconds)).collect::<Result<_, _>>()?;
        let undisturbed = race.undisturbed();
        if arguments.json {
            let line = serde_json::json!({"workload": workload.name, "members": workload.member_count,
                "rates": rates, "undisturbed_thread": undisturbed, "worst_difference": worst,
                "device": race.engine.device()});
            println!("{line}");
            continue;
        }
        rates.sort_by(f64::total_cmp);
        println!(
            "{:<15} {:>7} {:>12.0} {:>12.0} {:>12.0} {undisturbed:>16.0}   {worst:.1e}",
            workload.name,
            workload.member_count,
            rates[rates.len() / 2],
            rates[0],
            rates[rates.len() - 1]
        );
    }
    Ok(())
}
