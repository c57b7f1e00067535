// The resident plan: one workgroup owns one member and takes many training steps in one dispatch, then
// scores its validation rows, without leaving the shader. Threads of a workgroup share nothing with other
// workgroups. Sums have a fixed order given by the member's shape and its variant. Twin: train_until and
// evaluate in src/model/trainer.rs.

// Reads rows of the table into the first layer's input.
fn gather(member: Member, run: Run, position: u32, rows: u32, training: bool, step: u32, keys: ShuffleKeys, thread: u32) {
    for (var r = thread; r < rows; r += threads) {
        if (training) {
            sources[r] = drawn_row(member, position + r, keys);
        } else {
            sources[r] = folds[member.validation_at + position + r];
        }
    }
    workgroupBarrier();
    let stride = member.input_stride;
    for (var e = thread; e < rows * stride; e += threads) {
        let row = e / stride;
        let quad = e % stride;
        var value = transformed(table[sources[row] * stride + quad], quad, member);
        if (training && member.input_dropout > 0.0) {
            value *= dropout_factors(e, 0u, step, member.stream, dispatch.key, member.input_dropout);
        }
        set_activation_quad(member.input_at + row * row_stride(stride) + quad, value);
    }
    meet();
}

fn all_layers_forward(member: Member, run: Run, rows: u32, training: bool, step: u32, thread: u32) {
    for (var index = 0u; index < run.layer_count; index++) {
        forward(member, run, layer_at(member, index), rows, training, step, thread);
        meet();
    }
}

// The sums of both partials, in thread 0.
fn add_up(losses: f32, errors: f32, thread: u32) {
    partial_losses[thread] = losses;
    partial_errors[thread] = errors;
    for (var width = threads / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial_losses[thread] += partial_losses[thread + width];
            partial_errors[thread] += partial_errors[thread + width];
        }
    }
}

fn row_of(member: Member, r: u32) -> LossRow {
    return loss_row(member, sources[r], 4u * (member.output_at + r * row_stride(member.output_stride)));
}

// The mean loss of the minibatch, in thread 0.
fn train_rows(member: Member, rows: u32, thread: u32) -> f32 {
    let share = 1.0 / f32(rows);
    var sum = 0.0;
    for (var r = thread; r < rows; r += threads) {
        sum += train_row(row_of(member, r), member, share);
    }
    add_up(sum, 0.0, thread);
    return partial_losses[0] * share;
}

// What the step `taken` steps behind the run's first needs. 1/(1 - beta^t) by e^x - 1, which keeps its
// precision where beta^t is near 1; beyond 2^24 steps, where f32 no longer counts, it is 1.
fn scalars_of(member: Member, run: Run, taken: u32) -> StepScalars {
    var rate = run.rate;
    if (run.rates_at != NONE) {
        rate = bitcast<vec4<f32>>(shapes[run.rates_at + taken / 4u])[taken % 4u];
    }
    let t = f32(run.step + taken + 1u);
    let correction = -1.0 / exp_m1_4(vec4<f32>(run.ln_beta1 * t, run.ln_beta2 * t, -1.0, -1.0));
    return StepScalars(
        rate, member.momentum, member.nesterov, member.beta1, member.beta2, member.epsilon,
        correction.x, correction.y,
    );
}

// From the output down. A layer's weights change in the interval after the one in which they pass the
// gradient on.
fn all_layers_backward(member: Member, run: Run, scalars: StepScalars, rows: u32, thread: u32) {
    let decay = 1.0 - scalars.rate * run.weight_decay;
    for (var above = run.layer_count; above > 0u; above--) {
        let layer = layer_at(member, above - 1u);
        if (above > 1u) {
            backward_input(layer, rows, thread);
            meet();
        }
        backward_parameters(member, run, layer, scalars, decay, rows, thread);
    }
    meet();
    if (member.clip_norm > 0.0) {
        clip_and_step(member, run, scalars, decay, thread);
    }
}

