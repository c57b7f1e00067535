// The loss of each member's minibatch and its gradient in place of the outputs (training), or the scores
// of its validation rows (scoring). Sums run over rows in a fixed order: each thread's own rows ascending,
// then a tree over threads. One workgroup: one member. Twin: loss and score_row in src/model/trainer.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> folds: array<u32>;
@group(0) @binding(5) var<storage, read> rows: array<u32>;
@group(0) @binding(6) var<storage, read_write> scratch: array<f32>;
@group(0) @binding(7) var<storage, read_write> results: array<atomic<u32>>;

var<workgroup> partial_losses: array<f32, 64>;
var<workgroup> partial_errors: array<f32, 64>;

fn output_at(row: LossRow, j: u32) -> f32 {
    return scratch[row.output_at + j];
}

fn set_output(row: LossRow, j: u32, value: f32) {
    scratch[row.output_at + j] = value;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let member = members[item.member];
    let control = controls[dispatch.control_at + item.member];
    if (control.row_count == 0u) {
        return;
    }
    let training = control.training == 1u;
    let first = control.first == 1u;
    if (first && !training) {
        for (var k = thread; k < 2u * member.output_count; k += 64u) {
            atomicStore(&results[member.result_at + RESULT_CLASSES + k], 0u);
        }
    }
    storageBarrier();

    let share = 1.0 / f32(control.row_count);
    var sums = vec2<f32>(0.0);
    for (var r = thread; r < control.row_count; r += 64u) {
        let outputs = 4u * (member.output_at + r * member.output_stride);
        let row = loss_row(member, rows[member.rows_at + r], outputs);
        if (training) {
            sums.x += train_row(row, member, share);
        } else {
            sums += score_row(row, member);
        }
    }
    partial_losses[thread] = sums.x;
    partial_errors[thread] = sums.y;
    for (var width = 32u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial_losses[thread] += partial_losses[thread + width];
            partial_errors[thread] += partial_errors[thread + width];
        }
    }
    if (thread != 0u) {
        return;
    }
    if (training) {
        let mean = partial_losses[0] * share;
        let before = select(atomicLoad(&results[member.result_at + RESULT_DIVERGED_AT]), NONE, first);
        let diverged = before == NONE && !is_finite(mean);
        atomicStore(&results[member.result_at + RESULT_DIVERGED_AT], select(before, control.step, diverged));
        add_result(member.result_at + RESULT_TRAIN_LOSS, mean, first);
    } else {
        add_result(member.result_at + RESULT_LOSS, partial_losses[0], first);
        add_result(member.result_at + RESULT_ABSOLUTE_ERROR, partial_errors[0], first);
    }
}
