// Elementary functions with bounded error, four numbers at a time: what WGSL's own do not promise.
// Twin of the f32 side of src/model/real/single.rs, constant by constant.

const LOG2_E = 1.44269504088896340736;
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440e-4;
// 1.5 * 2^23: adding it rounds to the nearest integer.
const ROUNDER = 12582912.0;

// Whether neither NaN nor infinite, by bits: comparisons with NaN are not to be trusted.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// e^x. Cody-Waite reduction, the Cephes polynomial.
fn exp4(x: vec4<f32>) -> vec4<f32> {
    let c = clamp(x, vec4<f32>(-87.5), vec4<f32>(88.5));
    // round() is exact and, unlike adding and subtracting ROUNDER, cannot be reassociated away.
    let n = round(c * LOG2_E);
    let r = (c - n * LN_2_HIGH) - n * LN_2_LOW;
    var p = vec4<f32>(1.98756910e-4);
    p = p * r + 1.39820000e-3;
    p = p * r + 8.33345200e-3;
    p = p * r + 4.16657960e-2;
    p = p * r + 1.66666650e-1;
    p = p * r + 0.5;
    let value = (p * (r * r) + r) + 1.0;
    let i = vec4<i32>(n);
    let half = i >> vec4<u32>(1u);
    let low = bitcast<vec4<f32>>((half + 127) << vec4<u32>(23u));
    let high = bitcast<vec4<f32>>((i - half + 127) << vec4<u32>(23u));
    return select(value * low * high, vec4<f32>(0.0), x < vec4<f32>(-87.5));
}

// e^x - 1. Taylor near 0.
fn exp_m1_4(x: vec4<f32>) -> vec4<f32> {
    var p = vec4<f32>(1.0 / 362880.0);
    p = p * x + 1.0 / 40320.0;
    p = p * x + 1.0 / 5040.0;
    p = p * x + 1.0 / 720.0;
    p = p * x + 1.0 / 120.0;
    p = p * x + 1.0 / 24.0;
    p = p * x + 1.0 / 6.0;
    p = p * x + 0.5;
    let near = p * (x * x) + x;
    return select(exp4(x) - 1.0, near, abs(x) < vec4<f32>(0.5));
}

// 2 atanh(s), |s| <= 1/3.
fn atanh_series4(s: vec4<f32>) -> vec4<f32> {
    let z = s * s;
    var p = vec4<f32>(1.0 / 17.0);
    p = p * z + 1.0 / 15.0;
    p = p * z + 1.0 / 13.0;
    p = p * z + 1.0 / 11.0;
    p = p * z + 1.0 / 9.0;
    p = p * z + 1.0 / 7.0;
    p = p * z + 1.0 / 5.0;
    p = p * z + 1.0 / 3.0;
    return 2.0 * (p * (z * s) + s);
}

// ln(1 + x), x in [0, 1].
fn ln_1p_unit4(x: vec4<f32>) -> vec4<f32> {
    return atanh_series4(x / (2.0 + x));
}

// ln x, x > 0 and normal.
fn ln4(x: vec4<f32>) -> vec4<f32> {
    let offset = bitcast<vec4<u32>>(x) - 0x3f3504f3u;
    let n = vec4<f32>(bitcast<vec4<i32>>(offset) >> vec4<u32>(23u));
    let mantissa = bitcast<vec4<f32>>((offset & vec4<u32>(0x007fffffu)) + 0x3f3504f3u);
    let series = atanh_series4((mantissa - 1.0) / (mantissa + 1.0));
    return n * LN_2_LOW + series + n * LN_2_HIGH;
}

// The complementary error function; Numerical Recipes' erfcc.
fn erfc4(x: vec4<f32>) -> vec4<f32> {
    let z = abs(x);
    let t = 1.0 / (1.0 + 0.5 * z);
    var p = vec4<f32>(0.17087277);
    p = p * t - 0.82215223;
    p = p * t + 1.48851587;
    p = p * t - 1.13520398;
    p = p * t + 0.27886807;
    p = p * t - 0.18628806;
    p = p * t + 0.09678418;
    p = p * t + 0.37409196;
    p = p * t + 1.00002368;
    p = p * t - 1.26551223;
    let tail = t * exp4(p - z * z);
    return select(2.0 - tail, tail, x >= vec4<f32>(0.0));
}

// tanh x. Polynomial near 0, exp beyond, clamped.
fn tanh4(x: vec4<f32>) -> vec4<f32> {
    let magnitude = abs(x);
    let z = x * x;
    var p = vec4<f32>(-5.70498872745e-3);
    p = p * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    let near = p * (z * x) + x;
    let far = 1.0 - 2.0 / (exp4(2.0 * min(magnitude, vec4<f32>(10.0))) + 1.0);
    return select(select(far, -far, x < vec4<f32>(0.0)), near, magnitude < vec4<f32>(0.625));
}

fn exp1(x: f32) -> f32 {
    return exp4(vec4<f32>(x)).x;
}

fn ln1(x: f32) -> f32 {
    return ln4(vec4<f32>(x)).x;
}

fn ln_1p_unit1(x: f32) -> f32 {
    return ln_1p_unit4(vec4<f32>(x)).x;
}
