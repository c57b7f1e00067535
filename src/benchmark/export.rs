//! Everything that a peer needs to do the same work: tables, initial weights, minibatches, our losses.
//!
//! A peer reproduces the losses first, and is timed after that.

use super::real_job::{REAL_JOB, RealJob};
use super::reference::{COMPARED_EPOCHS, References};
use super::workload::{SEED, Workload, initializer};
use super::{Bench, Opened};
use crate::data::Targets;
use crate::error::{Error, Result};
use crate::model::network::{initial_parameters, layer_ranges};
use crate::model::recipe::{Member, Network};
use crate::random::Permutation;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

impl Bench<'_> {
    /// Writes `<name>.json` and `<name>.safetensors` of a workload whose losses match the reference.
    pub fn export(&self, workload: &Workload, folder: &Path) -> Result<Vec<PathBuf>> {
        let Opened { mut race, .. } = self.enter(workload, self.settings.members, false)?;
        let (lap, _) = self.check(workload, &mut race, &mut References::default())?;
        create(folder)?;
        let (facts, tensors) =
            [".json", ".safetensors"].map(|end| folder.join(format!("{}{end}", workload.name))).into();
        write(&facts, description(workload, &race.members).to_string().as_bytes())?;
        write(&tensors, &contents(workload, &race, &lap.losses)?)?;
        Ok(vec![facts, tensors])
    }

    /// Writes the real job's table, study, configurations and folds.
    pub fn export_real_job(&self, job: &RealJob, folder: &Path) -> Result<Vec<PathBuf>> {
        let plan = job.write(folder, self)?;
        let prepared = job.members(&plan)?;
        let configuration = |member: &Member| {
            let recipe = &member.recipe;
            json!({
                "hidden": member.network.hidden,
                "learning_rate": recipe.learning_rate,
                "batch_size": recipe.batch_size,
                "optimizer": recipe.optimizer.name(),
                "l2_penalty": recipe.l2_penalty,
                // scikit-learn divides its penalty, alpha/2 times the squared norm, by the rows of a minibatch.
                "alpha": recipe.l2_penalty * recipe.batch_size as f64,
            })
        };
        let folds = prepared.job.dataset.folds.iter();
        let facts = json!({
            "configurations": prepared.members.iter().step_by(job.folds).map(configuration).collect::<Vec<_>>(),
            "epochs": job.epochs(),
            "folds": folds
                .map(|fold| json!({"train": fold.train, "validation": fold.validation}))
                .collect::<Vec<_>>(),
            "seed": SEED,
        });
        let path = folder.join(format!("{REAL_JOB}.json"));
        write(&path, facts.to_string().as_bytes())?;
        Ok(vec![path, folder.join(format!("{REAL_JOB}.csv")), folder.join(format!("{REAL_JOB}.toml"))])
    }
}

/// Makes a folder where there is none.
pub fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

/// Writes a file.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(path, content).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::store(path.display(), format!("cannot be written: {error}"))
        .allowed("a folder that can be written, on a disk with room")
        .advice("another --export")
}

fn description(workload: &Workload, members: &[Member]) -> Value {
    let member = |member: &Member| {
        let recipe = &member.recipe;
        json!({
            "hidden": member.network.hidden,
            "batch_size": recipe.batch_size,
            "optimizer": recipe.optimizer.name(),
            "learning_rate": recipe.learning_rate,
            "momentum": recipe.optimizer_parameters.momentum,
            "steps_per_epoch": workload.row_count / recipe.batch_size,
        })
    };
    json!({
        "workload": workload.name,
        "seed": SEED,
        "rows": workload.row_count,
        "features": workload.feature_count,
        "classes": workload.class_count,
        "compared_epochs": COMPARED_EPOCHS,
        "members": members.iter().map(member).collect::<Vec<_>>(),
    })
}

/// `64-128-128-10`.
fn shape_name(network: &Network) -> String {
    let inputs = network.layers().next().map(|(inputs, _)| inputs.to_string());
    let outputs = network.layers().map(|(_, outputs)| outputs.to_string());
    inputs.into_iter().chain(outputs).collect::<Vec<_>>().join("-")
}

fn contents(workload: &Workload, race: &super::race::Race, losses: &[Vec<f64>]) -> Result<Vec<u8>> {
    let (dataset, rows) = (&race.job.dataset, workload.row_count);
    let mut tensors = Tensors::default();
    tensors.add("features", &[rows, workload.feature_count], &dataset.features);
    if let Targets::Classes(classes) = &dataset.targets {
        tensors.add("classes", &[rows], classes);
    }
    let orders: Vec<u32> =
        (0..COMPARED_EPOCHS).flat_map(|epoch| Permutation::new(SEED, epoch, 0, rows as u32).all()).collect();
    let batches: BTreeSet<usize> = race.members.iter().map(|member| member.recipe.batch_size).collect();
    for batch in batches {
        tensors.add(&format!("batches_{batch}"), &[COMPARED_EPOCHS as usize, rows], &orders);
    }
    let shapes: BTreeMap<String, &Network> =
        race.members.iter().map(|member| (shape_name(&member.network), &member.network)).collect();
    for (shape, network) in shapes {
        let parameters = initial_parameters(network, initializer(), SEED, 0);
        for (layer, (range, (inputs, outputs))) in
            layer_ranges(network).into_iter().zip(network.layers()).enumerate()
        {
            let (weights, bias) = parameters[range].split_at(inputs * outputs);
            tensors.add(&format!("weights_{shape}_{layer}"), &[inputs, outputs], weights);
            tensors.add(&format!("bias_{shape}_{layer}"), &[outputs], bias);
        }
    }
    let losses: Vec<f32> = losses.iter().flatten().map(|&loss| loss as f32).collect();
    tensors.add("losses", &[COMPARED_EPOCHS as usize, race.members.len()], &losses);
    tensors.bytes()
}

/// Tensors of 4-byte numbers on their way to a safetensors file.
#[derive(Default)]
struct Tensors(Vec<(String, safetensors::Dtype, Vec<usize>, Vec<u8>)>);

/// A number that safetensors knows.
trait Number: bytemuck::Pod {
    const DTYPE: safetensors::Dtype;
}
impl Number for f32 {
    const DTYPE: safetensors::Dtype = safetensors::Dtype::F32;
}
impl Number for u32 {
    const DTYPE: safetensors::Dtype = safetensors::Dtype::U32;
}

impl Tensors {
    fn add<T: Number>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        self.0.push((name.to_owned(), T::DTYPE, shape.to_vec(), bytemuck::cast_slice(values).to_vec()));
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let faulty = |error| Error::check("export", format!("tensors cannot be written: {error}"));
        let views = self.0.iter().map(|(name, dtype, shape, bytes)| {
            Ok((name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).map_err(faulty)?))
        });
        safetensors::serialize(views.collect::<Result<Vec<_>>>()?, None).map_err(faulty)
    }
}