// The optimizer's step with the gradient times min(1, clip_norm/|g|).
fn clip_and_step(member: Member, run: Run, scalars: StepScalars, decay: f32, thread: u32) {
    // In units of clip_norm: g^2 neither overflows nor vanishes around the limit.
    let unit = 1.0 / member.clip_norm;
    var sum = 0.0;
    for (var e = thread; e < member.parameters_length; e += threads) {
        let g = activation_quad(run.gradients_at + e) * unit;
        sum += dot(g, g);
    }
    add_up(sum, 0.0, thread);
    if (thread == 0u) {
        clip_factor = select(1.0, 1.0 / sqrt(partial_losses[0]), partial_losses[0] > 1.0);
    }
    let factor = workgroupUniformLoad(&clip_factor);
    for (var index = 0u; index < run.layer_count; index++) {
        let layer = layer_at(member, index);
        let bias_row = 4u * layer.input_stride;
        for (var e = thread; e < (bias_row + 1u) * layer.output_stride; e += threads) {
            let input = e / layer.output_stride;
            if (input < layer.input_count || input == bias_row) {
                let element = layer.parameters_at + e;
                let g = activation_quad(run.gradients_at + element) * factor;
                let column = 4u * (e % layer.output_stride);
                step_parameters(member, scalars, element, select(decay, 1.0, input == bias_row), g, column, layer.output_count);
            }
        }
    }
    meet();
}

// The steps of the run; ends before the update of one whose loss is not finite.
fn train(member: Member, run: Run, thread: u32) {
    let fresh = run.first == 1u;
    // Thread 0 keeps the sum of the losses.
    var loss_sum = 0.0;
    if (thread == 0u) {
        loss_sum = select(bitcast<f32>(atomicLoad(&results[member.result_at + RESULT_TRAIN_LOSS])), 0.0, fresh);
        let before = select(atomicLoad(&results[member.result_at + RESULT_DIVERGED_AT]), NONE, fresh);
        atomicStore(&results[member.result_at + RESULT_DIVERGED_AT], before);
        stopped = u32(before != NONE);
    }
    let keys = shuffle_keys(run.epoch, member.stream, dispatch.key);
    var halted = workgroupUniformLoad(&stopped);
    for (var taken = 0u; taken < run.step_count && halted == 0u; taken++) {
        let step = run.step + taken;
        let position = run.row_start + taken * run.batch;
        let rows = min(run.batch, member.train_count - position);
        gather(member, run, position, rows, true, step, keys, thread);
        all_layers_forward(member, run, rows, true, step, thread);
        let mean = train_rows(member, rows, thread);
        if (thread == 0u) {
            loss_sum += mean;
            if (!is_finite(mean)) {
                atomicStore(&results[member.result_at + RESULT_DIVERGED_AT], step);
                stopped = 1u;
            }
        }
        meet();
        halted = workgroupUniformLoad(&stopped);
        if (halted == 0u) {
            all_layers_backward(member, run, scalars_of(member, run, taken), rows, thread);
        }
    }
    if (thread == 0u) {
        atomicStore(&results[member.result_at + RESULT_TRAIN_LOSS], bitcast<u32>(loss_sum));
    }
}

// Scores validation rows, so many at a time; each lot is summed by itself and added to those before it.
fn score(member: Member, run: Run, thread: u32) {
    if (run.score_start == 0u) {
        for (var k = thread; k < 2u * member.output_count; k += threads) {
            atomicStore(&results[member.result_at + RESULT_CLASSES + k], 0u);
        }
        storageBarrier();
    }
    let no_keys = ShuffleKeys(vec4<u32>(0u), vec4<u32>(0u));
    for (var done = 0u; done < run.score_count; done += run.score_rows) {
        let rows = min(run.score_rows, run.score_count - done);
        let position = run.score_start + done;
        gather(member, run, position, rows, false, 0u, no_keys, thread);
        all_layers_forward(member, run, rows, false, done, thread);
        var sums = vec2<f32>(0.0);
        for (var r = thread; r < rows; r += threads) {
            sums += score_row(row_of(member, r), member);
        }
        add_up(sums.x, sums.y, thread);
        if (thread == 0u) {
            add_result(member.result_at + RESULT_LOSS, partial_losses[0], position == 0u);
            add_result(member.result_at + RESULT_ABSOLUTE_ERROR, partial_errors[0], position == 0u);
        }
        meet();
    }
}

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let member = members[dispatch.work_at + index];
    let run = run_at(member.shape_at);
    load_member(member, thread);
    workgroupBarrier();
    if (run.step_count > 0u) {
        train(member, run, thread);
        workgroupBarrier();
        store_member(member, thread);
    }
    if (run.score_count > 0u) {
        if (thread == 0u) {
            stopped = u32(atomicLoad(&results[member.result_at + RESULT_DIVERGED_AT]) != NONE);
        }
        if (workgroupUniformLoad(&stopped) == 0u) {
            score(member, run, thread);
        }
    }
}
