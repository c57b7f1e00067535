// A thread's part of a tile: 4 rows by 4 columns.
const THREAD_ROW_QUADS = 1u;
const THREAD_COLUMN_QUADS = 1u;

// One vec4 for each row.
struct Sums {
    s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>,
}

// Adds the products at one place of the inner dimension: of the left slice at `l`, the right one at `r`.
fn add_line(s: Sums, l: u32, r: u32) -> Sums {
    let a0 = left[l];
    let b0 = right[r];
    return Sums(
        s.s0 + a0.x * b0, s.s1 + a0.y * b0, s.s2 + a0.z * b0, s.s3 + a0.w * b0,
    );
}

// Named, never indexed: an indexed array would leave the registers.
fn sums_of(s: Sums, i: u32) -> vec4<f32> {
    switch i {
        case 0u, default: { return s.s0; }
        case 1u: { return s.s1; }
        case 2u: { return s.s2; }
        case 3u: { return s.s3; }
    }
}
