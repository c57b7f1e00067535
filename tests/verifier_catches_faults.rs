//! The verifier is seen to fail: faults planted in the shaders of the tiled plan that ship, one at a time, by substitution
//! of their text, and each is caught on the device at hand.
//!
//! A fault is tried against the checks of its area alone, which a whole verification contains. Those
//! that change no number of any training are listed with the reason; the test holds them to that.

mod common;
mod faults;

use faults::{Fault, verify};
use manytune::engine::gpu::variant::{self, BASE};

#[track_caller]
fn all_are_caught(faults: &[Fault]) {
    faults::all_are_caught("tiled", BASE, faults);
}

#[test]
fn faults_of_the_way_forward() {
    all_are_caught(&[
        (
            "no bias",
            "sum + weights[layer.parameters_at + 4u * layer.input_stride * layer.output_stride + quad]",
            "sum",
            "layer/dense",
        ),
        (
            "inputs beyond the last whole slice dropped",
            "make_tile(thread, corner, task.layer.input_stride, task)",
            "make_tile(thread, corner, task.layer.input_stride / 4u * 4u, task)",
            "layer/dense",
        ),
        (
            "the activation of a neighbour",
            "activation(member.activation, z)",
            "activation((member.activation + 1u) % 10u, z)",
            "activation/tanh",
        ),
        ("the hidden layer has no activation", "layer.hidden == 0u", "layer.index < 9u", "activation/relu"),
        (
            "dropout without its scale",
            "vec4<f32>(1.0 / (1.0 - probability))",
            "vec4<f32>(1.0)",
            "layer/dropout",
        ),
        (
            "dropout drops what it should keep",
            "uniform4(word) < vec4",
            "uniform4(word) >= vec4",
            "layer/dropout",
        ),
        ("dropout spares the derivative", "a.derivative *= factors;", "", "layer/dropout"),
        ("dropout of another layer's stream", "layer.index + 1u, step", "layer.index, step", "layer/dropout"),
        (
            "dropout of another step",
            "let step = task.control.step;",
            "let step = task.control.step + 1u;",
            "layer/dropout",
        ),
        (
            "dropout while scoring",
            "task.control.training == 1u && member.dropout > 0.0",
            "member.dropout > 0.0",
            "layer/dropout",
        ),
    ]);
}

#[test]
fn faults_of_tiles() {
    all_are_caught(&[
        ("a slice one short", "quad < quads; quad++", "quad + 1u < quads; quad++", "layer/dense"),
        (
            "slices beyond the last whole one dropped",
            "inner < inner_quads; inner += DEPTH_QUADS",
            "inner + DEPTH_QUADS <= inner_quads; inner += DEPTH_QUADS",
            "layer/dense",
        ),
        (
            "more than there is of the last slice",
            "min(DEPTH_QUADS, inner_quads - inner)",
            "DEPTH_QUADS",
            "layer/dense",
        ),
        (
            "the first slice again and again",
            "read_block(thread, corner, inner + DEPTH_QUADS, task)",
            "read_block(thread, corner, 0u, task)",
            "layer/dense",
        ),
        (
            "no barrier before the product",
            "workgroupBarrier();\n        // The next",
            "// The next",
            "layer/dense",
        ),
        (
            "no barrier after the product",
            "inner_quads - inner));\n        workgroupBarrier();",
            "inner_quads - inner));",
            "activation/relu",
        ),
        (
            "a corner's rows of the wrong tile",
            "tile / across * ROW_QUADS",
            "tile % across * ROW_QUADS",
            "layer/",
        ),
        (
            "rows of the wrong tile read",
            "+ vec2<u32>(inner, corner.row_quad)",
            "+ vec2<u32>(inner, 0u)",
            "layer/dense",
        ),
        (
            "columns of the wrong tile read",
            "+ vec2<u32>(inner, corner.column_quad)",
            "+ vec2<u32>(inner, 0u)",
            "layer/dense",
        ),
    ]);
}

