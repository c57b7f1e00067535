// dX = dZ W^T, times the derivative that the forward pass left: dL/dz of the layer below, in its place.
// One workgroup: 32 rows by 32 inputs of one layer of one member. Twin: backward_input in
// src/model/layer/dense.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> work: array<Work>;
@group(0) @binding(2) var<storage, read> controls: array<Control>;
@group(0) @binding(3) var<storage, read> layers: array<Layer>;
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;

fn finish_row(row: u32, quad: u32, d_x: vec4<f32>, layer: Layer, control: Control) {
    if (row < control.row_count) {
        scratch[layer.input_gradient_at + row * layer.input_stride + quad] *= d_x;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let layer = layers[item.layer];
    let control = controls[dispatch.control_at + item.member];
    let tiles = (layer.input_stride + 7u) / 8u;
    let first_row = item.tile / tiles * TILE;
    let first_quad = item.tile % tiles * 8u;
    if (first_row >= control.row_count) {
        return;
    }
    let row_quad = thread / 8u;
    let column_quad = thread % 8u;
    clear_sums();
    for (var inner = 0u; inner < 4u * layer.output_stride; inner += DEPTH) {
        for (var half = 0u; half < 2u; half++) {
            // dZ: 32 rows of 4 vec4; W: 32 inputs of 4 vec4.
            let line = thread / 4u + 16u * half;
            let output_quad = inner / 4u + thread % 4u;
            var d = vec4<f32>(0.0);
            if (first_row + line < control.row_count && output_quad < layer.output_stride) {
                d = scratch[layer.gradient_at + (first_row + line) * layer.output_stride + output_quad];
            }
            stage_left_along_inner(4u * (thread % 4u), line, d);
            var w = vec4<f32>(0.0);
            if (4u * first_quad + line < 4u * layer.input_stride && output_quad < layer.output_stride) {
                w = weights[layer.parameters_at + (4u * first_quad + line) * layer.output_stride + output_quad];
            }
            stage_right_along_inner(4u * (thread % 4u), line, w);
        }
        workgroupBarrier();
        multiply_slices(row_quad, column_quad);
        workgroupBarrier();
    }
    let quad = first_quad + column_quad;
    if (quad >= layer.input_stride) {
        return;
    }
    let row = first_row + 4u * row_quad;
    finish_row(row, quad, sum0, layer, control);
    finish_row(row + 1u, quad, sum1, layer, control);
    finish_row(row + 2u, quad, sum2, layer, control);
    finish_row(row + 3u, quad, sum3, layer, control);
}
