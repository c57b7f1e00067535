// f(x) = max(x, 0); the derivative at 0 is 0.
fn activation_relu(x: vec4<f32>) -> Activated {
    let positive = x > vec4<f32>(0.0);
    return Activated(select(x * 0.0, x, positive), select(vec4<f32>(0.0), vec4<f32>(1.0), positive));
}
