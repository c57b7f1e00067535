// (gamma * base + coef0)^degree, of an inner product.
fn kernel_polynomial(s: KernelScalars, base: vec4<f32>) -> vec4<f32> {
    let x = seal4(seal4(s.gamma * base) + s.coef0);
    var power = vec4<f32>(1.0);
    for (var i = 0u; i < s.degree; i++) {
        power = seal4(power * x);
    }
    return power;
}
