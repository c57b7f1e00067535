// f(x) = x for x > 0, e^x - 1 otherwise.
fn activation_elu(x: vec4<f32>) -> Activated {
    let below = exp_m1_4(x);
    let positive = x > vec4<f32>(0.0);
    return Activated(select(below, x, positive), select(exp4(x), vec4<f32>(1.0), positive));
}
