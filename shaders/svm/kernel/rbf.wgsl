// exp(-gamma * base), of a squared distance, rounded about once.
//
// With C = 2^15 and by exp4, which is off by a unit, objectives move by 4e-5 of themselves; by this 1e-5 (three
// classes of tests/svm_gpu.rs). The exponent and what is added to 1 are pairs; the series is Taylor's, whose first
// term left out is 2e-10.
fn kernel_rbf(s: KernelScalars, base: vec4<f32>) -> vec4<f32> {
    let exponent = two_product4(vec4<f32>(-s.gamma), base);
    let n = round(max(exponent.high, vec4<f32>(-87.5)) * LOG2_E);
    // n * LN_2_HIGH has 16 bits.
    let r = two_sum4(seal4(exponent.high - n * LN_2_HIGH), seal4(-n * LN_2_LOW));
    var p = vec4<f32>(1.0 / 40320.0);
    p = p * r.high + 1.0 / 5040.0;
    p = p * r.high + 1.0 / 720.0;
    p = p * r.high + 1.0 / 120.0;
    p = p * r.high + 1.0 / 24.0;
    p = p * r.high + 1.0 / 6.0;
    p = p * r.high + 0.5;
    let rest = seal4(p * seal4(r.high * r.high)) + seal4(r.low + exponent.low);
    let one = two_sum4(vec4<f32>(1.0), r.high);
    let value = seal4(one.high + seal4(one.low + seal4(rest)));
    let scale = bitcast<vec4<f32>>((vec4<i32>(n) + 127) << vec4<u32>(23u));
    return select(value * scale, vec4<f32>(0.0), exponent.high < vec4<f32>(-87.0));
}