/// What every variant has of its own: the part of a tile that a thread makes, and where blocks go.
#[test]
fn faults_of_each_variant() {
    for (place, variant) in variant::ALL.iter().enumerate() {
        let sums = 4 * variant.row_quads * variant.column_quads / variant.threads();
        let last = sums - 1;
        let taken = format!("return s.s{last};");
        let [from, to] = ["w", "z"].map(|lane| format!("s.s{last} + a{}.{lane}", u32::from(sums > 4)));
        let mut faults = vec![
            ("the last of a thread's sums is its first", &taken[..], "return s.s0;", "layer/dense"),
            ("a row takes its neighbour's sums", &from[..], &to[..], "layer/dense"),
            ("a block is not turned", "return transpose(block);", "return block;", "layer/dense"),
            (
                "columns of the wrong thread",
                "let r = 4u * quad * RIGHT_STRIDE + column;",
                "let r = 4u * quad * RIGHT_STRIDE + row % THREAD_COLUMNS;",
                "layer/dense",
            ),
        ];
        if sums > 4 {
            faults.push((
                "a thread's second row of parts in place of its first",
                "part / THREAD_COLUMN_QUADS * THREAD_ROWS",
                "(part / THREAD_COLUMN_QUADS + 1u) % THREAD_ROW_QUADS * THREAD_ROWS",
                "layer/dense",
            ));
        }
        faults::all_are_caught("tiled", place, &faults);
    }
}

#[test]
fn faults_of_the_way_back() {
    all_are_caught(&[
        ("a flipped sign", "quad] *= d_x;", "quad] *= -d_x;", "layer/dense"),
        ("no derivative", "quad] *= d_x;", "quad] = d_x;", "activation/sigmoid"),
        (
            "a transposed index",
            "const RIGHT_IS_ALONG_INNER = true;",
            "const RIGHT_IS_ALONG_INNER = false;",
            "layer/dense",
        ),
        (
            "outputs beyond the last whole slice dropped",
            "make_tile(thread, corner, task.layer.output_stride, task)",
            "make_tile(thread, corner, task.layer.output_stride / 4u * 4u, task)",
            "layer/dense",
        ),
        (
            "rows beyond the batch written",
            "if (row < task.control.row_count && quad < stride)",
            "if (row < task.control.row_count + 64u && quad < stride)",
            "layer/dense",
        ),
        (
            "columns beyond the last written, into the next row",
            "if (row < task.control.row_count && quad < stride)",
            "if (row < task.control.row_count)",
            "layer/dense",
        ),
        (
            "rows beyond the last whole vec4 dropped",
            "(control.row_count + 3u) / 4u, task)",
            "control.row_count / 4u, task)",
            "layer/dense",
        ),
        (
            "the last row again and again",
            "select(vec4<f32>(0.0), found, row <= last)",
            "found",
            "layer/dense",
        ),
        ("the last row dropped", "found, row <= last)", "found, row < last)", "layer/dense"),
        (
            "no gradient of the bias",
            "quad, sum, task);\n}\n\n@compute",
            "quad, vec4<f32>(0.0), task);\n}\n\n@compute",
            "layer/dense",
        ),
        (
            "biases beyond the first of a workgroup",
            "(item.tile - tiles) * THREADS + thread",
            "(item.tile - tiles) * THREADS",
            "layer/dense",
        ),
        (
            "a bias reduction without its first row",
            "let d0 = read_right(row, quad, task);",
            "let d0 = select(read_right(row, quad, task), vec4<f32>(0.0), row == 0u);",
            "layer/dense",
        ),
        (
            "the bias update b <- b - rate",
            "var decay = 1.0;",
            "var decay = 1.0;\n    if (input == bias_row) { g = keep_inside(vec4<f32>(1.0), 4u * quad, layer.output_count); }",
            "layer/dense",
        ),
        (
            "a neighbour's hyperparameters",
            "members[item.member], control);\n    if (control.row_count == 0u)",
            "members[(item.member + 1u) % arrayLength(&members)], control);\n    if (control.row_count == 0u)",
            "optimizer/",
        ),
        (
            "a neighbour's slot",
            "let at = layer.parameters_at + input * layer.output_stride + quad;",
            "let at = layer.parameters_at + (input + 1u) * layer.output_stride + quad;",
            "layer/dense",
        ),
        (
            "one NaN",
            "let w = weights[at];",
            "let w = weights[at] + select(0.0, bitcast<f32>(0x7fc00001u - min(input, 0u)), input == 1u);",
            "layer/dense",
        ),
    ]);
}

