// f(x) = l x for x > 0, l a (e^x - 1) otherwise.
fn activation_selu(x: vec4<f32>) -> Activated {
    let l = 1.0507009873554805;
    let la = 1.7580993408473766;
    let below = la * exp_m1_4(x);
    let positive = x > vec4<f32>(0.0);
    return Activated(select(below, l * x, positive), select(la * exp4(x), vec4<f32>(l), positive));
}
