// dW = X^T dZ and db = the sum of dZ over rows, penalties added, then the optimizer's step at once; for a
// member that clips, the gradient is left for the clip kernels.
// One workgroup: a tile of (input, output) of one layer of one member; those behind the tiles take THREADS
// vec4 of biases each. Twin: backward_parameters in src/model/layer/dense.rs, add_penalties and update in
// src/model/trainer.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> layers: array<Layer>;
@group(0) @binding(5) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> scratch: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> gradients: array<vec4<f32>>;

struct Task {
    layer: Layer,
    member: Member,
    control: Control,
}

// (row, quad of so many) One vec4 of the minibatch: rows are the inner dimension here, 0 beyond the last.
fn read_rows(at: u32, row: u32, quad: u32, stride: u32, task: Task) -> vec4<f32> {
    let last = task.control.row_count - 1u;
    let found = scratch[at + min(row, last) * stride + min(quad, stride - 1u)];
    return select(vec4<f32>(0.0), found, row <= last);
}

// X: (row, input).
const LEFT_IS_ALONG_INNER = false;
fn read_left(row: u32, quad: u32, task: Task) -> vec4<f32> {
    return read_rows(task.layer.input_at, row, quad, task.layer.input_stride, task);
}

// dZ: (row, output).
const RIGHT_IS_ALONG_INNER = false;
fn read_right(row: u32, quad: u32, task: Task) -> vec4<f32> {
    return read_rows(task.layer.gradient_at, row, quad, task.layer.output_stride, task);
}

// Row `input` of the gradient: a weight row, or the bias row at 4 * input_stride.
fn step_row(input: u32, quad: u32, d: vec4<f32>, task: Task) {
    let layer = task.layer;
    let member = task.member;
    let bias_row = 4u * layer.input_stride;
    let at = layer.parameters_at + input * layer.output_stride + quad;
    if (input >= layer.input_count && input < bias_row) {
        // A padded row: its weights stay 0, and the norm of a clipped gradient must not find old numbers.
        if (member.clip_norm > 0.0) {
            gradients[at] = vec4<f32>(0.0);
        }
        return;
    }
    let w = weights[at];
    var g = keep_inside(d, 4u * quad, layer.output_count);
    var decay = 1.0;
    if (input < layer.input_count) {
        g += member.l2_penalty * w + member.l1_penalty * sign(w);
        decay = task.control.decay;
    }
    if (member.clip_norm > 0.0) {
        gradients[at] = g;
        return;
    }
    var m = moments[at];
    var v = moments[dispatch.second_moment_at + at];
    let stepped = optimizer(member.optimizer, step_scalars(member, task.control), w * decay, g, &m, &v);
    weights[at] = keep_inside(stepped, 4u * quad, layer.output_count);
    moments[at] = m;
    moments[dispatch.second_moment_at + at] = v;
}

fn finish_row(input: u32, quad: u32, d: vec4<f32>, task: Task) {
    if (input < 4u * task.layer.input_stride && quad < task.layer.output_stride) {
        step_row(input, quad, d, task);
    }
}

// A bias's gradient, row after row: as the product with an input that is always 1 would add it up.
fn step_bias(quad: u32, task: Task) {
    if (quad >= task.layer.output_stride) {
        return;
    }
    var sum = vec4<f32>(0.0);
    for (var row = 0u; row < task.control.row_count; row += 4u) {
        let d0 = read_right(row, quad, task);
        let d1 = read_right(row + 1u, quad, task);
        let d2 = read_right(row + 2u, quad, task);
        let d3 = read_right(row + 3u, quad, task);
        sum = (((sum + d0) + d1) + d2) + d3;
    }
    step_row(4u * task.layer.input_stride, quad, sum, task);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let control = controls[dispatch.control_at + item.member];
    let task = Task(layers[item.layer], members[item.member], control);
    if (control.row_count == 0u) {
        return;
    }
    let tiles = tiles_of(task.layer.input_stride, task.layer.output_stride);
    if (item.tile >= tiles) {
        step_bias((item.tile - tiles) * THREADS + thread, task);
        return;
    }
    make_tile(thread, corner_of(item.tile, task.layer.output_stride), (control.row_count + 3u) / 4u, task);
}
