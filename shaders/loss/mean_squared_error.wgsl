// L = (output - value)^2.
fn loss_mean_squared_error(row: LossRow) -> f32 {
    let error = output_at(row, 0u) - row.value;
    set_output(row, 0u, error + error);
    return error * error;
}
