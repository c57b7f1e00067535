// v += g^2; w -= rate g/(sqrt v + epsilon).
fn optimizer_adagrad(s: StepScalars, w: vec4<f32>, g: vec4<f32>, m: ptr<function, vec4<f32>>, v: ptr<function, vec4<f32>>) -> vec4<f32> {
    *v += g * g;
    return w - s.rate * g / (sqrt(*v) + s.epsilon);
}
