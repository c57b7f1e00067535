//! Numbers that lie in whole lines of the cache.
//!
//! The allocator gives large blocks that begin 16 bytes behind a line: every vector of 64 bytes would take two
//! lines, and a strip of a matrix a half more of the first cache. Sums do not depend on where numbers lie.

use super::real::Real;
use bytemuck::Zeroable;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A line of cache.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line([u8; 64]);

/// A vector of numbers that begins with a line of cache; what lies behind its first part, such as a second layer,
/// begins wherever that ends.
#[derive(Clone, Default)]
pub struct Buffer<R> {
    lines: Vec<Line>,
    len: usize,
    _numbers: PhantomData<R>,
}

impl<R: Real> Buffer<R> {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let line_count = (len * size_of::<R>()).div_ceil(size_of::<Line>());
        Self { lines: vec![Line::zeroed(); line_count], len, _numbers: PhantomData }
    }

    /// Cuts it to so many numbers, or adds zeros.
    pub fn resize(&mut self, len: usize) {
        let old = self.len;
        self.lines.resize((len * size_of::<R>()).div_ceil(size_of::<Line>()), Line::zeroed());
        self.len = len;
        if old < len {
            // What was cut off before may still stand there.
            self[old..].fill(R::ZERO);
        }
    }

    /// At least so many numbers: adds zeros where there are fewer.
    pub fn grow(&mut self, len: usize) {
        if self.len < len {
            self.resize(len);
        }
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }
}

impl<R: Real> From<&[R]> for Buffer<R> {
    fn from(numbers: &[R]) -> Self {
        let mut buffer = Self::zeros(numbers.len());
        buffer.copy_from_slice(numbers);
        buffer
    }
}

impl<R: Real> Deref for Buffer<R> {
    type Target = [R];
    fn deref(&self) -> &[R] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<R: Real> DerefMut for Buffer<R> {
    fn deref_mut(&mut self) -> &mut [R] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

impl<R: Real> PartialEq for Buffer<R> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<R: Real> std::fmt::Debug for Buffer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_in_lines_and_what_is_added_is_zero() {
        let mut buffer = Buffer::from([1.0_f32, 2.0, 3.0].as_slice());
        for len in [3, 2, 40, 17, 33, 0, 5] {
            let kept = buffer.len().min(len);
            let before = buffer[..kept].to_vec();
            buffer.resize(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer[..kept], before);
            assert!(buffer[kept..].iter().all(|&number| number == 0.0), "{len}");
            assert!(buffer.as_ptr().cast::<Line>().is_aligned());
            buffer.fill(7.0);
        }
        buffer.grow(2);
        assert_eq!(*buffer, [7.0; 5]);
        buffer.grow(6);
        assert_eq!(*buffer, [7.0, 7.0, 7.0, 7.0, 7.0, 0.0]);
        assert_eq!(*Buffer::<f64>::zeros(9), [0.0; 9]);
    }
}
