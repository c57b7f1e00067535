// f(x) = tanh x; the derivative is 4t/(1 + t)^2 with t = e^(-2|x|), exact in saturation.
fn activation_tanh(x: vec4<f32>) -> Activated {
    let t = exp4(-2.0 * abs(x));
    let sum = 1.0 + t;
    return Activated(tanh4(x), 4.0 * t / (sum * sum));
}
