// Z = X W + b, then the activation and its derivative, then dropout on both; the output layer stops at Z.
// One workgroup: 32 rows by 32 outputs of one layer of one member. Twin: forward in
// src/model/layer/dense.rs and src/model/network.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> layers: array<Layer>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;

fn finish_row(row: u32, quad: u32, z: vec4<f32>, layer: Layer, member: Member, control: Control) {
    if (row >= control.row_count || quad >= layer.output_stride) {
        return;
    }
    let at = row * layer.output_stride + quad;
    if (layer.hidden == 0u) {
        scratch[layer.output_at + at] = keep_inside(z, 4u * quad, layer.output_count);
        return;
    }
    var a = activation(member.activation, z);
    if (control.training == 1u && member.dropout > 0.0) {
        let factors = dropout_factors(at, layer.index + 1u, control.step, member.stream, dispatch.key, member.dropout);
        a.value *= factors;
        a.derivative *= factors;
    }
    // After the activation: sigmoid(0) is .5, and a padded unit must be 0.
    scratch[layer.output_at + at] = keep_inside(a.value, 4u * quad, layer.output_count);
    scratch[layer.gradient_at + at] = keep_inside(a.derivative, 4u * quad, layer.output_count);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let layer = layers[item.layer];
    let member = members[item.member];
    let control = controls[dispatch.control_at + item.member];
    let tiles = (layer.output_stride + 7u) / 8u;
    let first_row = item.tile / tiles * TILE;
    let first_quad = item.tile % tiles * 8u;
    if (first_row >= control.row_count) {
        return;
    }
    let row_quad = thread / 8u;
    let column_quad = thread % 8u;
    clear_sums();
    for (var inner = 0u; inner < 4u * layer.input_stride; inner += DEPTH) {
        for (var half = 0u; half < 2u; half++) {
            // X: 32 rows of 4 vec4.
            let row = thread / 4u + 16u * half;
            let input_quad = inner / 4u + thread % 4u;
            var x = vec4<f32>(0.0);
            if (first_row + row < control.row_count && input_quad < layer.input_stride) {
                x = scratch[layer.input_at + (first_row + row) * layer.input_stride + input_quad];
            }
            stage_left_along_inner(4u * (thread % 4u), row, x);
            // W: 16 rows of 8 vec4.
            let k = thread / 8u + 8u * half;
            let quad = first_quad + column_quad;
            var w = vec4<f32>(0.0);
            if (inner + k < 4u * layer.input_stride && quad < layer.output_stride) {
                w = weights[layer.parameters_at + (inner + k) * layer.output_stride + quad];
            }
            stage_right_across(k, 4u * column_quad, w);
        }
        workgroupBarrier();
        multiply_slices(row_quad, column_quad);
        workgroupBarrier();
    }
    let quad = first_quad + column_quad;
    if (quad >= layer.output_stride) {
        return;
    }
    let bias = weights[layer.parameters_at + 4u * layer.input_stride * layer.output_stride + quad];
    let row = first_row + 4u * row_quad;
    finish_row(row, quad, sum0 + bias, layer, member, control);
    finish_row(row + 1u, quad, sum1 + bias, layer, member, control);
    finish_row(row + 2u, quad, sum2 + bias, layer, member, control);
    finish_row(row + 3u, quad, sum3 + bias, layer, member, control);
}
