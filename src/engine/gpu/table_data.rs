//! The data set on the device: uploaded once, one copy of the rows for all members, in shards where it
//! passes the binding limit; folds as lists of rows with their transforms.

use super::device::GpuDevice;
use super::tables::NONE;
use crate::data::{Dataset, Targets};
use crate::error::Result;

/// Rows of the table that one buffer holds.
pub struct TableShard {
    /// (row, feature), each row padded with zeros to a multiple of 4.
    pub buffer: wgpu::Buffer,
    /// First row, and the first that is not in it.
    pub rows: std::ops::Range<u32>,
}

/// Where one fold lies in the folds buffer, in words.
#[derive(Clone, Copy)]
pub struct FoldPlace {
    /// Its training rows.
    pub train_at: u32,
    /// How many.
    pub train_count: u32,
    /// Its validation rows.
    pub validation_at: u32,
    /// How many.
    pub validation_count: u32,
    /// Its transforms: three planes (shift, scale, fill) of a padded row each.
    pub transform_at: u32,
    /// Its balanced class weights, or [`NONE`].
    pub class_weights_at: u32,
}

/// The data set on the device.
pub struct DeviceData {
    /// The features.
    pub shards: Vec<TableShard>,
    /// Rows, transforms and weights of all folds, and the targets of all rows.
    pub folds: wgpu::Buffer,
    /// Where the targets begin in it, in words: (row) class, or the bits of a stored value.
    pub targets_at: u32,
    /// Where each fold lies in it.
    pub places: Vec<FoldPlace>,
}

impl DeviceData {
    /// Uploads a data set; no buffer passes `shard_bytes`.
    pub fn upload(gpu: &GpuDevice, dataset: &Dataset, shard_bytes: u64) -> Result<Self> {
        let stride = dataset.feature_count.div_ceil(4).max(1);
        let (mut words, places) = fold_words(dataset, stride * 4);
        let targets_at = words.len() as u32;
        match &dataset.targets {
            Targets::Classes(classes) => words.extend(classes),
            Targets::Values { stored, .. } => words.extend(stored.iter().map(|value| value.to_bits())),
        }
        Ok(Self {
            shards: upload_rows(gpu, dataset, stride * 4, shard_bytes)?,
            folds: gpu.storage_with("folds", &words)?,
            targets_at,
            places,
        })
    }
}

fn upload_rows(
    gpu: &GpuDevice,
    dataset: &Dataset,
    padded: usize,
    shard_bytes: u64,
) -> Result<Vec<TableShard>> {
    let rows_per_shard = (shard_bytes / (padded as u64 * 4)).clamp(1, u64::from(u32::MAX)) as usize;
    let row_count = dataset.row_count();
    let mut shards = Vec::new();
    for start in (0..row_count).step_by(rows_per_shard) {
        let end = (start + rows_per_shard).min(row_count);
        let mut content = vec![0.0_f32; (end - start) * padded];
        for (row, to) in (start..end).zip(content.chunks_exact_mut(padded)) {
            to[..dataset.feature_count].copy_from_slice(dataset.row(row as u32));
        }
        let buffer = gpu.storage_with("table", &content)?;
        shards.push(TableShard { buffer, rows: start as u32..end as u32 });
    }
    Ok(shards)
}

fn fold_words(dataset: &Dataset, padded: usize) -> (Vec<u32>, Vec<FoldPlace>) {
    let mut words = Vec::new();
    let append = |words: &mut Vec<u32>, content: &mut dyn Iterator<Item = u32>| {
        let at = words.len() as u32;
        words.extend(content);
        at
    };
    let mut places = Vec::new();
    for fold in &dataset.folds {
        let mut planes = vec![0.0_f32; 3 * padded];
        for (feature, transform) in fold.transforms.iter().enumerate() {
            planes[feature] = transform.shift;
            planes[padded + feature] = transform.scale;
            planes[2 * padded + feature] = transform.fill;
        }
        let weights = &fold.balanced_weights;
        places.push(FoldPlace {
            train_at: append(&mut words, &mut fold.train.iter().copied()),
            train_count: fold.train.len() as u32,
            validation_at: append(&mut words, &mut fold.validation.iter().copied()),
            validation_count: fold.validation.len() as u32,
            transform_at: append(&mut words, &mut planes.iter().map(|x| x.to_bits())),
            class_weights_at: match weights.is_empty() {
                true => NONE,
                false => append(&mut words, &mut weights.iter().map(|w| w.to_bits())),
            },
        });
    }
    (words, places)
}
