// Numbers as unevaluated sums of two f32, 48 bits together: what an f64 is to a processor. Four at a time.
//
// Sums of two numbers and products are exact as pairs (Dekker, Numerische Mathematik 18, 1971; Knuth, TAOCP 2).
// They are only where every rounding happens as written, but WGSL allows a compiler to reassociate and to fuse.
// So what is rounded passes `seal4`, an exclusive or with a word that is 0 and that no compiler can know:
// `seal_word()`, of the kernel's uniform. Whatever is not sealed here is exact however it is computed.
// Twins: `two_sum` and `two_product` of src/model/primitive.rs.

struct Pair4 {
    high: vec4<f32>,
    low: vec4<f32>,
}

fn seal4(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) ^ vec4<u32>(seal_word()));
}

// a + b, where |a| >= |b| or a is 0: as a normal pair, |low| <= half a unit of high.
fn fast_two_sum4(a: vec4<f32>, b: vec4<f32>) -> Pair4 {
    let sum = seal4(a + b);
    return Pair4(sum, seal4(b - seal4(sum - a)));
}

// a + b
fn two_sum4(a: vec4<f32>, b: vec4<f32>) -> Pair4 {
    let in_order = abs(a) >= abs(b);
    return fast_two_sum4(select(b, a, in_order), select(a, b, in_order));
}

// The first 12 bits of x, so that products of what it is split in are exact.
fn upper4(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) & vec4<u32>(0xfffff000u));
}

// a b
fn two_product4(a: vec4<f32>, b: vec4<f32>) -> Pair4 {
    let product = seal4(a * b);
    let a_upper = upper4(a);
    let b_upper = upper4(b);
    let a_lower = seal4(a - a_upper);
    let b_lower = seal4(b - b_upper);
    var rest = seal4(product - a_upper * b_upper);
    rest = seal4(rest - a_lower * b_upper);
    rest = seal4(rest - a_upper * b_lower);
    return Pair4(product, seal4(a_lower * b_lower - rest));
}

fn negative4(a: Pair4) -> Pair4 {
    return Pair4(-a.high, -a.low);
}

fn pair_add4(a: Pair4, b: Pair4) -> Pair4 {
    let sum = two_sum4(a.high, b.high);
    return fast_two_sum4(sum.high, seal4(sum.low + seal4(a.low + b.low)));
}

fn pair_subtract4(a: Pair4, b: Pair4) -> Pair4 {
    return pair_add4(a, negative4(b));
}

fn pair_multiply4(a: Pair4, b: Pair4) -> Pair4 {
    let product = two_product4(a.high, b.high);
    let cross = seal4(seal4(a.high * b.low) + seal4(a.low * b.high));
    return fast_two_sum4(product.high, seal4(product.low + cross));
}

// a / b: a quotient, and that of what it leaves. The division need not be rounded correctly.
fn pair_divide4(a: Pair4, b: Pair4) -> Pair4 {
    let first = seal4(a.high / b.high);
    let left = pair_subtract4(a, pair_multiply4(Pair4(first, vec4<f32>(0.0)), b));
    return fast_two_sum4(first, seal4(left.high / b.high));
}

// One number.
struct Pair {
    high: f32,
    low: f32,
}

fn wide(a: Pair) -> Pair4 {
    return Pair4(vec4<f32>(a.high), vec4<f32>(a.low));
}

fn narrow(a: Pair4) -> Pair {
    return Pair(a.high.x, a.low.x);
}

fn pair_add(a: Pair, b: Pair) -> Pair {
    return narrow(pair_add4(wide(a), wide(b)));
}

fn pair_subtract(a: Pair, b: Pair) -> Pair {
    return narrow(pair_subtract4(wide(a), wide(b)));
}

fn pair_divide(a: Pair, b: Pair) -> Pair {
    return narrow(pair_divide4(wide(a), wide(b)));
}

// a < b, of normal pairs.
fn pair_less(a: Pair, b: Pair) -> bool {
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}
