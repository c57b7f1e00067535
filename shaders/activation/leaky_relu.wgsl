// f(x) = x for x > 0, 0.01 x otherwise.
fn activation_leaky_relu(x: vec4<f32>) -> Activated {
    let slope = select(vec4<f32>(0.01), vec4<f32>(1.0), x > vec4<f32>(0.0));
    return Activated(x * slope, slope);
}
