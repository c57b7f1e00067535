// The optimizer's step of members that clip: the gradient times its factor. One workgroup: 64 vec4 of one
// layer of one member. Twin: clip and update in src/model/trainer.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> layers: array<Layer>;
@group(0) @binding(5) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> factors: array<f32>;
@group(0) @binding(7) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> moments: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let member = members[item.member];
    let layer = layers[item.layer];
    let control = controls[dispatch.control_at + item.member];
    let element = item.tile * 64u + thread;
    let input = element / layer.output_stride;
    let quad = element % layer.output_stride;
    let bias_row = 4u * layer.input_stride;
    let padded = input >= layer.input_count && input < bias_row;
    if (control.row_count == 0u || input > bias_row || padded) {
        return;
    }
    let at = layer.parameters_at + element;
    let g = gradients[at] * factors[item.member];
    let decay = select(1.0, control.decay, input < layer.input_count);
    var m = moments[at];
    var v = moments[dispatch.second_moment_at + at];
    let stepped = optimizer(member.optimizer, step_scalars(member, control), weights[at] * decay, g, &m, &v);
    weights[at] = keep_inside(stepped, 4u * quad, layer.output_count);
    moments[at] = m;
    moments[dispatch.second_moment_at + at] = v;
}
