// The kernel values of a problem's rows with each other, as the solver sees them: for the verifier.
// One invocation: a row and four others.

@group(0) @binding(3) var<storage, read_write> outcomes: array<vec4<f32>>; // (row, quad)

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let problem = problems[0];
    let at = (group.x + group.y * DISPATCH_WIDTH) * 64u + lane;
    if (at < machines.count * problem.quad_count) {
        let row = machines.start + at / problem.quad_count;
        let quad = at % problem.quad_count;
        outcomes[row * problem.quad_count + quad] =
            kernel_values(problem, row_of(problem, row), column_of(problem, quad));
    }
}
