//! Problems of one fold that are solved in one dispatch, with their buffers.

use super::super::device::GpuDevice;
use super::fold::{DeviceFold, QUAD};
use super::launch::{Launch, padded};
use super::loops;
use super::problem::{Form, Place, Problem};
use super::sources::{Bases, Kernels, MachineKernel};
use super::tables::{MachinesRow, ProblemRow, ProgressRow, Status};
use crate::error::Result;
use crate::model::svm::kernel::Base;
use crate::model::svm::smo::Point;
use bytemuck::Zeroable;

/// Bytes of a vec4.
const VEC4: u64 = 16;
/// Rows that one dispatch decides by.
const ROWS: usize = 4096;

/// What a problem takes, in bytes: its state, its bounds, everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytes {
    /// Of the buffer of states.
    pub state: u64,
    /// Of the buffer of bounds.
    pub bounds: u64,
    /// Of all buffers.
    pub all: u64,
}

impl Bytes {
    /// Of a problem of this form, which decides for so many vec4 of validation rows.
    pub fn of(form: &Form, validation_quads: usize) -> Self {
        let [state, bounds, sets] = form.sizes().map(|size| size as u64);
        let rows = (size_of::<ProblemRow>() + size_of::<ProgressRow>()) as u64;
        let outcomes = 2 * validation_quads as u64 * VEC4;
        let (state, bounds) = (state * VEC4, bounds * VEC4);
        Self { state, bounds, all: state + bounds + 4 * sets + rows + outcomes }
    }
}

/// What the device found for one C of a problem.
pub struct Found {
    /// Its place in the batch.
    pub at: usize,
    /// F and a.
    pub state: Vec<f32>,
    /// (validation row) decision values without the offset, where the C is asked for.
    pub decisions: Option<Vec<f64>>,
}

/// Problems in one set of buffers.
pub struct Batch {
    /// Their fold.
    pub fold: usize,
    /// What their kernels are functions of.
    base: Base,
    /// What it takes.
    pub bytes: u64,
    /// The problems; `None` once they are through.
    pub problems: Vec<Option<Problem>>,
    places: Vec<Place>,
    table: wgpu::Buffer,
    bounds: wgpu::Buffer,
    state: wgpu::Buffer,
    sets: wgpu::Buffer,
    progress: wgpu::Buffer,
    outcomes: wgpu::Buffer,
    uniform: wgpu::Buffer,
    solve: Launch,
    decide: Launch,
    /// Passes of one submission at most, whatever it takes.
    most_passes: u32,
    /// Rows that one dispatch decides by.
    rows: usize,
    /// Rows of the largest problem.
    most_rows: usize,
    /// What the flight under way does.
    solving: Vec<usize>,
    reading: Vec<usize>,
}

