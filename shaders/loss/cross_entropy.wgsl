// L = -sum_j t_j ln softmax(outputs)_j, t = (1 - s) onehot + s/K. The label's gradient is formed from the
// other classes' probabilities, so that it stays exact in saturation.
fn loss_cross_entropy(row: LossRow) -> f32 {
    var maximum = output_at(row, 0u);
    for (var j = 1u; j < row.output_count; j++) {
        maximum = max(maximum, output_at(row, j));
    }
    let gap = maximum - output_at(row, row.label);
    var others = 0.0;
    var shifted_sum = 0.0;
    for (var j = 0u; j < row.output_count; j++) {
        let shifted = output_at(row, j) - maximum;
        shifted_sum += shifted;
        let e = exp1(shifted);
        set_output(row, j, e);
        others += select(e, 0.0, j == row.label);
    }
    let sum = others + output_at(row, row.label);
    let log_sum = select(ln1(sum), ln_1p_unit1(min(others, 1.0)), gap == 0.0 && others <= 1.0);
    let hard = log_sum + gap;
    let k = f32(row.output_count);
    let even = log_sum - shifted_sum / k;
    let s = row.label_smoothing;
    for (var j = 0u; j < row.output_count; j++) {
        let own = s * (k - 1.0) / k - others / sum;
        let other = output_at(row, j) / sum - s / k;
        set_output(row, j, select(other, own, j == row.label));
    }
    return hard + s * (even - hard);
}
