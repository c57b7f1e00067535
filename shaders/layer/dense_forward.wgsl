// Z = X W + b, then the activation and its derivative, then dropout on both; the output layer stops at Z.
// One workgroup: a tile of (row, output) of one layer of one member. Twin: forward in
// src/model/layer/dense.rs and src/model/network.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> layers: array<Layer>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;

struct Task {
    layer: Layer,
    member: Member,
    control: Control,
}

// X: (row, input).
const LEFT_IS_ALONG_INNER = true;
fn read_left(row: u32, quad: u32, task: Task) -> vec4<f32> {
    let inside = min(row, task.control.row_count - 1u);
    let stride = task.layer.input_stride;
    return scratch[task.layer.input_at + inside * stride + min(quad, stride - 1u)];
}

// W: (input, output).
const RIGHT_IS_ALONG_INNER = false;
fn read_right(row: u32, quad: u32, task: Task) -> vec4<f32> {
    let inside = min(row, 4u * task.layer.input_stride - 1u);
    let stride = task.layer.output_stride;
    return weights[task.layer.parameters_at + inside * stride + min(quad, stride - 1u)];
}

fn finish_row(row: u32, quad: u32, sum: vec4<f32>, task: Task) {
    let layer = task.layer;
    let member = task.member;
    if (row >= task.control.row_count || quad >= layer.output_stride) {
        return;
    }
    let z = sum + weights[layer.parameters_at + 4u * layer.input_stride * layer.output_stride + quad];
    let at = row * layer.output_stride + quad;
    if (layer.hidden == 0u) {
        scratch[layer.output_at + at] = keep_inside(z, 4u * quad, layer.output_count);
        return;
    }
    var a = activation(member.activation, z);
    if (task.control.training == 1u && member.dropout > 0.0) {
        let step = task.control.step;
        let factors = dropout_factors(at, layer.index + 1u, step, member.stream, dispatch.key, member.dropout);
        a.value *= factors;
        a.derivative *= factors;
    }
    // After the activation: sigmoid(0) is .5, and a padded unit must be 0.
    scratch[layer.output_at + at] = keep_inside(a.value, 4u * quad, layer.output_count);
    scratch[layer.gradient_at + at] = keep_inside(a.derivative, 4u * quad, layer.output_count);
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
    let corner = corner_of(item.tile, task.layer.output_stride);
    // A last minibatch may be short, and a member may rest.
    if (4u * corner.row_quad >= control.row_count) {
        return;
    }
    make_tile(thread, corner, task.layer.input_stride, task);
}
