//! Solvers seen from inside, for the verifier: by the kernels that train, and the kernel values that those see.

use super::batch::Batch;
use super::launch::{Launch, uniform};
use super::problem::{Form, Owner, Place, Problem};
use super::sources::MachineKernel;
use super::{DeviceFold, GpuMachineEngine, Pace};
use crate::error::{Error, Result};
use crate::model::recipe::Member;
use crate::model::svm::dual::Dual;
use crate::model::svm::kernel::Base;
use crate::model::svm::pair::Pair;
use crate::model::svm::path::{self, Shape};
use crate::model::svm::smo::{Outcome, Point};

impl GpuMachineEngine {
    /// Where the solvers of a member's problems stand after so many steps of their paths at most.
    pub(super) fn duals_of(&mut self, member: &Member, most_iterations: u64) -> Result<Vec<Dual>> {
        let Some(settings) = member.recipe.machine else { return Ok(Vec::new()) };
        let base = settings.kernel.base();
        self.fold(member.fold)?;
        self.keep_bases(member.fold, base)?;
        let fold = self.folds[member.fold].as_ref().expect("it was asked for a moment ago");
        let set = &fold.host.set;
        let choice = settings.choice(set.scale_gamma());
        let one = |pair: Pair| {
            let shape = pair.shape(set, &settings);
            let form = Form::new(&pair, &fold.columns, &choice, shape.linear.len() / shape.row_count.max(1));
            let kernel = self.kernel_values(fold, base, &form)?;
            let stand = path::stand(&shape, settings.c, most_iterations, |problem, point, left| {
                let cost = (problem.low, problem.high);
                self.solve_one((member.fold, fold), base, (&form, &shape), cost, point, left)
            })?;
            let (Point { a, f }, cost, iterations) = (stand.point, stand.cost, stand.iterations);
            Ok(Dual { pair, cost, iterations, kernel, a, f })
        };
        Pair::all(set).into_iter().map(one).collect()
    }

    /// Solves one problem within these bounds, in so many iterations at most.
    fn solve_one(
        &self,
        fold: (usize, &DeviceFold),
        base: Base,
        (form, shape): (&Form, &Shape),
        (low, high): (&[f64], &[f64]),
        point: &mut Point,
        most_iterations: u64,
    ) -> Result<Outcome> {
        let owner = Owner { group: 0, pair: 0, part: None };
        let mut problem = Problem::new(owner, form.clone(), shape.clone(), &[]);
        problem.begin(0.0);
        problem.bounds = [low.to_vec(), high.to_vec()];
        problem.most_iterations = most_iterations.min(self.most_iterations);
        let Ok(mut batch) =
            Batch::new((&self.gpu, &self.kernels), fold, base, vec![(problem, point.clone())])?
        else {
            return Err(Error::device(&self.gpu.facts.name, "no memory for the solver of one machine"));
        };
        let (_, device) = fold;
        let (bases, features) = (batch.bases(device), device.host.set.feature_count);
        loop {
            let work = self.pace.work(1);
            batch.prepare(&self.gpu, device, |form| Pace::budget(work, form, bases, features));
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            batch.solve(&mut pass);
            drop(pass);
            let bytes = self.gpu.finish(&self.gpu.submit(encoder, &batch.ranges(device)))?;
            let mut at = 0;
            let found = batch.land(device, |length| {
                at += length;
                &bytes[at - length..at]
            });
            if let (Some(found), Some(problem)) = (found.first(), &batch.problems[0]) {
                let (end, outcome) = problem.outcome(&found.state);
                *point = end;
                return Ok(outcome);
            }
        }
    }

    /// (row, row) kernel values of a problem.
    fn kernel_values(&self, fold: &DeviceFold, base: Base, form: &Form) -> Result<Vec<f64>> {
        let (rows, width) = (form.row_count, form.quads() * super::fold::QUAD);
        let outcomes = self.gpu.storage("kernel values", (width * width * 4) as u64)?;
        let table = self.gpu.storage_with("problems", &[form.row(&Place::default())])?;
        let uniform = uniform(&self.gpu, &[fold.row(base, 0, width)]);
        let (kind, bases) = fold.bases(base);
        let kernel = self.kernels.compiled(&self.gpu, MachineKernel::Values, kind, 0)?;
        let launch = Launch::new(&self.gpu, &kernel, &uniform, &[&table, bases, &outcomes]);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        launch.invocations(&mut encoder, 0, (width * form.quads()) as u64);
        let bytes =
            self.gpu.finish(&self.gpu.submit(encoder, &[(&outcomes, 0, (width * width * 4) as u64)]))?;
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
        let places: Vec<usize> = (0..rows).map(|row| form.place_of(row)).collect();
        let value = |row: usize, other: usize| f64::from(values[row * width + other]);
        Ok(places.iter().flat_map(|&row| places.iter().map(move |&other| value(row, other))).collect())
    }
}
