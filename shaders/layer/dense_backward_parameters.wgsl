// dW = X^T dZ and db = the sum of dZ over rows (as one more input that is always 1), penalties added, then
// the optimizer's step at once; for a member that clips, the gradient is left for the clip kernels.
// One workgroup: 32 inputs by 32 outputs of one layer of one member. Twin: backward_parameters in
// src/model/layer/dense.rs, add_penalties and update in src/model/trainer.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> layers: array<Layer>;
@group(0) @binding(5) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> scratch: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> gradients: array<vec4<f32>>;

// Row `input` of the gradient: a weight row, or the bias row at 4 * input_stride.
fn finish_row(input: u32, quad: u32, d: vec4<f32>, layer: Layer, member: Member, control: Control) {
    let bias_row = 4u * layer.input_stride;
    if (input > bias_row) {
        return;
    }
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
        decay = control.decay;
    }
    if (member.clip_norm > 0.0) {
        gradients[at] = g;
        return;
    }
    var m = moments[at];
    var v = moments[dispatch.second_moment_at + at];
    let stepped = optimizer(member.optimizer, step_scalars(member, control), w * decay, g, &m, &v);
    weights[at] = keep_inside(stepped, 4u * quad, layer.output_count);
    moments[at] = m;
    moments[dispatch.second_moment_at + at] = v;
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
    if (control.row_count == 0u) {
        return;
    }
    let tiles = (layer.output_stride + 7u) / 8u;
    let first_input = item.tile / tiles * TILE;
    let first_quad = item.tile % tiles * 8u;
    let row_quad = thread / 8u;
    let column_quad = thread % 8u;
    clear_sums();
    for (var inner = 0u; inner < control.row_count; inner += DEPTH) {
        for (var half = 0u; half < 2u; half++) {
            // X and dZ: 16 rows of 8 vec4 each.
            let k = row_quad + 8u * half;
            let row = inner + k;
            let input_quad = first_input / 4u + column_quad;
            var x = vec4<f32>(0.0);
            var d = vec4<f32>(0.0);
            if (row < control.row_count) {
                if (input_quad < layer.input_stride) {
                    x = scratch[layer.input_at + row * layer.input_stride + input_quad];
                } else if (input_quad == layer.input_stride) {
                    x.x = 1.0;
                }
                if (first_quad + column_quad < layer.output_stride) {
                    d = scratch[layer.gradient_at + row * layer.output_stride + first_quad + column_quad];
                }
            }
            stage_left_across(k, 4u * column_quad, x);
            stage_right_across(k, 4u * column_quad, d);
        }
        workgroupBarrier();
        multiply_slices(row_quad, column_quad);
        workgroupBarrier();
    }
    let quad = first_quad + column_quad;
    if (quad >= layer.output_stride) {
        return;
    }
    let input = first_input + 4u * row_quad;
    finish_row(input, quad, sum0, layer, member, control);
    finish_row(input + 1u, quad, sum1, layer, member, control);
    finish_row(input + 2u, quad, sum2, layer, member, control);
    finish_row(input + 3u, quad, sum3, layer, member, control);
}