#[test]
fn faults_of_losses_and_scores() {
    all_are_caught(&[
        ("1/batch missing", "let share = 1.0 / f32(control.row_count);", "let share = 1.0;", "loss/"),
        ("batch off by one", "f32(control.row_count);", "f32(control.row_count + 1u);", "loss/"),
        (
            "the last row has no loss",
            "r < control.row_count; r += 64u",
            "r + 1u < control.row_count; r += 64u",
            "loss/",
        ),
        ("class weights not in the gradient", "(weight * share)", "share", "loss/cross_entropy"),
        (
            "class weights not in the loss",
            "loss(member.loss, row) * weight",
            "loss(member.loss, row)",
            "loss/cross_entropy",
        ),
        ("smoothing over the other classes only", "- s / k;", "- s / (k - 1.0);", "loss/cross_entropy"),
        (
            "the label's gradient as p - 1",
            "let own = s * (k - 1.0) / k - others / sum;",
            "let own = output_at(row, j) / sum - 1.0 + s * (k - 1.0) / k;",
            "loss/cross_entropy",
        ),
        (
            "exponentials without their maximum",
            "output_at(row, j) - maximum;",
            "output_at(row, j);",
            "activation/relu",
        ),
        (
            "the logarithm of a sum near 1",
            "let log_sum = select(ln1(sum), ln_1p_unit1(min(others, 1.0)), gap == 0.0 && others <= 1.0);",
            "let log_sum = ln1(sum);",
            "loss/cross_entropy",
        ),
        ("huber's slope is 1", "row.huber_delta * sign(error)", "sign(error)", "loss/huber"),
        ("huber's square is whole", "select(0.5 * error * error", "select(error * error", "loss/huber"),
        (
            "huber turns elsewhere",
            "magnitude > row.huber_delta",
            "magnitude > 0.99 * row.huber_delta",
            "loss/huber",
        ),
        ("half a squared error's slope", "error + error", "error", "loss/mean_squared_error"),
        (
            "targets as they are stored",
            "(bitcast<f32>(bits) - member.target_shift) * member.target_scale",
            "bitcast<f32>(bits)",
            "loss/huber",
        ),
        (
            "no barrier in the sum of losses",
            "workgroupBarrier();\n        if (thread < width) {\n            partial_losses",
            "if (thread < width) {\n            partial_losses",
            "loss/",
        ),
        (
            "losses of the epoch before",
            "bitcast<f32>(atomicLoad(&results[at])), 0.0, first",
            "bitcast<f32>(atomicLoad(&results[at])), 0.0, false",
            "lr_schedule/",
        ),
        (
            "only the last minibatch's loss",
            "bitcast<u32>(before + value)",
            "bitcast<u32>(value)",
            "lr_schedule/",
        ),
        (
            "the last of equal outputs predicted",
            "output_at(row, j) > output_at(row, best)",
            "output_at(row, j) >= output_at(row, best)",
            "evaluation",
        ),
        ("predictions counted as right", "row.output_count + best]", "best]", "evaluation"),
        ("counts of the epoch before", "if (first && !training) {", "if (false) {", "evaluation/scores"),
        (
            "scores with the smoothing of training",
            "value, 0.0, member.huber_delta)",
            "value, member.label_smoothing, member.huber_delta)",
            "evaluation",
        ),
        (
            "absolute errors not added",
            "vec2<f32>(error * error, abs(error))",
            "vec2<f32>(error * error, 0.0)",
            "evaluation",
        ),
        (
            "divergence one step late",
            "select(before, control.step, diverged)",
            "select(before, control.step + 1u, diverged)",
            "company",
        ),
        ("infinity taken for a number", "!is_finite(mean)", "mean != mean", "company"),
        (
            "finite by the wrong bits",
            "& 0x7f800000u) != 0x7f800000u",
            "& 0x7fc00000u) != 0x7fc00000u",
            "primitive",
        ),
    ]);
}

