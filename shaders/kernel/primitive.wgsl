// One of the functions that kernels are made of, over a list of operands: what the verifier sweeps.
// One invocation: four lanes. Twin: compute in src/model/primitive.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> operands: array<vec4<u32>>; // (element, operand)
@group(0) @binding(2) var<storage, read_write> outcomes: array<vec4<u32>>; // (element)

// 0, which no compiler can know: see svm/double_single.wgsl.
fn seal_word() -> u32 {
    return dispatch.control_at;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // The code of the primitive stands where other kernels find their work.
    if (id.x < dispatch.work_count) {
        outcomes[id.x] = primitive(dispatch.work_at, operands[2u * id.x], operands[2u * id.x + 1u]);
    }
}
