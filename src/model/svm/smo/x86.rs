//! The passes at f32 for AVX-512: a bit of I_up or I_low is a bit of a mask register.
//!
//! Every number is rounded as in the plain loops (no fused multiply-add), and maxima depend on no order: the
//! bits are the same.

use super::CURVATURE_FLOOR;
use super::passes::{Partner, ROUGH_RECIPROCAL, Variables, WORD};
use std::arch::x86_64::*;

/// Numbers of f64 in a register.
const WIDE: usize = 8;
/// Numbers of f32 in a register.
const NARROW: usize = 16;

#[inline]
#[target_feature(enable = "avx512f")]
fn load(numbers: &[f64], at: usize) -> __m512d {
    let numbers: &[f64] = &numbers[at..at + WIDE];
    // SAFETY: the slice has as many numbers as the register.
    unsafe { _mm512_loadu_pd(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_narrow(numbers: &[f32], at: usize) -> __m512 {
    let numbers: &[f32] = &numbers[at..at + NARROW];
    // SAFETY: the slice has as many numbers as the register.
    unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
}

/// Eight f32 as f64, exact.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_widened(numbers: &[f32], at: usize) -> __m512d {
    let numbers: &[f32] = &numbers[at..at + WIDE];
    // SAFETY: the slice has as many numbers as the register.
    _mm512_cvtps_pd(unsafe { _mm256_loadu_ps(numbers.as_ptr()) })
}

/// See [`Passes::advance`](super::passes::Passes::advance).
#[target_feature(enable = "avx512f")]
pub fn advance(
    layer: Variables<'_>,
    k_i: &[f32],
    k_j: &[f32],
    t: f64,
    (most, least): (f64, f64),
) -> (f64, f64) {
    let Variables { f, up, low } = layer;
    let t = _mm512_set1_pd(t);
    // Several of each, so that one maximum need not wait for the last.
    let mut mosts = [_mm512_set1_pd(most); WORD / WIDE];
    let mut leasts = [_mm512_set1_pd(least); WORD / WIDE];
    let words = f.as_chunks_mut::<WORD>().0.iter_mut().zip(up).zip(low);
    let rows = k_i.as_chunks::<WORD>().0.iter().zip(k_j.as_chunks::<WORD>().0);
    for (((f, &up), &low), (k_i, k_j)) in words.zip(rows) {
        for (part, (most, least)) in mosts.iter_mut().zip(&mut leasts).enumerate() {
            let at = part * WIDE;
            let difference = _mm512_sub_pd(load_widened(k_i, at), load_widened(k_j, at));
            let value = _mm512_sub_pd(load(f, at), _mm512_mul_pd(t, difference));
            let out: &mut [f64] = &mut f[at..at + WIDE];
            // SAFETY: the slice has as many numbers as the register.
            unsafe { _mm512_storeu_pd(out.as_mut_ptr(), value) };
            *most = _mm512_mask_max_pd(*most, (up >> at) as u8, *most, value);
            *least = _mm512_mask_min_pd(*least, (low >> at) as u8, *least, value);
        }
    }
    let [a, b, c, d] = mosts;
    let most = _mm512_reduce_max_pd(_mm512_max_pd(_mm512_max_pd(a, b), _mm512_max_pd(c, d)));
    let [a, b, c, d] = leasts;
    (most, _mm512_reduce_min_pd(_mm512_min_pd(_mm512_min_pd(a, b), _mm512_min_pd(c, d))))
}

/// See [`Passes::place`](super::passes::Passes::place).
#[target_feature(enable = "avx512f")]
pub fn place(f: &[f64], set: &[u32], wanted: f64) -> usize {
    let wanted = _mm512_set1_pd(wanted);
    for (word, (f, &set)) in f.as_chunks::<WORD>().0.iter().zip(set).enumerate() {
        let equal = |part: usize| u32::from(_mm512_cmpeq_pd_mask(load(f, part * WIDE), wanted));
        let found = (equal(0) | equal(1) << 8 | equal(2) << 16 | equal(3) << 24) & set;
        if found != 0 {
            return word * WORD + found.trailing_zeros() as usize;
        }
    }
    0
}

/// See [`Passes::gains`](super::passes::Passes::gains).
#[target_feature(enable = "avx512f,avx512dq")]
pub fn gains(layer: Variables<'_>, row: &Partner<'_, f32>, gains: &mut [f32], best: f32) -> f32 {
    let most = _mm512_set1_pd(row.most);
    let own = _mm512_set1_ps(row.own);
    let floor = _mm512_set1_ps(CURVATURE_FLOOR as f32);
    let magic = _mm512_set1_epi32(ROUGH_RECIPROCAL as i32);
    let two = _mm512_set1_ps(2.0);
    let mut bests = [_mm512_set1_ps(best); WORD / NARROW];
    let words = layer.f.as_chunks::<WORD>().0.iter().zip(layer.low);
    let rows = row.k_i.as_chunks::<WORD>().0.iter().zip(row.diagonal.as_chunks::<WORD>().0);
    for (((f, &low), (k_i, diagonal)), gains) in words.zip(rows).zip(gains.as_chunks_mut::<WORD>().0) {
        for (part, best) in bests.iter_mut().enumerate() {
            let at = part * NARROW;
            let first = _mm512_cvtpd_ps(_mm512_sub_pd(most, load(f, at)));
            let second = _mm512_cvtpd_ps(_mm512_sub_pd(most, load(f, at + WIDE)));
            let above = _mm512_insertf32x8::<1>(_mm512_castps256_ps512(first), second);
            let above = _mm512_maskz_max_ps((low >> at) as u16, above, _mm512_setzero_ps());
            let k = load_narrow(k_i, at);
            let curvature = _mm512_sub_ps(_mm512_add_ps(own, load_narrow(diagonal, at)), _mm512_add_ps(k, k));
            let curvature = _mm512_max_ps(curvature, floor);
            let rough = _mm512_castsi512_ps(_mm512_sub_epi32(magic, _mm512_castps_si512(curvature)));
            let reciprocal = _mm512_mul_ps(rough, _mm512_sub_ps(two, _mm512_mul_ps(curvature, rough)));
            let gain = _mm512_mul_ps(_mm512_mul_ps(above, above), reciprocal);
            let out: &mut [f32] = &mut gains[at..at + NARROW];
            // SAFETY: the slice has as many numbers as the register.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), gain) };
            *best = _mm512_max_ps(*best, gain);
        }
    }
    let [a, b] = bests;
    _mm512_reduce_max_ps(_mm512_max_ps(a, b))
}

/// See [`Passes::first`](super::passes::Passes::first).
#[target_feature(enable = "avx512f")]
pub fn first(numbers: &[f32], wanted: f32) -> usize {
    let all = _mm512_set1_ps(wanted);
    for (word, numbers) in numbers.as_chunks::<WORD>().0.iter().enumerate() {
        let equal = |part: usize| u32::from(_mm512_cmpeq_ps_mask(load_narrow(numbers, part * NARROW), all));
        let found = equal(0) | equal(1) << 16;
        if found != 0 {
            return word * WORD + found.trailing_zeros() as usize;
        }
    }
    0
}
