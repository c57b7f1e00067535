// L = e^2/2 for |e| <= delta, delta (|e| - delta/2) beyond, e = output - value.
fn loss_huber(row: LossRow) -> f32 {
    let error = output_at(row, 0u) - row.value;
    let magnitude = abs(error);
    let far = magnitude > row.huber_delta;
    set_output(row, 0u, select(error, row.huber_delta * sign(error), far));
    let linear = row.huber_delta * (magnitude - 0.5 * row.huber_delta);
    return select(0.5 * error * error, linear, far);
}