impl Batch {
    /// Buffers for problems, each with the point it begins at. `None` where the device has no memory for them: then
    /// the problems come back.
    pub fn new(
        (gpu, kernels): (&GpuDevice, &Kernels),
        (index, fold): (usize, &DeviceFold),
        base: Base,
        problems: Vec<(Problem, Point)>,
    ) -> Result<std::result::Result<Self, Vec<(Problem, Point)>>> {
        let validation_quads = fold.columns.count - fold.columns.validation_at;
        let (mut places, mut end, mut bytes) = (Vec::new(), Place::default(), 0);
        for (problem, _) in &problems {
            places.push(end);
            let [state, bounds, sets] = problem.form.sizes();
            end.state_at += state as u32;
            end.bounds_at += bounds as u32;
            end.sets_at += sets as u32;
            end.progress_at += 1;
            end.outcomes_at += 2 * validation_quads as u32;
            bytes += Bytes::of(&problem.form, validation_quads).all;
        }
        let sizes = [
            ("problems", problems.len() as u64 * size_of::<ProblemRow>() as u64),
            ("bounds", u64::from(end.bounds_at) * VEC4),
            ("states", u64::from(end.state_at) * VEC4),
            ("sets", u64::from(end.sets_at) * 4),
            ("progress", problems.len() as u64 * size_of::<ProgressRow>() as u64),
            ("outcomes", u64::from(end.outcomes_at) * VEC4),
        ];
        let buffers = sizes.map(|(label, bytes)| gpu.try_storage(label, bytes));
        let [Some(table), Some(bounds), Some(state), Some(sets), Some(progress), Some(outcomes)] = buffers
        else {
            return Ok(Err(problems));
        };
        let quads = problems.iter().map(|(problem, _)| problem.form.quads()).max().unwrap_or(1);
        let (kind, bases) = fold.bases(base);
        let features = if kind == Bases::Stored { 0 } else { fold.host.set.feature_count };
        let layers = problems.iter().map(|(problem, _)| problem.form.layers()).max().unwrap_or(1);
        let (threads, most_passes) = loops::threads(&gpu.facts, quads, layers, features)?;
        let rows = loops::rows(&gpu.facts, layers, features)?.min(ROWS);
        let most_rows = quads * QUAD;
        let uniform = super::launch::uniform(gpu, &vec![MachinesRow::zeroed(); 1 + most_rows.div_ceil(rows)]);
        let solve = kernels.compiled(gpu, MachineKernel::Solve, kind, threads)?;
        let decide = kernels.compiled(gpu, MachineKernel::Decide, kind, 0)?;
        let solve = Launch::new(gpu, &solve, &uniform, &[&table, bases, &bounds, &state, &sets, &progress]);
        let decide = Launch::new(gpu, &decide, &uniform, &[&table, bases, &state, &outcomes]);
        let (solving, reading) = Default::default();
        let (fold, mut at) = (index, 0);
        let mut batch = Self {
            fold,
            base,
            bytes,
            problems: Vec::new(),
            places,
            table,
            bounds,
            state,
            sets,
            progress,
            outcomes,
            uniform,
            solve,
            decide,
            most_passes,
            rows,
            most_rows,
            solving,
            reading,
        };
        for (problem, point) in problems {
            batch.problems.push(Some(problem));
            batch.begin(gpu, at, &point);
            at += 1;
        }
        Ok(Ok(batch))
    }

    /// Puts a problem where the solver of its C begins.
    pub fn begin(&self, gpu: &GpuDevice, at: usize, point: &Point) {
        let (Some(problem), place) = (&self.problems[at], &self.places[at]) else { return };
        let [low, high] = &problem.bounds;
        let write =
            |buffer: &wgpu::Buffer, at: u64, content: &[u8]| gpu.queue.write_buffer(buffer, at, content);
        let form = &problem.form;
        write(&self.state, u64::from(place.state_at) * VEC4, bytemuck::cast_slice(&form.state(point)));
        let bounds = form.bounds(&problem.shape.linear, low, high);
        write(&self.bounds, u64::from(place.bounds_at) * VEC4, bytemuck::cast_slice(&bounds));
        let sets = form.sets(point, low, high);
        write(&self.sets, u64::from(place.sets_at) * 4, bytemuck::cast_slice(&sets));
        let row = u64::from(place.progress_at) * size_of::<ProgressRow>() as u64;
        write(&self.progress, row, bytemuck::bytes_of(&problem.progress));
    }

    /// Whether every problem is through.
    pub fn is_done(&self) -> bool {
        self.problems.iter().all(Option::is_none)
    }

    /// Whether bases are computed each time.
    pub fn bases(&self, fold: &DeviceFold) -> Bases {
        fold.bases(self.base).0
    }

