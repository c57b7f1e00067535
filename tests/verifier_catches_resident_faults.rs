//! The same for the resident plan: faults planted in its kernel, in the variant that holds all of a member
//! on chip, one at a time, and each is caught on the
//! device at hand by the checks of its area.
//!
//! Barriers whose absence no software adapter shows, since it runs the threads of a workgroup in turn, are
//! not here: the one between choosing rows and reading them.

mod common;
mod faults;

use faults::Fault;
use manytune::engine::gpu::variant::BASE;

#[track_caller]
fn all_are_caught(faults: &[Fault]) {
    faults::all_are_caught("all-32k", BASE, faults);
}

#[test]
fn faults_of_the_way_forward() {
    all_are_caught(&[
        ("no bias", "first, s0 + bias, rest", "first, s0, rest", "layer/dense"),
        ("a row takes its neighbour's sums", "s1 + bias, rest", "s2 + bias, rest", "layer/dense"),
        (
            "inputs of the last vec4 dropped",
            "k < layer.input_stride; k++",
            "k + 1u < layer.input_stride; k++",
            "layer/dense",
        ),
        (
            "another row's inputs",
            "(x_at + 2u * groups * row_quads)",
            "(x_at + 3u * groups * row_quads)",
            "layer/dense",
        ),
        ("another input's weights", "x2.z * w2;", "x2.z * w3;", "layer/dense"),
        (
            "rows as long as they are even",
            "return stride | 1u;",
            "return stride & 0xfffffffeu;",
            "layer/dense",
        ),
        (
            "the activation of a neighbour",
            "activation(member.activation, z)",
            "activation((member.activation + 1u) % 10u, z)",
            "activation/tanh",
        ),
        ("the hidden layer has no activation", "layer.hidden == 0u", "layer.index < 9u", "activation/relu"),
        ("dropout spares the derivative", "a.derivative *= factors;", "", "layer/dropout"),
        (
            "dropout of another layer's stream",
            "layer.index + 1u, rest.step",
            "layer.index, rest.step",
            "layer/dropout",
        ),
        (
            "dropout of the first step in all",
            "let step = run.step + taken;",
            "let step = run.step;",
            "layer/dropout",
        ),
        (
            "dropout while scoring",
            "rest.training && member.dropout > 0.0",
            "member.dropout > 0.0",
            "layer/dropout",
        ),
        (
            "input dropout while scoring",
            "if (training && member.input_dropout > 0.0) {\n            value *= dropout_factors(e",
            "if (member.input_dropout > 0.0) {\n            value *= dropout_factors(e",
            "regulariser/input_dropout",
        ),
        (
            "no barrier between layers",
            "rows, training, step, thread);\n        meet();",
            "rows, training, step, thread);",
            "layer/dense",
        ),
    ]);
}

#[test]
fn faults_of_the_way_back() {
    all_are_caught(&[
        ("a flipped sign", "activation_quad(at) * d_x", "activation_quad(at) * -d_x", "layer/dense"),
        ("no derivative", "activation_quad(at) * d_x", "d_x", "activation/sigmoid"),
        ("weights not transposed", "vec4<f32>(w0.x, w1.x, w2.x, w3.x)", "w0", "layer/dense"),
        (
            "outputs of the last vec4 dropped",
            "k < layer.output_stride; k++",
            "k + 1u < layer.output_stride; k++",
            "layer/dense",
        ),
        (
            "another row's gradient",
            "(d_at + groups * row_quads)",
            "(d_at + 2u * groups * row_quads)",
            "layer/dense",
        ),
        ("the last row dropped", "row < rows; row++", "row + 1u < rows; row++", "layer/dense"),
        ("no gradient of the bias", "vec4<f32>(1.0, 0.0, 0.0, 0.0)", "vec4<f32>(0.0)", "layer/dense"),
        ("another input's gradient", "s2 = s2 + x.z * d;", "s2 = s2 + x.w * d;", "layer/dense"),
        (
            "a neighbour's row of weights",
            "let element = layer.parameters_at + input * layer.output_stride + quad;",
            "let element = layer.parameters_at + (input + 1u) * layer.output_stride + quad;",
            "layer/dense",
        ),
        (
            "no barrier before the weights change",
            "backward_input(layer, rows, thread);\n            meet();",
            "backward_input(layer, rows, thread);",
            "layer/dense",
        ),
        ("the first layer stands still", "above > 0u; above--", "above > 1u; above--", "layer/dense"),
    ]);
}

