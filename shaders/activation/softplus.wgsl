// f(x) = max(x, 0) + ln(1 + e^-|x|).
fn activation_softplus(x: vec4<f32>) -> Activated {
    let t = exp4(-abs(x));
    let high = 1.0 / (1.0 + t);
    return Activated(max(x, vec4<f32>(0.0)) + ln_1p_unit4(t), select(high, t * high, x < vec4<f32>(0.0)));
}
