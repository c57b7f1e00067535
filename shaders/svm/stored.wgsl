// Bases of a training row with four columns, from the matrix of all of the fold.

@group(0) @binding(2) var<storage, read> bases: array<vec4<f32>>; // (training row, column)

fn base4(row: u32, column: u32) -> vec4<f32> {
    return bases[row * machines.column_count + column];
}
