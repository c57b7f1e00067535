// f(x) = x Phi(x), the exact (erf) form.
fn activation_gelu(x: vec4<f32>) -> Activated {
    let phi = 0.5 * erfc4(x * -0.70710678118654752);
    let density = 0.3989422804014327 * exp4(-0.5 * x * x);
    return Activated(x * phi, phi + x * density);
}
