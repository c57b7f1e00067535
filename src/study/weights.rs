//! The weights file: the parameters of every fold as safetensors, and in its metadata what they are of,
//! with a checksum, so that a damaged file is noticed before it predicts.

use super::files;
use super::model::Which;
use super::store::BestModels;
use crate::data::checksum;
use crate::error::{Error, Result};
use crate::model::activation;
use crate::model::hyperparameter::machine::KERNEL;
use crate::model::network;
use crate::model::recipe::Network;
use crate::model::svm::machine::Machine;
use crate::trial::Trial;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The key of our entry in the metadata of the weights file.
const METADATA: &str = "manytune";
/// The tensor of a kernel machine, within its fold.
const MACHINE: &str = "machine";
/// The version of the model's files.
pub const FORMAT: u32 = 2;

/// Our entry in the metadata of the weights file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Description {
    format: u32,
    /// Of this very description with no checksum in it, and of the parameters of all folds.
    checksum: String,
    /// Where the weights come from.
    pub trial: u64,
    /// Epochs that the weights were trained for.
    epochs: u32,
    fold_count: usize,
    input_count: usize,
    hidden: Vec<usize>,
    output_count: usize,
    activation: String,
    hyperparameters: crate::space::Configuration,
}

/// Writes the weights file of a trial's models, trained for some epochs, unless it is there already.
pub fn save(
    folder: &Path,
    which: Which,
    trial: &Trial,
    epochs: u32,
    network: &Network,
    models: &BestModels,
) -> Result<()> {
    let path = folder.join(which.files().0);
    let description = Description {
        format: FORMAT,
        checksum: String::new(),
        trial: trial.number,
        epochs,
        fold_count: models.folds.len(),
        input_count: network.input_count,
        hidden: network.hidden.clone(),
        output_count: network.output_count,
        activation: network.activation.name().to_owned(),
        hyperparameters: trial.configuration.clone(),
    };
    let bytes = encode(&description, network, models).map_err(|error| unwritable(&path, &error))?;
    if fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    files::write(&path, &bytes)
}

/// The kernel machines of these parameters, (fold).
pub fn machines(folds: &[Vec<f32>]) -> Result<Vec<Machine>, String> {
    let machine =
        |fold: &Vec<f32>| Machine::of_parameters(fold).ok_or("it holds no kernel machine".to_owned());
    folds.iter().map(machine).collect()
}

/// Tensors `fold_<f>.layer_<l>.weight` (input, output) and `.bias` (output); of kernel machines
/// `fold_<f>.machine`, as [`Machine::to_parameters`] has it.
fn encode(description: &Description, network: &Network, models: &BestModels) -> Result<Vec<u8>, String> {
    let bytes: Vec<Vec<u8>> = models
        .folds
        .iter()
        .map(|fold| fold.iter().flat_map(|number| number.to_le_bytes()).collect())
        .collect();
    let mut tensors = Vec::new();
    for (fold, bytes) in bytes.iter().enumerate() {
        if description.is_machine() {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
            tensors.push((format!("fold_{fold}.{MACHINE}"), view.map_err(|error| error.to_string())?));
            continue;
        }
        let ranges = network::layer_ranges(network);
        for (layer, (range, (inputs, outputs))) in ranges.into_iter().zip(network.layers()).enumerate() {
            let split = 4 * (range.start + inputs * outputs);
            let parts = [
                ("weight", vec![inputs, outputs], 4 * range.start..split),
                ("bias", vec![outputs], split..4 * range.end),
            ];
            for (part, shape, range) in parts {
                let bytes = bytes.get(range).ok_or("too few parameters")?;
                let view = TensorView::new(Dtype::F32, shape, bytes).map_err(|error| error.to_string())?;
                tensors.push((format!("fold_{fold}.layer_{layer}.{part}"), view));
            }
        }
    }
    let text = description.sealed(&models.folds)?.text()?;
    serialize(tensors, Some(HashMap::from([(METADATA.to_owned(), text)]))).map_err(|error| error.to_string())
}

/// Reads a weights file; an error says why it is none, or not what was written.
pub fn decode(bytes: &[u8]) -> Result<(Description, Vec<Vec<f32>>), String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA));
    let description: Description = serde_json::from_str(text.ok_or("it was not written by manytune")?)
        .map_err(|error| error.to_string())?;
    check_format(description.format)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let layer_count = description.hidden.len() + 1;
    let fold = |fold: usize| -> Result<Vec<f32>, String> {
        let mut parameters = Vec::new();
        if description.is_machine() {
            let tensor =
                tensors.tensor(&format!("fold_{fold}.{MACHINE}")).map_err(|error| error.to_string())?;
            return Ok(tensor.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect());
        }
        for layer in 0..layer_count {
            for part in ["weight", "bias"] {
                let name = format!("fold_{fold}.layer_{layer}.{part}");
                let tensor = tensors.tensor(&name).map_err(|error| error.to_string())?;
                parameters.extend(tensor.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)));
            }
        }
        Ok(parameters)
    };
    let folds = (0..description.fold_count).map(fold).collect::<Result<Vec<_>, String>>()?;
    let expected = description.network()?.parameter_count();
    if !description.is_machine() && folds.iter().any(|fold| fold.len() != expected) {
        return Err("its tensors do not have the shapes of its network".to_owned());
    }
    check_content(&description.checksum, &description.sealed(&folds)?.checksum)?;
    Ok((description, folds))
}

impl Description {
    fn text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// With the checksum of itself and of the parameters of all folds.
    fn sealed(&self, folds: &[Vec<f32>]) -> Result<Self, String> {
        let open = Self { checksum: String::new(), ..self.clone() };
        let text = open.text()?;
        let parts = folds.iter().map(|fold| bytemuck::cast_slice(fold));
        Ok(Self { checksum: checksum(std::iter::once(text.as_bytes()).chain(parts)), ..open })
    }

    /// Whether they are of a kernel machine.
    pub fn is_machine(&self) -> bool {
        self.hyperparameters.contains_key(KERNEL)
    }

    /// The network that the weights are of.
    pub fn network(&self) -> Result<Network, String> {
        let activation = activation::ALL.iter().find(|activation| activation.name() == self.activation);
        Ok(Network {
            input_count: self.input_count,
            hidden: self.hidden.clone(),
            output_count: self.output_count,
            activation: *activation.ok_or_else(|| format!("unknown activation {}", self.activation))?,
        })
    }
}

/// The error for a model that cannot be written, whatever the disk.
pub fn unwritable(path: &Path, error: &str) -> Error {
    Error::store(path.display(), format!("cannot be written: {error}"))
        .advice("report this, with the study file: a model that was trained should always be writable")
}

/// Refuses a file of another version.
pub fn check_format(found: u32) -> Result<(), String> {
    if found == FORMAT { Ok(()) } else { Err(format!("it has format {found}, not {FORMAT}")) }
}

/// Refuses a file whose checksum is not that of its content.
pub fn check_content(expected: &str, found: &str) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err("it is damaged: its content is not what was written".to_owned())
    }
}
