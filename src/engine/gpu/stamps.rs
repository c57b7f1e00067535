//! Time stamps at the ends of a submission's passes, where the device has them: how long it was busy.

use super::device::GpuDevice;

/// Bytes of the two stamps.
const BYTES: u64 = 16;

/// The stamps of one submission.
pub struct Stamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Stamps {
    /// Stamps for one submission; `None` where the device has none.
    pub fn new(gpu: &GpuDevice) -> Option<Self> {
        if !gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("stamps"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let resolved = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("stamps"),
            size: BYTES,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Some(Self { queries, resolved })
    }

    /// Begins a pass; the first one of a submission stamps its beginning, and every one its end.
    pub fn begin_pass<'a>(
        stamps: Option<&Self>,
        encoder: &'a mut wgpu::CommandEncoder,
        is_first: bool,
    ) -> wgpu::ComputePass<'a> {
        let timestamp_writes = stamps.map(|stamps| wgpu::ComputePassTimestampWrites {
            query_set: &stamps.queries,
            beginning_of_pass_write_index: is_first.then_some(0),
            end_of_pass_write_index: Some(1),
        });
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes })
    }

    /// Records that the stamps are to be read, and says where they are then.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder) -> (&wgpu::Buffer, u64, u64) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        (&self.resolved, 0, BYTES)
    }

    /// Seconds between the stamps that were read.
    pub fn seconds(gpu: &GpuDevice, bytes: &[u8]) -> f64 {
        let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(bytes);
        let ticks = stamps.get(1).zip(stamps.first()).map_or(0, |(end, start)| end.saturating_sub(*start));
        ticks as f64 * f64::from(gpu.queue.get_timestamp_period()) * 1e-9
    }
}
