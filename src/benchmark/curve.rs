//! Cost against the number of members: the price of one model, and of thousands.

use super::Bench;
use super::record::Record;
use super::reference::References;
use super::workload::Workload;
use crate::error::{ErrorKind, Result};
use std::time::{Duration, Instant};

/// Most members of a curve; each point has four times as many as the one before.
const MOST: usize = 4096;
/// Where one point took longer, the next, which is four times the work, is left out.
const LONGEST: Duration = Duration::from_secs(20);

impl Bench<'_> {
    /// Times a workload with 1, 4, 16, … members, up to those asked for (or 4,096), as far as they fit and
    /// points stay quick.
    pub fn curve(&self, workload: &Workload) -> Result<Vec<Record>> {
        let most = self.settings.members.unwrap_or(MOST);
        let powers =
            std::iter::successors(Some(1), |count| Some(count * 4)).take_while(|count| *count < most);
        let counts: Vec<usize> = powers.chain([most]).collect();
        let mut references = References::default();
        let mut records: Vec<Record> = Vec::new();
        for (place, &count) in counts.iter().enumerate() {
            let start = Instant::now();
            match self.workload_of(workload, Some(count), &mut references) {
                Ok(record) => records.push(record),
                // Those that fit have been measured.
                Err(error) if error.kind == ErrorKind::Device && !records.is_empty() => {
                    (self.say)(&format!("{}: {count} members do not fit: {}", workload.name, error.found));
                    break;
                }
                Err(error) => return Err(error),
            }
            let took = start.elapsed();
            if took > LONGEST && place + 1 < counts.len() {
                let name = workload.name;
                (self.say)(&format!("{name}: {count} members took {} s: no more are tried", took.as_secs()));
                break;
            }
        }
        Ok(records)
    }
}