    /// Says what the next flight does: problems that are running go on for so many passes at most, those that are
    /// solved are decided by and read.
    pub fn prepare(&mut self, gpu: &GpuDevice, fold: &DeviceFold, budget: impl Fn(&Form) -> u32) {
        let (mut solving, mut reading, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (at, problem) in self.problems.iter().enumerate() {
            let Some(problem) = problem else { continue };
            if problem.progress.status() == Status::Running {
                let row = ProblemRow {
                    most_iterations: u32::try_from(problem.most_iterations).unwrap_or(u32::MAX),
                    budget: budget(&problem.form).min(self.most_passes),
                    ..problem.form.row(&self.places[at])
                };
                solving.push(at);
                rows.push(row);
            } else {
                reading.push(at);
            }
        }
        let wanted = reading.iter().filter(|&&at| self.is_wanted(at));
        rows.extend(wanted.filter_map(|&at| Some(self.problems[at].as_ref()?.form.row(&self.places[at]))));
        gpu.queue.write_buffer(&self.table, 0, bytemuck::cast_slice(&rows));
        let mut uniforms = vec![fold.row(self.base, 0, solving.len())];
        uniforms.extend(self.slices().map(|slice| MachinesRow {
            row_start: slice.start as u32,
            row_end: slice.end as u32,
            ..fold.row(self.base, solving.len(), rows.len() - solving.len())
        }));
        gpu.queue.write_buffer(&self.uniform, 0, &padded(&uniforms));
        (self.solving, self.reading) = (solving, reading);
    }

    /// The rows of the largest problem, as many at a time as a dispatch decides by.
    fn slices(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        (0..self.most_rows).step_by(self.rows).map(|start| start..start + self.rows)
    }

    fn is_wanted(&self, at: usize) -> bool {
        self.problems[at]
            .as_ref()
            .is_some_and(|problem| problem.owner.part.is_none() && problem.course.wants(problem.cost))
    }

    /// Records what solves.
    pub fn solve(&self, pass: &mut wgpu::ComputePass<'_>) {
        if !self.solving.is_empty() {
            self.solve.workgroups_in(pass, 0, self.solving.len() as u32);
        }
    }

    /// Records what decides.
    pub fn decide(&self, encoder: &mut wgpu::CommandEncoder, fold: &DeviceFold) {
        let count = self.reading.iter().filter(|&&at| self.is_wanted(at)).count();
        let quads = fold.columns.count - fold.columns.validation_at;
        if count * quads > 0 {
            for row in 1..=self.slices().count() as u32 {
                self.decide.invocations(encoder, row, (count * quads) as u64);
            }
        }
    }

    /// What is to be copied to the host: progress, then the points of what is read, then their decision values.
    pub fn ranges(&self, fold: &DeviceFold) -> Vec<(&wgpu::Buffer, u64, u64)> {
        let rows = (self.problems.len() * size_of::<ProgressRow>()) as u64;
        let mut ranges = vec![(&self.progress, 0, rows)];
        let quads = (fold.columns.count - fold.columns.validation_at) as u64;
        for &at in &self.reading {
            let Some(problem) = &self.problems[at] else { continue };
            let (state, place) = (problem.form.point_size() as u64, &self.places[at]);
            ranges.push((&self.state, u64::from(place.state_at) * VEC4, state * VEC4));
            if self.is_wanted(at) && quads > 0 {
                ranges.push((&self.outcomes, u64::from(place.outcomes_at) * VEC4, 2 * quads * VEC4));
            }
        }
        ranges
    }

    /// Takes in what was copied. `next` gives so many bytes of it.
    pub fn land<'a>(&mut self, fold: &DeviceFold, mut next: impl FnMut(usize) -> &'a [u8]) -> Vec<Found> {
        let rows: Vec<ProgressRow> =
            bytemuck::pod_collect_to_vec(next(self.problems.len() * size_of::<ProgressRow>()));
        let quads = fold.columns.count - fold.columns.validation_at;
        let mut found = Vec::new();
        for &at in &self.reading {
            let Some(problem) = &self.problems[at] else { continue };
            let state = bytemuck::pod_collect_to_vec(next(problem.form.point_size() * VEC4 as usize));
            let decisions = self.is_wanted(at).then(|| {
                let words: Vec<f32> = bytemuck::pod_collect_to_vec(next(2 * quads * VEC4 as usize));
                let (high, low) = words.split_at(quads * QUAD);
                let sums = high.iter().zip(low).map(|(&high, &low)| f64::from(high) + f64::from(low));
                sums.take(fold.host.set.validation_count()).collect()
            });
            found.push(Found { at, state, decisions });
        }
        for &at in &self.solving {
            if let Some(problem) = &mut self.problems[at] {
                problem.progress = rows[at];
            }
        }
        found
    }

    /// Whether a problem of the flight has used all its budget.
    pub fn has_running(&self) -> bool {
        let is_running = |problem: &Problem| problem.progress.status() == Status::Running;
        self.solving.iter().any(|&at| self.problems[at].as_ref().is_some_and(is_running))
    }
}