#[test]
fn faults_of_steps() {
    all_are_caught(&[
        (
            "sgd: a lost momentum term",
            "*m = s.momentum * *m + g;\n    let ahead",
            "*m = g;\n    let ahead",
            "optimizer/sgd",
        ),
        ("sgd: nesterov ignored", "s.nesterov * ahead + (1.0 - s.nesterov) * *m", "*m", "optimizer/sgd"),
        (
            "sgd: uphill",
            "return w - s.rate * (s.nesterov",
            "return w + s.rate * (s.nesterov",
            "optimizer/sgd",
        ),
        (
            "adam: the first moment's correction for both",
            "sqrt(*v * s.correction2)",
            "sqrt(*v * s.correction1)",
            "optimizer/adam",
        ),
        ("adam: no bias correction", "(*m * s.correction1)", "*m", "optimizer/adam"),
        (
            "adam: epsilon inside the root",
            "sqrt(*v * s.correction2);\n    return w - s.rate * (*m * s.correction1) / (root + s.epsilon)",
            "sqrt(*v * s.correction2 + s.epsilon);\n    return w - s.rate * (*m * s.correction1) / root",
            "optimizer/adam",
        ),
        (
            "adam: the gradient not squared",
            "(1.0 - s.beta2) * g * g;\n    let root",
            "(1.0 - s.beta2) * g;\n    let root",
            "optimizer/adam",
        ),
        (
            "rmsprop: epsilon inside the root",
            "g / (sqrt(*v) + s.epsilon);\n    return w - s.rate * *m",
            "g / sqrt(*v + s.epsilon);\n    return w - s.rate * *m",
            "optimizer/rmsprop",
        ),
        ("rmsprop: no momentum", "s.momentum * *m + g / ", "g / ", "optimizer/rmsprop"),
        ("adagrad: forgets", "*v += g * g;", "*v = g * g;", "optimizer/adagrad"),
        (
            "lion: beta2 in the direction",
            "let direction = s.beta1 * *m + (1.0 - s.beta1) * g;",
            "let direction = s.beta2 * *m + (1.0 - s.beta2) * g;",
            "optimizer/lion",
        ),
        ("lion: not the sign", "sign(direction)", "direction", "optimizer/lion"),
        (
            "the second moment not stored",
            "moments[dispatch.second_moment_at + at] = v;",
            "",
            "optimizer/adam",
        ),
        (
            "weight decay on the bias",
            "var decay = 1.0;",
            "var decay = task.control.decay;",
            "regulariser/weight_decay",
        ),
        ("no weight decay", "decay = task.control.decay;", "", "regulariser/weight_decay"),
        ("l1 as l2", "member.l1_penalty * sign(w)", "member.l1_penalty * w", "regulariser/l1"),
        (
            "l2 on the bias",
            "if (input < layer.input_count) {\n        g +=",
            "if (input <= bias_row) {\n        g +=",
            "regulariser/l2",
        ),
        ("clipping where it should not", "partial[0] > 1.0", "partial[0] < 1.0", "regulariser/clip"),
        ("clipping to the square", "1.0 / sqrt(partial[0])", "1.0 / partial[0]", "regulariser/clip"),
        (
            "a norm without its tail",
            "e < member.parameters_length; e += 64u",
            "e + 8u < member.parameters_length; e += 64u",
            "regulariser/clip",
        ),
        (
            "no barrier in the norm",
            "workgroupBarrier();\n        if (thread < width) {\n            partial[thread]",
            "if (thread < width) {\n            partial[thread]",
            "regulariser/clip",
        ),
        (
            "clipped steps decay the bias",
            "select(1.0, control.decay, input < layer.input_count)",
            "control.decay",
            "regulariser/all",
        ),
        (
            "a neighbour's clipping factor",
            "factors[item.member];\n    let decay",
            "factors[(item.member + 1u) % arrayLength(&factors)];\n    let decay",
            "regulariser/clip",
        ),
    ]);
}

