// A thread's part of a tile: 8 rows by 8 columns, as two quads either way, THREAD_ROWS and THREAD_COLUMNS
// apart, so that neighbouring threads read and write neighbouring vec4.
const THREAD_ROW_QUADS = 2u;
const THREAD_COLUMN_QUADS = 2u;

// One vec4 for each row, part by part: parts are four rows by four columns, those side by side first.
struct Sums {
    s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>,
    s4: vec4<f32>, s5: vec4<f32>, s6: vec4<f32>, s7: vec4<f32>,
    s8: vec4<f32>, s9: vec4<f32>, s10: vec4<f32>, s11: vec4<f32>,
    s12: vec4<f32>, s13: vec4<f32>, s14: vec4<f32>, s15: vec4<f32>,
}

// Adds the products at one place of the inner dimension: of the left slice at `l`, the right one at `r`.
fn add_line(s: Sums, l: u32, r: u32) -> Sums {
    let a0 = left[l];
    let a1 = left[l + THREAD_ROWS];
    let b0 = right[r];
    let b1 = right[r + THREAD_COLUMNS];
    return Sums(
        s.s0 + a0.x * b0, s.s1 + a0.y * b0, s.s2 + a0.z * b0, s.s3 + a0.w * b0,
        s.s4 + a0.x * b1, s.s5 + a0.y * b1, s.s6 + a0.z * b1, s.s7 + a0.w * b1,
        s.s8 + a1.x * b0, s.s9 + a1.y * b0, s.s10 + a1.z * b0, s.s11 + a1.w * b0,
        s.s12 + a1.x * b1, s.s13 + a1.y * b1, s.s14 + a1.z * b1, s.s15 + a1.w * b1,
    );
}

// Named, never indexed: an indexed array would leave the registers.
fn sums_of(s: Sums, i: u32) -> vec4<f32> {
    switch i {
        case 0u, default: { return s.s0; }
        case 1u: { return s.s1; }
        case 2u: { return s.s2; }
        case 3u: { return s.s3; }
        case 4u: { return s.s4; }
        case 5u: { return s.s5; }
        case 6u: { return s.s6; }
        case 7u: { return s.s7; }
        case 8u: { return s.s8; }
        case 9u: { return s.s9; }
        case 10u: { return s.s10; }
        case 11u: { return s.s11; }
        case 12u: { return s.s12; }
        case 13u: { return s.s13; }
        case 14u: { return s.s14; }
        case 15u: { return s.s15; }
    }
}