#[test]
fn faults_of_losses_and_scores() {
    all_are_caught(&[
        ("1/batch missing", "let share = 1.0 / f32(rows);", "let share = 1.0;", "loss/"),
        ("half a tree", "width = threads / 2u", "width = threads / 8u", "loss/"),
        (
            "the last row has no loss",
            "r < rows; r += threads) {\n        sum",
            "r + 1u < rows; r += threads) {\n        sum",
            "loss/",
        ),
        ("the epoch's loss is the last minibatch's", "loss_sum += mean;", "loss_sum = mean;", "minibatch"),
        ("losses of epochs run together", "let fresh = run.first == 1u;", "let fresh = false;", "minibatch"),
        ("a divergence is not seen", "if (!is_finite(mean)) {", "if (false) {", "company/diverged"),
        (
            "a divergence a step late",
            "RESULT_DIVERGED_AT], step);",
            "RESULT_DIVERGED_AT], step + 1u);",
            "company/diverged",
        ),
        ("counts that go on", "if (run.score_start == 0u) {", "if (run.score_start == 1u) {", "evaluation/"),
        (
            "each lot replaces the one before",
            "partial_losses[0], position == 0u",
            "partial_losses[0], true",
            "evaluation/",
        ),
        (
            "training rows scored",
            "folds[member.validation_at + position + r]",
            "folds[member.train_at + position + r]",
            "evaluation/",
        ),
        (
            "each lot's outputs over the one's before",
            "(rest.step + row) * layer.output_stride",
            "row * layer.output_stride",
            "evaluation/",
        ),
    ]);
}

#[test]
fn faults_of_steps() {
    all_are_caught(&[
        ("weights left as they were", "weights[member.parameters_at + e] = chip[e];", "", "optimizer/"),
        (
            "moments left as they were",
            "moments[member.parameters_at + e] = first_moment(member, e);",
            "",
            "optimizer/",
        ),
        (
            "moments start afresh",
            "let m = moments[member.parameters_at + e];",
            "let m = vec4<f32>(0.0);",
            "optimizer/",
        ),
        ("one moment in the other's place", "+ element] = v;", "+ element] = m;", "optimizer/"),
        ("a learning rate for four steps", "taken / 4u", "0u", "lr_schedule/"),
        ("the rates one behind", "[taken % 4u]", "[(taken + 1u) % 4u]", "lr_schedule/"),
        ("corrections one step behind", "f32(run.step + taken + 1u)", "f32(run.step + taken)", "optimizer/"),
        ("corrections exchanged", "correction.x, correction.y", "correction.y, correction.x", "optimizer/"),
        ("biases decay", "select(decay, 1.0, is_bias)", "decay", "regulariser/weight_decay"),
        (
            "no weight decay",
            "let decay = 1.0 - scalars.rate * run.weight_decay;",
            "let decay = 1.0;",
            "regulariser/weight_decay",
        ),
        ("no l1 penalty", " + member.l1_penalty * sign(w);", ";", "regulariser/l1"),
        (
            "clipping at twice the norm",
            "1.0 / sqrt(partial_losses[0])",
            "2.0 / sqrt(partial_losses[0])",
            "regulariser/clip",
        ),
        ("a clipped gradient unclipped", "element) * factor;", "element);", "regulariser/clip"),
        (
            "the norm of half the threads",
            "sum += dot(g, g);",
            "sum += select(0.0, dot(g, g), thread < 32u);",
            "regulariser/clip",
        ),
        ("clipped biases decay", "select(decay, 1.0, input == bias_row)", "decay", "regulariser/all"),
    ]);
}

#[test]
fn faults_of_minibatches() {
    all_are_caught(&[
        ("another epoch's order", "shuffle_keys(run.epoch,", "shuffle_keys(run.epoch + 1u,", "minibatch"),
        ("every step sees the first rows", "run.row_start + taken * run.batch", "run.row_start", "minibatch"),
        (
            "the last minibatch is as long as others",
            "min(run.batch, member.train_count - position)",
            "run.batch",
            "minibatch",
        ),
        (
            "rows in the table's order",
            "table[sources[row] * stride + quad]",
            "table[row * stride + quad]",
            "minibatch",
        ),
    ]);
}