#[test]
fn faults_of_minibatches_and_random_streams() {
    all_are_caught(&[
        (
            "the first minibatch again and again",
            "control.row_start + first_row + thread",
            "first_row + thread",
            "minibatch",
        ),
        ("every epoch in one order", "shuffle_keys(control.epoch, ", "shuffle_keys(0u, ", "minibatch"),
        (
            "rows in the order of the file",
            "permute(position, member.train_count, member.half_bits, keys)",
            "position",
            "minibatch",
        ),
        (
            "scored on training rows",
            "folds[member.validation_at + position]",
            "folds[member.train_at + position]",
            "evaluation",
        ),
        (
            "missing numbers by comparison",
            "let missing = (bitcast<vec4<u32>>(stored) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);",
            "let missing = stored != stored;",
            "layer/dense",
        ),
        ("scaled before it is shifted", "(stored - shift) * scale", "stored * scale - shift", "layer/dense"),
        (
            "the transform of the first features for all",
            "member.transform_at + 4u * quad",
            "member.transform_at",
            "layer/dense",
        ),
        (
            "input dropout alike in every sixteen rows",
            "let block = (first_row + row) * stride + quad;",
            "let block = row * stride + quad;",
            "regulariser/input_dropout",
        ),
        (
            "input dropout while scoring",
            "training && member.input_dropout > 0.0",
            "member.input_dropout > 0.0",
            "regulariser/input_dropout",
        ),
        ("seven rounds of shuffling", "round < 8u; round++", "round < 7u; round++", "primitive/permute"),
        ("walks that leave the rows", "while (value >= count)", "while (value > count)", "primitive/permute"),
        ("nine rounds of Philox", "round < 10u; round++", "round < 9u; round++", "primitive/philox"),
        ("a carry lost in Philox", "(middle & 0xffffu)", "0u", "primitive/philox"),
        (
            "uniform numbers that reach 1",
            "word >> vec4<u32>(8u)) * (1.0 / 16777216.0)",
            "word >> vec4<u32>(8u)) * (1.0 / 16777215.0)",
            "primitive/uniform",
        ),
    ]);
}

