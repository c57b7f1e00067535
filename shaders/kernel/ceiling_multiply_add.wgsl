// The device's peak: multiply-adds and nothing else. One invocation: 16 independent chains of vec4, named so
// that they stay in registers; enough of them to hide the latency of one. Each counts by `summand`, exactly,
// and all are in the sum, so that no compiler leaves one out. Checked by src/engine/gpu/ceiling.rs.

struct Load {
    iterations: u32,
    factor: f32, // 1, which the compiler must not know
    summand: f32, // 1
    unused: u32,
}

@group(0) @binding(0) var<uniform> load: Load;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>; // (invocation)

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = vec4<f32>(load.factor);
    let b = vec4<f32>(load.summand);
    var x0 = vec4<f32>(f32(id.x & 255u)) + vec4<f32>(0.0, 1.0, 2.0, 3.0);
    var x1 = x0 + 1.0;
    var x2 = x0 + 2.0;
    var x3 = x0 + 3.0;
    var x4 = x0 + 4.0;
    var x5 = x0 + 5.0;
    var x6 = x0 + 6.0;
    var x7 = x0 + 7.0;
    var x8 = x0 + 8.0;
    var x9 = x0 + 9.0;
    var x10 = x0 + 10.0;
    var x11 = x0 + 11.0;
    var x12 = x0 + 12.0;
    var x13 = x0 + 13.0;
    var x14 = x0 + 14.0;
    var x15 = x0 + 15.0;
    for (var i = 0u; i < load.iterations; i++) {
        x0 = fma(x0, a, b);
        x1 = fma(x1, a, b);
        x2 = fma(x2, a, b);
        x3 = fma(x3, a, b);
        x4 = fma(x4, a, b);
        x5 = fma(x5, a, b);
        x6 = fma(x6, a, b);
        x7 = fma(x7, a, b);
        x8 = fma(x8, a, b);
        x9 = fma(x9, a, b);
        x10 = fma(x10, a, b);
        x11 = fma(x11, a, b);
        x12 = fma(x12, a, b);
        x13 = fma(x13, a, b);
        x14 = fma(x14, a, b);
        x15 = fma(x15, a, b);
    }
    let low = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7));
    let high = ((x8 + x9) + (x10 + x11)) + ((x12 + x13) + (x14 + x15));
    sums[id.x] = low + high;
}
