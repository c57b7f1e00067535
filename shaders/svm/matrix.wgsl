// The matrix of bases of a fold, some rows at a time. One invocation: a row and four columns.

@group(0) @binding(1) var<storage, read_write> matrix: array<vec4<f32>>; // (training row, column)

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = (group.x + group.y * DISPATCH_WIDTH) * 64u + lane;
    if (at < machines.count * machines.column_count) {
        let row = machines.start + at / machines.column_count;
        let column = at % machines.column_count;
        matrix[row * machines.column_count + column] = base4(row, column);
    }
}
