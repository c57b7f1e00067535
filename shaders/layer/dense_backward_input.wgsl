// dX = dZ W^T, times the derivative that the forward pass left: dL/dz of the layer below, in its place.
// One workgroup: a tile of (row, input) of one layer of one member. Twin: backward_input in
// src/model/layer/dense.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> work: array<Work>;
@group(0) @binding(2) var<storage, read> controls: array<Control>;
@group(0) @binding(3) var<storage, read> layers: array<Layer>;
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;

struct Task {
    layer: Layer,
    control: Control,
}

// dZ: (row, output).
const LEFT_IS_ALONG_INNER = true;
fn read_left(row: u32, quad: u32, task: Task) -> vec4<f32> {
    let inside = min(row, task.control.row_count - 1u);
    let stride = task.layer.output_stride;
    return scratch[task.layer.gradient_at + inside * stride + min(quad, stride - 1u)];
}

// W: (input, output).
const RIGHT_IS_ALONG_INNER = true;
fn read_right(row: u32, quad: u32, task: Task) -> vec4<f32> {
    let inside = min(row, 4u * task.layer.input_stride - 1u);
    let stride = task.layer.output_stride;
    return weights[task.layer.parameters_at + inside * stride + min(quad, stride - 1u)];
}

fn finish_row(row: u32, quad: u32, d_x: vec4<f32>, task: Task) {
    let stride = task.layer.input_stride;
    if (row < task.control.row_count && quad < stride) {
        scratch[task.layer.input_gradient_at + row * stride + quad] *= d_x;
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let control = controls[dispatch.control_at + item.member];
    let task = Task(layers[item.layer], control);
    let corner = corner_of(item.tile, task.layer.input_stride);
    if (4u * corner.row_quad >= control.row_count) {
        return;
    }
    make_tile(thread, corner, task.layer.output_stride, task);
}