#[test]
fn faults_of_formulas() {
    all_are_caught(&[
        ("exp: ln 2 in one part", "(c - n * LN_2_HIGH) - n * LN_2_LOW", "c - n * 0.6931472", "primitive/exp"),
        ("exp: a coefficient", "4.16657960e-2", "4.16e-2", "primitive/exp"),
        (
            "exp - 1 by subtraction",
            "select(exp4(x) - 1.0, near, abs(x) < vec4<f32>(0.5))",
            "exp4(x) - 1.0",
            "primitive/exp_m1",
        ),
        (
            "exp - 1 by subtraction, seen by elu",
            "select(exp4(x) - 1.0, near, abs(x) < vec4<f32>(0.5))",
            "exp4(x) - 1.0",
            "activation/elu",
        ),
        ("ln: the exponent's low part", "return n * LN_2_LOW + series", "return series", "primitive/ln"),
        (
            "ln(1 + x) by addition",
            "return atanh_series4(x / (2.0 + x));",
            "return ln4(1.0 + x);",
            "primitive/ln_1p",
        ),
        ("erfc: a coefficient", "1.00002368", "1.0", "primitive/erfc"),
        ("erfc: a coefficient, seen by gelu", "1.00002368", "1.0", "activation/gelu"),
        (
            "tanh of exp alone",
            ", near, magnitude < vec4<f32>(0.625))",
            ", near, magnitude < vec4<f32>(0.0))",
            "primitive/tanh",
        ),
        (
            "tanh of exp alone, seen by its activation",
            ", near, magnitude < vec4<f32>(0.625))",
            ", near, magnitude < vec4<f32>(0.0))",
            "activation/tanh",
        ),
        ("tanh: 1 - tanh^2", "4.0 * t / (sum * sum)", "1.0 - tanh4(x) * tanh4(x)", "activation/tanh"),
        (
            "gelu by tanh",
            "0.5 * erfc4(x * -0.70710678118654752)",
            "0.5 * (1.0 + tanh4(0.7978845608 * (x + 0.044715 * x * x * x)))",
            "activation/gelu",
        ),
        ("gelu: half the derivative", "phi + x * density", "phi", "activation/gelu"),
        ("silu: half the derivative", "s + x * (low * high)", "s", "activation/silu"),
        ("selu: a constant", "1.7580993408473766", "1.7581993408473766", "activation/selu"),
        (
            "elu: the value for the derivative",
            "select(exp4(x), vec4<f32>(1.0), positive)",
            "select(below, vec4<f32>(1.0), positive)",
            "activation/elu",
        ),
        ("leaky_relu: another slope", "vec4<f32>(0.01)", "vec4<f32>(0.0100002)", "activation/leaky_relu"),
        (
            "relu: a slope of 1 at 0",
            "let positive = x > vec4<f32>(0.0);\n    return Activated(select(x * 0.0",
            "let positive = x >= vec4<f32>(0.0);\n    return Activated(select(x * 0.0",
            "activation/relu",
        ),
        (
            "sigmoid from e^x",
            "let t = exp4(-abs(x));\n    let high = 1.0 / (1.0 + t);\n    let low = t * high;\n    return",
            "let t = exp4(x);\n    let high = 1.0 / (1.0 + t);\n    let low = t * high;\n    return",
            "activation/sigmoid",
        ),
        ("softplus: ln(1 + t) by addition", "ln_1p_unit4(t)", "ln4(1.0 + t)", "activation/softplus"),
        ("softplus: no maximum", "max(x, vec4<f32>(0.0)) +", "", "activation/softplus"),
        (
            "identity: not quite",
            "Activated(x, vec4<f32>(1.0))",
            "Activated(x, vec4<f32>(1.00002))",
            "activation/identity",
        ),
    ]);
}

/// Not faults: no number of any training changes. Each says why; should one ever be caught, the reason no
/// longer holds, and it belongs above.
#[test]
fn what_changes_nothing_is_not_called_a_fault() {
    let equivalent: &[Fault] = &[
        // A padded unit is 0.5, but the rows of the weights that it would meet are 0 and stay so: their step
        // is skipped. The masks are a second wall.
        (
            "padded units not masked after their activation",
            "= keep_inside(a.value, 4u * quad, layer.output_count);",
            "= a.value;",
            "activation/sigmoid",
        ),
        // Every use bounds its argument, or discards what exp gives beyond: sigmoid and softplus take -|x|, tanh
        // at most 20, elu and selu the other branch.
        (
            "exp without its clamp",
            "let c = clamp(x, vec4<f32>(-87.5), vec4<f32>(88.5));",
            "let c = x;",
            "activation/",
        ),
        // exp clamps its argument too: e^88.5 + 1 takes 2 to 0 as e^20 + 1 does.
        ("tanh without its own clamp", "min(magnitude, vec4<f32>(10.0))", "magnitude", "primitive/tanh"),
        // The loss reads no output beyond the last.
        (
            "padded outputs not masked",
            "= keep_inside(z, 4u * quad, layer.output_count);",
            "= z;",
            "layer/dense",
        ),
    ];
    if common::gpu().is_none() {
        return;
    }
    for fault in equivalent {
        let outcome = verify("tiled", BASE, *fault).unwrap();
        assert!(outcome.passed, "{} is a fault after all\n{outcome}", fault.0);
    }
}
