//! Guards, for the verifier: what no member owns holds a pattern, and kernels that write there are found.
//!
//! Gaps lie around the regions of every arena. They, and all room that is free, are filled with a NaN:
//! whoever reads it is poisoned, whoever writes there is found. The padding inside a member's parameters
//! and moments must stay 0.

use super::device::GpuDevice;
use super::footprint::pad;
use super::shard::Shard;
use crate::engine::MemberId;
use crate::error::Result;
use std::ops::Range;

/// A NaN with a payload that no computation makes.
const PATTERN: u32 = 0x7fc5_a5a5;
/// Words of a gap: a tile's row of vec4. What strays further meets another member, and other checks.
pub const GAP: u64 = 32;
/// Words written, and read back, at a time.
const CHUNK: u64 = 1 << 20;

/// Where a member lies in one buffer.
pub struct Region<'a> {
    /// The buffer's name.
    pub label: &'static str,
    /// The buffer.
    pub buffer: &'a wgpu::Buffer,
    /// Which words.
    pub words: Range<u64>,
    /// Whether the member has a use for it.
    pub is_used: bool,
    /// Whether it holds one number per parameter, with padding between them.
    pub is_padded: bool,
}

/// Fills words of a buffer with the pattern.
pub fn fill(gpu: &GpuDevice, buffer: &wgpu::Buffer, words: Range<u64>) {
    let pattern = vec![PATTERN; CHUNK.min(words.end - words.start) as usize];
    for start in words.clone().step_by(CHUNK as usize) {
        let count = CHUNK.min(words.end - start) as usize;
        gpu.queue.write_buffer(buffer, 4 * start, bytemuck::cast_slice(&pattern[..count]));
        gpu.queue.submit([]);
    }
}

/// What was written where it must not be, one line each: around some members of a shard and in their
/// padding, or (`None`) everywhere. Guards that were written to are made whole again.
pub fn inspect(gpu: &GpuDevice, shard: &Shard, members: Option<&[MemberId]>) -> Result<Vec<String>> {
    let mut stretches = free_stretches(shard, members);
    stretches.extend(padded_stretches(shard, members));
    let mut faults = Vec::new();
    let mut left = &stretches[..];
    while !left.is_empty() {
        let mut total = 0;
        let fits = |stretch: &&Stretch<'_>| {
            total += stretch.length();
            total <= 4 * CHUNK
        };
        let (group, rest) = left.split_at(left.iter().take_while(fits).count().max(1));
        faults.extend(read(gpu, group)?);
        left = rest;
    }
    Ok(faults)
}

/// Words of a buffer that must hold one thing.
struct Stretch<'a> {
    label: &'static str,
    buffer: &'a wgpu::Buffer,
    words: Range<u64>,
    /// 0 in the places that must be 0; `None` where every word is the pattern.
    used: Option<Vec<f32>>,
    place: String,
}

impl Stretch<'_> {
    fn length(&self) -> u64 {
        self.words.end - self.words.start
    }

    fn fault(&self, found: &[u32]) -> Option<String> {
        let is_wrong = |i: usize| match &self.used {
            None => found[i] != PATTERN,
            // Either zero.
            Some(used) => used[i] == 0.0 && found[i] << 1 != 0,
        };
        let mut wrong = (0..found.len()).filter(|&i| is_wrong(i));
        let first = wrong.next()?;
        let byte = 4 * (self.words.start + first as u64);
        let count = match 1 + wrong.count() {
            1 => "1 word was".to_owned(),
            count => format!("{count} words were"),
        };
        let (word, number) = (found[first], f32::from_bits(found[first]));
        let Self { label, place, .. } = self;
        Some(format!("{label}, {place}: {count} written, first at byte {byte}: 0x{word:08x} ({number:e})"))
    }
}

