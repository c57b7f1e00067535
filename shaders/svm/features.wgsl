// Bases of a training row with four columns, computed from the features.
// Twin: BaseMatrix::new in src/model/svm/base.rs, which sums in f64.

@group(0) @binding(2) var<storage, read> features: array<vec4<f32>>; // (feature, column)

fn feature_of(row: u32, feature: u32) -> vec4<f32> {
    return vec4<f32>(features[feature * machines.column_count + row / 4u][row % 4u]);
}

// A total, with the rounding errors of the sums and the terms so far (Ogita, Rump, Oishi, SIAM J. Sci. Comput. 26,
// 2005): what a large C asks of a kernel matrix, a sum in f32 does not give.
fn add_term(total: Pair4, term: Pair4) -> Pair4 {
    let sum = two_sum4(total.high, term.high);
    return Pair4(sum.high, seal4(total.low + seal4(sum.low + term.low)));
}

// Sum of (x - z)^2: exactly 0 of a row with itself, and the same both ways round.
fn squared_distance(row: u32, column: u32) -> vec4<f32> {
    var total = Pair4(vec4<f32>(0.0), vec4<f32>(0.0));
    for (var feature = 0u; feature < machines.feature_count; feature++) {
        let other = features[feature * machines.column_count + column];
        let difference = two_sum4(feature_of(row, feature), -other);
        let square = two_product4(difference.high, difference.high);
        let cross = seal4(2.0 * seal4(difference.high * difference.low));
        total = add_term(total, Pair4(square.high, seal4(square.low + cross)));
    }
    return total.high + total.low;
}

// Sum of x z.
fn inner_product(row: u32, column: u32) -> vec4<f32> {
    var total = Pair4(vec4<f32>(0.0), vec4<f32>(0.0));
    for (var feature = 0u; feature < machines.feature_count; feature++) {
        let other = features[feature * machines.column_count + column];
        total = add_term(total, two_product4(feature_of(row, feature), other));
    }
    return total.high + total.low;
}

fn base4(row: u32, column: u32) -> vec4<f32> {
    if (machines.is_product != 0u) {
        return seal4(inner_product(row, column));
    }
    return seal4(squared_distance(row, column));
}
