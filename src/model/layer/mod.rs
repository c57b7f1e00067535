//! Layers: one file each, forward and backward, generic over the number type. The WGSL twins are the
//! kernels of the same stems in `shaders/layer/`.

pub mod dense;
pub mod dropout;

/// Every layer.
pub static ALL: &[&dyn Layer] = &[&dense::Dense, &dropout::Dropout];

/// The facts of a layer.
pub trait Layer: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// The formula, forward and backward, on one line.
    fn summary(&self) -> &'static str;
    /// The smallest training that exercises it: (hidden widths, input dropout, hidden dropout).
    fn probe(&self) -> (Vec<usize>, f64, f64);
}