/// The faults of some stretches, which are read in one go.
fn read(gpu: &GpuDevice, stretches: &[Stretch<'_>]) -> Result<Vec<String>> {
    let ranges: Vec<(&wgpu::Buffer, u64, u64)> =
        stretches.iter().map(|s| (s.buffer, 4 * s.words.start, 4 * s.length())).collect();
    let encoder = gpu.device.create_command_encoder(&Default::default());
    let words: Vec<u32> = bytemuck::pod_collect_to_vec(&gpu.finish(&gpu.submit(encoder, &ranges))?);
    let mut left = &words[..];
    let mut faults = Vec::new();
    for stretch in stretches {
        let (found, rest) = left.split_at(stretch.length() as usize);
        left = rest;
        let Some(fault) = stretch.fault(found) else { continue };
        faults.push(fault);
        if stretch.used.is_none() {
            fill(gpu, stretch.buffer, stretch.words.clone());
        }
    }
    Ok(faults)
}

/// What no member uses; of that, only the gaps beside some members where they are given.
fn free_stretches<'a>(shard: &'a Shard, members: Option<&[MemberId]>) -> Vec<Stretch<'a>> {
    let mut stretches = Vec::new();
    for (label, buffer) in shard.buffers() {
        let mut used: Vec<(Range<u64>, MemberId)> = shard
            .tenants
            .iter()
            .flat_map(|(id, tenant)| shard.regions(tenant).into_iter().map(move |region| (region, *id)))
            .filter(|(region, _)| region.label == label && region.is_used)
            .map(|(region, id)| (region.words, id))
            .collect();
        used.sort_by_key(|(words, _)| words.start);
        let (mut start, mut before) = (0, None);
        let end = (buffer.size() / 4..buffer.size() / 4, None);
        for (words, after) in used.into_iter().map(|(words, id)| (words, Some(id))).chain([end]) {
            let free = start..words.start;
            for (words, place) in beside(free, before, after, members) {
                stretches.push(Stretch { label, buffer, words, used: None, place });
            }
            (start, before) = (words.end, after);
        }
    }
    stretches
}

/// The parts of a free range to look at, and what lies beside each.
fn beside(
    free: Range<u64>,
    before: Option<MemberId>,
    after: Option<MemberId>,
    members: Option<&[MemberId]>,
) -> Vec<(Range<u64>, String)> {
    let between = match (before, after) {
        (Some(a), Some(b)) => format!("between members {a} and {b}"),
        (Some(a), None) => format!("behind member {a}"),
        (None, Some(b)) => format!("before member {b}"),
        (None, None) => "where no member is".to_owned(),
    };
    let Some(members) = members else {
        let chunks = free.clone().step_by(CHUNK as usize);
        return chunks.map(|start| (start..free.end.min(start + CHUNK), between.clone())).collect();
    };
    let [before, after] = [before, after].map(|id| id.filter(|id| members.contains(id)));
    if free.end - free.start <= 2 * GAP {
        return (before.or(after)).map(|_| (free, between)).into_iter().collect();
    }
    let behind = before.map(|id| (free.start..free.start + GAP, format!("behind member {id}")));
    let ahead = after.map(|id| (free.end - GAP..free.end, format!("before member {id}")));
    behind.into_iter().chain(ahead).collect()
}

/// The parameters of members, whose padding is 0.
fn padded_stretches<'a>(shard: &'a Shard, members: Option<&[MemberId]>) -> Vec<Stretch<'a>> {
    let mut stretches = Vec::new();
    let chosen = |id: &MemberId| members.is_none_or(|members| members.contains(id));
    for (id, tenant) in shard.tenants.iter().filter(|(id, _)| chosen(id)) {
        let network = &tenant.member.network;
        let used = pad(network, &vec![1.0; network.parameter_count()]);
        for Region { label, buffer, words, is_used, is_padded } in shard.regions(tenant) {
            if is_used && is_padded {
                let place = format!("in the padding of member {id}");
                stretches.push(Stretch { label, buffer, words, used: Some(used.clone()), place });
            }
        }
    }
    stretches
}
