// m = momentum m + g; w -= rate m, or rate (g + momentum m) with nesterov.
fn optimizer_sgd(s: StepScalars, w: vec4<f32>, g: vec4<f32>, m: ptr<function, vec4<f32>>, v: ptr<function, vec4<f32>>) -> vec4<f32> {
    *m = s.momentum * *m + g;
    let ahead = g + s.momentum * *m;
    return w - s.rate * (s.nesterov * ahead + (1.0 - s.nesterov) * *m);
}
