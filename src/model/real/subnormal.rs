//! Numbers below the smallest normal one count as 0 while f32 members train, as on most graphics devices.
//!
//! A converged member is full of them: gradients of e⁻⁸⁰, their squares, and moments that decay until
//! rounding holds them at 10⁻⁴⁵ for good. x86 processors compute each with some 150 cycles of microcode,
//! which halved the speed of a small network that had learned its table.

use std::marker::PhantomData;

/// The bits of the control register that flush results and operands: FTZ and DAZ of MXCSR.
#[cfg(target_arch = "x86_64")]
const FLUSH: u32 = 1 << 15 | 1 << 6;
/// FZ of FPCR.
#[cfg(target_arch = "aarch64")]
const FLUSH: u64 = 1 << 24;

#[cfg(target_arch = "x86_64")]
type Control = u32;
#[cfg(not(target_arch = "x86_64"))]
type Control = u64;

/// Subnormal numbers are 0 on this thread for as long as this lives; it stays on its thread.
#[must_use]
pub struct Flushing {
    before: Option<Control>,
    _not_send: PhantomData<*const ()>,
}

impl Flushing {
    /// Changes nothing.
    pub(super) fn none() -> Self {
        Self { before: None, _not_send: PhantomData }
    }

    /// Begins; nothing is done where it has begun already, or on processors that need no help.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub(super) fn begin() -> Self {
        let before = control();
        let changes = before & FLUSH != FLUSH;
        if changes {
            set_control(before | FLUSH);
        }
        Self { before: changes.then_some(before), _not_send: PhantomData }
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(super) fn begin() -> Self {
        Self::none()
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if let Some(before) = self.before {
            set_control(before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn control() -> Control {
    let mut control = 0;
    // SAFETY: stores the control register into the local variable.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut control, options(nostack, preserves_flags)) };
    control
}

#[cfg(target_arch = "x86_64")]
fn set_control(control: Control) {
    // SAFETY: only FLUSH ever changes: rounding and the masks of exceptions stay as the compiler assumes
    // them, and what it may fold at compile time is no result that is promised to the bit.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &control, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
fn control() -> Control {
    let control;
    // SAFETY: reads a register.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack, preserves_flags)) };
    control
}

#[cfg(target_arch = "aarch64")]
fn set_control(control: Control) {
    // SAFETY: only FLUSH ever changes: rounding and the masks of exceptions stay as the compiler assumes.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) control, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn subnormals_are_zero_while_it_lives_and_not_before_or_after() {
        let product = || black_box(1e-30_f32) * black_box(1e-10_f32);
        assert!(product() > 0.0);
        let outer = Flushing::begin();
        drop(Flushing::begin());
        assert_eq!(product().to_bits(), 0);
        drop(outer);
        assert!(product() > 0.0);
    }
}
