// Decision values of the validation rows, without the offset. One invocation: four rows of one problem.
// Twin: decisions in src/model/svm/group.rs.

@group(0) @binding(3) var<storage, read> state: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> outcomes: array<vec4<f32>>; // (problem) (row) high, (row) low

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row_quads = machines.column_count - machines.validation_at;
    let at = (group.x + group.y * DISPATCH_WIDTH) * 64u + lane;
    if (at >= machines.count * row_quads) {
        return;
    }
    let problem = problems[machines.start + at / row_quads];
    let quad = at % row_quads;
    let place = problem.outcomes_at + quad;
    var sum = Pair4(vec4<f32>(0.0), vec4<f32>(0.0));
    if (machines.row_start != 0u) {
        sum = Pair4(outcomes[place], outcomes[place + row_quads]);
    }
    let end = min(machines.row_end, 4u * problem.quad_count);
    for (var row = machines.row_start; row < end; row++) {
        var a = Pair(0.0, 0.0);
        for (var layer = 0u; layer < problem.layer_count; layer++) {
            let at = problem.state_at + (4u * layer + 2u) * problem.quad_count + row / 4u;
            a = pair_add(a, Pair(state[at][row % 4u], state[at + problem.quad_count][row % 4u]));
        }
        if (a.high != 0.0) {
            let values = kernel_values(problem, row_of(problem, row), machines.validation_at + quad);
            sum = pair_add4(sum, pair_multiply4(wide(a), Pair4(values, vec4<f32>(0.0))));
        }
    }
    outcomes[place] = sum.high;
    outcomes[place + row_quads] = sum.low;
}
