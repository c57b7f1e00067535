// The factor that clips a member's gradient to its norm: min(1, clip_norm/|g|). One workgroup: one member;
// each thread's own elements ascending, then a tree. Twin: clip in src/model/trainer.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> factors: array<f32>; // (member of the table)

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let member = members[item.member];
    if (controls[dispatch.control_at + item.member].row_count == 0u) {
        return;
    }
    // In units of clip_norm: g^2 neither overflows nor vanishes around the limit.
    let unit = 1.0 / member.clip_norm;
    var sum = 0.0;
    for (var e = thread; e < member.parameters_length; e += 64u) {
        let g = gradients[member.parameters_at + e] * unit;
        sum += dot(g, g);
    }
    partial[thread] = sum;
    for (var width = 32u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial[thread] += partial[thread + width];
        }
    }
    if (thread == 0u) {
        factors[item.member] = select(1.0, 1.0 / sqrt(partial[0]), partial[0] > 1.0);
    }
}
