// w -= rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g.
fn optimizer_lion(s: StepScalars, w: vec4<f32>, g: vec4<f32>, m: ptr<function, vec4<f32>>, v: ptr<function, vec4<f32>>) -> vec4<f32> {
    let direction = s.beta1 * *m + (1.0 - s.beta1) * g;
    *m = s.beta2 * *m + (1.0 - s.beta2) * g;
    return w - s.rate * sign(direction);
}
