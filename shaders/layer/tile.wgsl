// A 32 x 32 tile of a matrix product, 4 x 4 numbers a thread, in named accumulators. The inner dimension
// is walked in order, 16 at a time, so that the order of every sum depends on its length alone.

const TILE = 32u;
const DEPTH = 16u;
// Scalar columns are padded by 4 against bank conflicts.
const COLUMN = 36u;

// Left operand, [inner][row], and right operand, [inner][column].
var<workgroup> left: array<f32, 576>;
var<workgroup> right: array<f32, 576>;

var<private> sum0: vec4<f32>;
var<private> sum1: vec4<f32>;
var<private> sum2: vec4<f32>;
var<private> sum3: vec4<f32>;

fn clear_sums() {
    sum0 = vec4<f32>(0.0);
    sum1 = vec4<f32>(0.0);
    sum2 = vec4<f32>(0.0);
    sum3 = vec4<f32>(0.0);
}

// Adds the products of the staged slices: rows 4 * row_quad.., columns 4 * column_quad...
fn multiply_slices(row_quad: u32, column_quad: u32) {
    var s0 = sum0;
    var s1 = sum1;
    var s2 = sum2;
    var s3 = sum3;
    for (var k = 0u; k < DEPTH; k++) {
        let l = k * COLUMN + 4u * row_quad;
        let r = k * COLUMN + 4u * column_quad;
        let b = vec4<f32>(right[r], right[r + 1u], right[r + 2u], right[r + 3u]);
        s0 += left[l] * b;
        s1 += left[l + 1u] * b;
        s2 += left[l + 2u] * b;
        s3 += left[l + 3u] * b;
    }
    sum0 = s0;
    sum1 = s1;
    sum2 = s2;
    sum3 = s3;
}

// Stages four numbers along the inner dimension of one row (or column).
fn stage_left_along_inner(inner: u32, row: u32, x: vec4<f32>) {
    left[inner * COLUMN + row] = x.x;
    left[(inner + 1u) * COLUMN + row] = x.y;
    left[(inner + 2u) * COLUMN + row] = x.z;
    left[(inner + 3u) * COLUMN + row] = x.w;
}

fn stage_right_along_inner(inner: u32, column: u32, x: vec4<f32>) {
    right[inner * COLUMN + column] = x.x;
    right[(inner + 1u) * COLUMN + column] = x.y;
    right[(inner + 2u) * COLUMN + column] = x.z;
    right[(inner + 3u) * COLUMN + column] = x.w;
}

// Stages four numbers across the inner dimension.
fn stage_left_across(inner: u32, row: u32, x: vec4<f32>) {
    let at = inner * COLUMN + row;
    left[at] = x.x;
    left[at + 1u] = x.y;
    left[at + 2u] = x.z;
    left[at + 3u] = x.w;
}

fn stage_right_across(inner: u32, column: u32, x: vec4<f32>) {
    let at = inner * COLUMN + column;
    right[at] = x.x;
    right[at + 1u] = x.y;
    right[at + 2u] = x.z;
    right[at + 3u] = x.w;
}
