// f(x) = x/(1 + e^-x).
fn activation_silu(x: vec4<f32>) -> Activated {
    let t = exp4(-abs(x));
    let high = 1.0 / (1.0 + t);
    let low = t * high;
    let s = select(high, low, x < vec4<f32>(0.0));
    return Activated(x * s, s + x * (low * high));
}
