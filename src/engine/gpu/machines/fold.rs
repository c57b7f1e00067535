//! A fold on the device: its rows, and the matrices of bases that all machines of it share.

use super::super::binding::DISPATCH_WIDTH;
use super::super::device::GpuDevice;
use super::launch::{Launch, uniform};
use super::sources::{Bases, Kernels, MachineKernel};
use super::tables::MachinesRow;
use crate::engine::machines::Fold;
use crate::error::Result;
use crate::model::svm::kernel::Base;
use crate::model::svm::pair::Pair;
use crate::model::svm::set::{FoldSet, SetTargets};
use bytemuck::Zeroable;
use std::ops::Range;

/// Rows side by side in a vec4.
pub const QUAD: usize = 4;
/// Terms of bases that one submission computes: some 50 ms at most.
const TERMS: u64 = 1 << 34;
/// The same in software.
const TERMS_SOFTWARE: u64 = 1 << 24;

/// Where the rows of a fold stand, in vec4: each class begins a new one, as do the validation rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// (class) training rows; values are one class.
    pub classes: Vec<Range<usize>>,
    /// The rows of each.
    rows: Vec<Range<usize>>,
    /// Where validation rows begin.
    pub validation_at: usize,
    /// All of them.
    pub count: usize,
}

impl Columns {
    /// Of these rows.
    pub fn new(set: &FoldSet<f32>) -> Self {
        let rows = match &set.targets {
            SetTargets::Classes(ranges) => ranges.clone(),
            SetTargets::Values(values) => std::iter::once(0..values.len()).collect(),
        };
        let mut at = 0;
        let mut quads = |count: usize| {
            let start = at;
            at += count.div_ceil(QUAD);
            start..at
        };
        let classes: Vec<Range<usize>> = rows.iter().map(|rows| quads(rows.len())).collect();
        let Range { start: validation_at, end: count } = quads(set.validation_count());
        Self { classes, rows, validation_at, count }
    }

    /// The columns of the two classes of a pair.
    pub fn of_pair(&self, pair: &Pair) -> [Range<usize>; 2] {
        let second =
            if pair.classes[0] == pair.classes[1] { 0..0 } else { self.classes[pair.classes[1]].clone() };
        [self.classes[pair.classes[0]].clone(), second]
    }

    /// (feature, column) the features of all rows; rows that fill up a vec4 are zeros.
    fn features(&self, set: &FoldSet<f32>) -> Vec<f32> {
        let stride = self.count * QUAD;
        let mut features = vec![0.0; stride * set.feature_count];
        let mut put = |rows: &[f32], at: usize| {
            for (row, numbers) in rows.chunks_exact(set.feature_count.max(1)).enumerate() {
                for (feature, &number) in numbers.iter().enumerate() {
                    features[feature * stride + QUAD * at + row] = number;
                }
            }
        };
        for (rows, columns) in self.rows.iter().zip(&self.classes) {
            put(&set.train[rows.start * set.feature_count..rows.end * set.feature_count], columns.start);
        }
        put(&set.validation, self.validation_at);
        features
    }

    /// Bytes of a matrix of bases.
    pub fn matrix_bytes(&self) -> u64 {
        (self.validation_at * QUAD) as u64 * self.count as u64 * 16
    }
}

/// A fold whose rows are on the device.
pub struct DeviceFold {
    /// The fold on the host.
    pub host: Fold,
    /// Where its rows stand.
    pub columns: Columns,
    features: wgpu::Buffer,
    matrices: [Option<wgpu::Buffer>; 2],
}

impl DeviceFold {
    /// Uploads its rows.
    pub fn new(gpu: &GpuDevice, host: Fold) -> Result<Self> {
        let columns = Columns::new(&host.set);
        let features = gpu.storage_with("features", &columns.features(&host.set))?;
        Ok(Self { host, columns, features, matrices: [None, None] })
    }

    /// Bytes that it takes now.
    pub fn bytes(&self) -> u64 {
        self.features.size() + self.matrices.iter().flatten().map(wgpu::Buffer::size).sum::<u64>()
    }

    /// Frees its matrices.
    pub fn drop_matrices(&mut self) {
        self.matrices = [None, None];
    }

    /// Where its bases are.
    pub fn bases(&self, base: Base) -> (Bases, &wgpu::Buffer) {
        match &self.matrices[base as usize] {
            Some(matrix) => (Bases::Stored, matrix),
            None => (Bases::Computed, &self.features),
        }
    }

    /// The row of a dispatch over so many things from `start` on.
    pub fn row(&self, base: Base, start: usize, count: usize) -> MachinesRow {
        MachinesRow {
            count: count as u32,
            start: start as u32,
            column_count: self.columns.count as u32,
            validation_at: self.columns.validation_at as u32,
            feature_count: self.host.set.feature_count as u32,
            is_product: u32::from(base == Base::InnerProduct),
            ..MachinesRow::zeroed()
        }
    }

    /// Computes the matrix of its bases, if the device has memory for it; without one they are computed each time.
    pub fn store(&mut self, gpu: &GpuDevice, kernels: &Kernels, base: Base) -> Result<()> {
        if self.matrices[base as usize].is_some() {
            return Ok(());
        }
        let Some(matrix) = gpu.try_storage("bases", self.columns.matrix_bytes()) else { return Ok(()) };
        let kernel = kernels.compiled(gpu, MachineKernel::Matrix, Bases::Computed, 0)?;
        let terms = if gpu.facts.software { TERMS_SOFTWARE } else { TERMS };
        let row_count = self.columns.validation_at * QUAD;
        let row_terms = (self.columns.count * QUAD * self.host.set.feature_count.max(1)) as u64;
        // A dispatch has no more workgroups than this in its second dimension.
        let most_rows = (u64::from(DISPATCH_WIDTH) << 16) / (self.columns.count.max(1) as u64);
        let rows = (terms / row_terms.max(1)).clamp(1, most_rows.max(1)) as usize;
        for start in (0..row_count).step_by(rows) {
            let count = rows.min(row_count - start);
            let uniform = uniform(gpu, &[self.row(base, start, count)]);
            let launch = Launch::new(gpu, &kernel, &uniform, &[&matrix, &self.features]);
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            launch.invocations(&mut encoder, 0, count as u64 * self.columns.count as u64);
            gpu.queue.submit([encoder.finish()]);
            gpu.wait()?;
        }
        self.matrices[base as usize] = Some(matrix);
        Ok(())
    }
}
