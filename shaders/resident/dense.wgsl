// Dense layers of the resident plan. A thread computes 4 x 4 numbers at a time in named accumulators,
// straight from where the operands lie. The inner dimension is walked in order, so that the order of every
// sum depends on its length alone. A thread's four rows lie `groups` apart: its neighbours read the rows
// beside them. Twin: src/model/layer/dense.rs.

// Z = X W + b, then the activation and its derivative, then dropout on both; the output layer stops at Z.
fn forward(member: Member, run: Run, layer: Layer, rows: u32, training: bool, step: u32, thread: u32) {
    let groups = (rows + 3u) / 4u;
    let tiles = groups * layer.output_stride;
    let row_quads = row_stride(layer.input_stride);
    for (var t = thread; t < tiles; t += threads) {
        let quad = t / groups;
        let first = t % groups;
        var x_at = layer.input_at + first * row_quads;
        var w_at = layer.parameters_at + quad;
        var s0 = vec4<f32>(0.0);
        var s1 = vec4<f32>(0.0);
        var s2 = vec4<f32>(0.0);
        var s3 = vec4<f32>(0.0);
        for (var k = 0u; k < layer.input_stride; k++) {
            let x0 = activation_quad(x_at);
            let x1 = activation_quad(x_at + groups * row_quads);
            let x2 = activation_quad(x_at + 2u * groups * row_quads);
            let x3 = activation_quad(x_at + 3u * groups * row_quads);
            let w0 = chip[w_at];
            let w1 = chip[w_at + layer.output_stride];
            let w2 = chip[w_at + 2u * layer.output_stride];
            let w3 = chip[w_at + 3u * layer.output_stride];
            s0 = s0 + x0.x * w0;
            s1 = s1 + x1.x * w0;
            s2 = s2 + x2.x * w0;
            s3 = s3 + x3.x * w0;
            s0 = s0 + x0.y * w1;
            s1 = s1 + x1.y * w1;
            s2 = s2 + x2.y * w1;
            s3 = s3 + x3.y * w1;
            s0 = s0 + x0.z * w2;
            s1 = s1 + x1.z * w2;
            s2 = s2 + x2.z * w2;
            s3 = s3 + x3.z * w2;
            s0 = s0 + x0.w * w3;
            s1 = s1 + x1.w * w3;
            s2 = s2 + x2.w * w3;
            s3 = s3 + x3.w * w3;
            x_at += 1u;
            w_at += 4u * layer.output_stride;
        }
        let bias = chip[layer.parameters_at + 4u * layer.input_stride * layer.output_stride + quad];
        let rest = Finish(rows, quad, training, step);
        finish_forward(member, run, layer, first, s0 + bias, rest);
        finish_forward(member, run, layer, first + groups, s1 + bias, rest);
        finish_forward(member, run, layer, first + 2u * groups, s2 + bias, rest);
        finish_forward(member, run, layer, first + 3u * groups, s3 + bias, rest);
    }
}

struct Finish {
    rows: u32,
    quad: u32,
    training: bool,
    step: u32,
}

fn finish_forward(member: Member, run: Run, layer: Layer, row: u32, z: vec4<f32>, rest: Finish) {
    if (row >= rest.rows) {
        return;
    }
    let at = row * row_stride(layer.output_stride) + rest.quad;
    if (layer.hidden == 0u) {
        let outputs = keep_inside(z, 4u * rest.quad, layer.output_count);
        set_activation_quad(layer.output_at + at, outputs);
        if (!rest.training && run.outputs_at != NONE) {
            // `step` counts the rows scored before these.
            scratch[run.outputs_at + (rest.step + row) * layer.output_stride + rest.quad] = outputs;
        }
        return;
    }
    var a = activation(member.activation, z);
    if (rest.training && member.dropout > 0.0) {
        let block = row * layer.output_stride + rest.quad;
        let factors = dropout_factors(block, layer.index + 1u, rest.step, member.stream, dispatch.key, member.dropout);
        a.value *= factors;
        a.derivative *= factors;
    }
    // After the activation: sigmoid(0) is .5, and a padded unit must be 0.
    set_activation_quad(layer.output_at + at, keep_inside(a.value, 4u * rest.quad, layer.output_count));
    if (rest.training) {
        set_activation_quad(layer.gradient_at + at, keep_inside(a.derivative, 4u * rest.quad, layer.output_count));
    }
}

