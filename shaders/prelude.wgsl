// What every kernel shares: the tables that describe members, layers, work and steps.
// Each struct is the twin of one in src/engine/gpu/tables.rs; a test compares their offsets.
// Offsets into buffers of vec4 are counted in vec4, all others in words.

// One model in training.
struct Member {
    // Where its minibatch lies in the scratch arena: (row, feature), input_stride vec4 a row.
    input_at: u32,
    input_count: u32,
    input_stride: u32,
    // Where its outputs lie in the scratch arena: (row, output), output_stride vec4 a row.
    output_at: u32,
    output_count: u32,
    output_stride: u32,
    // Where the source row of each row of the minibatch is noted.
    rows_at: u32,
    // Where its results are gathered.
    result_at: u32,
    // Its fold, in the folds buffer.
    train_at: u32,
    train_count: u32,
    validation_at: u32,
    transform_at: u32,
    // 0xffffffff where rows are not weighted.
    class_weights_at: u32,
    // Its random streams: fold and repeat; half the bits of the row permutation.
    stream: u32,
    half_bits: u32,
    // Which family members, by their place in ALL.
    activation: u32,
    loss: u32,
    optimizer: u32,
    // Its parameters in the weights arena.
    parameters_at: u32,
    parameters_length: u32,
    label_smoothing: f32,
    huber_delta: f32,
    l1_penalty: f32,
    l2_penalty: f32,
    dropout: f32,
    input_dropout: f32,
    clip_norm: f32,
    momentum: f32,
    nesterov: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    target_shift: f32,
    target_scale: f32,
    // The targets of all rows, in the folds buffer.
    targets_at: u32,
    // Its run and its layers, in the shapes of the resident plan.
    shape_at: u32,
}

// One layer of one member.
struct Layer {
    input_count: u32,
    input_stride: u32,
    output_count: u32,
    output_stride: u32,
    // (input, output), input_stride * 4 rows of weights, then one row of biases.
    parameters_at: u32,
    // What enters: (row, input).
    input_at: u32,
    // What leaves: (row, output).
    output_at: u32,
    // dL/dz of this layer, (row, output); while going forward the derivative of its activation. The
    // output layer's is the outputs themselves.
    gradient_at: u32,
    // The same of the layer below.
    input_gradient_at: u32,
    // 1 for a hidden layer, 0 for the output layer.
    hidden: u32,
    // Its index, from the input on: the random stream of its dropout.
    index: u32,
    // Its parameters before the step, in the scratch of a look inside.
    before_at: u32,
}

// Which tile of which layer of which member a workgroup takes.
struct Work {
    member: u32,
    layer: u32,
    tile: u32,
    padding0: u32,
}

// What one member does in one tick.
struct Control {
    // Rows of the minibatch; 0 when the member rests.
    row_count: u32,
    // Position of the first row in the epoch's order, or among the validation rows.
    row_start: u32,
    step: u32,
    epoch: u32,
    rate: f32,
    decay: f32,
    correction1: f32,
    correction2: f32,
    // 1 where results start afresh.
    first: u32,
    // 1 while training, 0 while scoring.
    training: u32,
    // The slope below which an activation counts as closed, in a look inside.
    closed_below: f32,
    padding0: u32,
}

// What one dispatch is for.
struct Dispatch {
    work_at: u32,
    work_count: u32,
    control_at: u32,
    // The vec4 at which the second optimizer state begins in the moments arena.
    second_moment_at: u32,
    key: vec2<u32>,
    // Rows of the table that the bound shard of it holds.
    data_row_start: u32,
    data_row_end: u32,
}

struct Activated {
    value: vec4<f32>,
    derivative: vec4<f32>,
}

struct StepScalars {
    rate: f32,
    momentum: f32,
    nesterov: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    correction1: f32,
    correction2: f32,
}

struct LossRow {
    output_at: u32,
    output_count: u32,
    label: u32,
    value: f32,
    label_smoothing: f32,
    huber_delta: f32,
}

const NONE = 0xffffffffu;
// More workgroups than a dimension may have are folded into rows of this length.
const DISPATCH_WIDTH = 32768u;

// Keeps the first `count` of four elements that start at `first`.
fn keep_inside(x: vec4<f32>, first: u32, count: u32) -> vec4<f32> {
    return select(vec4<f32>(0.0), x, vec4<u32>(first, first + 1u, first + 2u, first + 3u) < vec4<u32>(count));
}

fn step_scalars(member: Member, control: Control) -> StepScalars {
    return StepScalars(
        control.rate, member.momentum, member.nesterov, member.beta1, member.beta2, member.epsilon,
        control.correction1, control.correction2,
    );
}
