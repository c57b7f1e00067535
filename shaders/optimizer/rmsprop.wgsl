// v = beta2 v + (1 - beta2) g^2; m = momentum m + g/(sqrt v + epsilon); w -= rate m.
fn optimizer_rmsprop(s: StepScalars, w: vec4<f32>, g: vec4<f32>, m: ptr<function, vec4<f32>>, v: ptr<function, vec4<f32>>) -> vec4<f32> {
    *v = s.beta2 * *v + (1.0 - s.beta2) * g * g;
    *m = s.momentum * *m + g / (sqrt(*v) + s.epsilon);
    return w - s.rate * *m;
}