// dX = dZ W^T, times the derivative that the forward pass left: dL/dz of the layer below, in its place.
fn backward_input(layer: Layer, rows: u32, thread: u32) {
    let groups = (rows + 3u) / 4u;
    let tiles = groups * layer.input_stride;
    let row_quads = row_stride(layer.output_stride);
    for (var t = thread; t < tiles; t += threads) {
        let quad = t / groups;
        let first = t % groups;
        var d_at = layer.gradient_at + first * row_quads;
        var w_at = layer.parameters_at + 4u * quad * layer.output_stride;
        var s0 = vec4<f32>(0.0);
        var s1 = vec4<f32>(0.0);
        var s2 = vec4<f32>(0.0);
        var s3 = vec4<f32>(0.0);
        for (var k = 0u; k < layer.output_stride; k++) {
            let d0 = activation_quad(d_at);
            let d1 = activation_quad(d_at + groups * row_quads);
            let d2 = activation_quad(d_at + 2u * groups * row_quads);
            let d3 = activation_quad(d_at + 3u * groups * row_quads);
            let w0 = chip[w_at];
            let w1 = chip[w_at + layer.output_stride];
            let w2 = chip[w_at + 2u * layer.output_stride];
            let w3 = chip[w_at + 3u * layer.output_stride];
            let c0 = vec4<f32>(w0.x, w1.x, w2.x, w3.x);
            let c1 = vec4<f32>(w0.y, w1.y, w2.y, w3.y);
            let c2 = vec4<f32>(w0.z, w1.z, w2.z, w3.z);
            let c3 = vec4<f32>(w0.w, w1.w, w2.w, w3.w);
            s0 = s0 + d0.x * c0;
            s1 = s1 + d1.x * c0;
            s2 = s2 + d2.x * c0;
            s3 = s3 + d3.x * c0;
            s0 = s0 + d0.y * c1;
            s1 = s1 + d1.y * c1;
            s2 = s2 + d2.y * c1;
            s3 = s3 + d3.y * c1;
            s0 = s0 + d0.z * c2;
            s1 = s1 + d1.z * c2;
            s2 = s2 + d2.z * c2;
            s3 = s3 + d3.z * c2;
            s0 = s0 + d0.w * c3;
            s1 = s1 + d1.w * c3;
            s2 = s2 + d2.w * c3;
            s3 = s3 + d3.w * c3;
            d_at += 1u;
            w_at += 1u;
        }
        finish_backward(layer, rows, first, quad, s0);
        finish_backward(layer, rows, first + groups, quad, s1);
        finish_backward(layer, rows, first + 2u * groups, quad, s2);
        finish_backward(layer, rows, first + 3u * groups, quad, s3);
    }
}

fn finish_backward(layer: Layer, rows: u32, row: u32, quad: u32, d_x: vec4<f32>) {
    if (row < rows) {
        let at = layer.input_gradient_at + row * row_stride(layer.input_stride) + quad;
        set_activation_quad(at, activation_quad(at) * d_x);
    }
}

// dW = X^T dZ and db = the sum of dZ over rows (as one more input that is always 1), penalties added, then
// the optimizer's step at once; for a member that clips, the gradient is left for clip_and_step.
fn backward_parameters(member: Member, run: Run, layer: Layer, scalars: StepScalars, decay: f32, rows: u32, thread: u32) {
    let tiles = (layer.input_stride + 1u) * layer.output_stride;
    for (var t = thread; t < tiles; t += threads) {
        let input_quad = t / layer.output_stride;
        let quad = t % layer.output_stride;
        let is_bias = input_quad == layer.input_stride;
        var x_at = layer.input_at + input_quad;
        var d_at = layer.gradient_at + quad;
        var s0 = vec4<f32>(0.0);
        var s1 = vec4<f32>(0.0);
        var s2 = vec4<f32>(0.0);
        var s3 = vec4<f32>(0.0);
        for (var row = 0u; row < rows; row++) {
            var x = vec4<f32>(1.0, 0.0, 0.0, 0.0);
            if (!is_bias) {
                x = activation_quad(x_at);
            }
            let d = activation_quad(d_at);
            s0 = s0 + x.x * d;
            s1 = s1 + x.y * d;
            s2 = s2 + x.z * d;
            s3 = s3 + x.w * d;
            x_at += row_stride(layer.input_stride);
            d_at += row_stride(layer.output_stride);
        }
        let input = 4u * input_quad;
        finish_parameters(member, run, layer, scalars, decay, input, quad, s0);
        if (!is_bias) {
            finish_parameters(member, run, layer, scalars, decay, input + 1u, quad, s1);
            finish_parameters(member, run, layer, scalars, decay, input + 2u, quad, s2);
            finish_parameters(member, run, layer, scalars, decay, input + 3u, quad, s3);
        }
    }
}

// Row `input` of the gradient: a weight row, or the bias row at 4 * input_stride.
fn finish_parameters(member: Member, run: Run, layer: Layer, scalars: StepScalars, decay: f32, input: u32, quad: u32, d: vec4<f32>) {
    let is_bias = input == 4u * layer.input_stride;
    let element = layer.parameters_at + input * layer.output_stride + quad;
    if (input >= layer.input_count && !is_bias) {
        // A padded row: its weights stay 0, and the norm of a clipped gradient must not find old numbers.
        if (member.clip_norm > 0.0) {
            set_activation_quad(run.gradients_at + element, vec4<f32>(0.0));
        }
        return;
    }
    var g = keep_inside(d, 4u * quad, layer.output_count);
    if (!is_bias) {
        let w = chip[element];
        g += member.l2_penalty * w + member.l1_penalty * sign(w);
    }
    if (member.clip_norm > 0.0) {
        set_activation_quad(run.gradients_at + element, g);
        return;
    }
    step_parameters(member, scalars, element, select(decay, 1.0, is_bias), g, 4u * quad, layer.output_count);
}

fn step_parameters(member: Member, scalars: StepScalars, element: u32, decay: f32, g: vec4<f32>, column: u32, columns: u32) {
    var m = first_moment(member, element);
    var v = second_moment(member, element);
    let stepped = optimizer(member.optimizer, scalars, chip[element] * decay, g, &m, &v);
    chip[element] = keep_inside(stepped, column, columns);
    set_moments(member, element, m, v);
}
