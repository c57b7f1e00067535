// tanh(gamma * base + coef0), of an inner product.
fn kernel_sigmoid(s: KernelScalars, base: vec4<f32>) -> vec4<f32> {
    return tanh4(seal4(seal4(s.gamma * base) + s.coef0));
}
