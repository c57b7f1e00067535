// Adam; the decay is decoupled and has been applied to w.
fn optimizer_adamw(s: StepScalars, w: vec4<f32>, g: vec4<f32>, m: ptr<function, vec4<f32>>, v: ptr<function, vec4<f32>>) -> vec4<f32> {
    return optimizer_adam(s, w, g, m, v);
}
