// What the kernels that compute losses share: one row's loss and gradient, or its scores, and where a
// member's results are added up. They bind `folds` and `results`, and say where outputs lie (`output_at`,
// `set_output`). Twin: loss and score_rows in src/model/trainer.rs.

// A member's results: four words, then per class the rows predicted right and the rows predicted.
const RESULT_TRAIN_LOSS = 0u;
const RESULT_DIVERGED_AT = 1u;
const RESULT_LOSS = 2u;
const RESULT_ABSOLUTE_ERROR = 3u;
const RESULT_CLASSES = 4u;

// A row of the table whose outputs begin at a number of the kernel's memory; no label smoothing.
fn loss_row(member: Member, source: u32, output_at: u32) -> LossRow {
    let bits = folds[member.targets_at + source];
    let value = (bitcast<f32>(bits) - member.target_shift) * member.target_scale;
    return LossRow(output_at, member.output_count, bits, value, 0.0, member.huber_delta);
}

// The loss of a row, times its weight; the gradient of the minibatch's mean replaces its outputs.
fn train_row(plain: LossRow, member: Member, share: f32) -> f32 {
    var row = plain;
    row.label_smoothing = member.label_smoothing;
    var weight = 1.0;
    if (member.class_weights_at != NONE) {
        weight = bitcast<f32>(folds[member.class_weights_at + row.label]);
    }
    let value = loss(member.loss, row) * weight;
    for (var j = 0u; j < row.output_count; j++) {
        set_output(row, j, output_at(row, j) * (weight * share));
    }
    return value;
}

// Cross-entropy and counts for classes; squared (x) and absolute (y) error for values.
fn score_row(row: LossRow, member: Member) -> vec2<f32> {
    if (member.output_count == 1u) {
        let error = output_at(row, 0u) - row.value;
        return vec2<f32>(error * error, abs(error));
    }
    var best = 0u;
    for (var j = 1u; j < row.output_count; j++) {
        if (output_at(row, j) > output_at(row, best)) {
            best = j;
        }
    }
    let classes = member.result_at + RESULT_CLASSES;
    atomicAdd(&results[classes + row.output_count + best], 1u);
    if (best == row.label) {
        atomicAdd(&results[classes + row.label], 1u);
    }
    // Classes are scored by plain cross-entropy, whatever they were trained with.
    return vec2<f32>(loss(LOSS_CROSS_ENTROPY, row), 0.0);
}

fn add_result(at: u32, value: f32, first: bool) {
    let before = select(bitcast<f32>(atomicLoad(&results[at])), 0.0, first);
    atomicStore(&results[at], bitcast<u32>(before + value));
}
