// f(x) = 1/(1 + e^-x), formed from e^-|x|.
fn activation_sigmoid(x: vec4<f32>) -> Activated {
    let t = exp4(-abs(x));
    let high = 1.0 / (1.0 + t);
    let low = t * high;
    return Activated(select(high, low, x < vec4<f32>(0.0)), low * high);
}
