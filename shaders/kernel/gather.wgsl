// Reads the rows of each member's minibatch out of the table: drawn by the keyed permutation (training)
// or in order (scoring), transformed as the member's fold says, input dropout applied.
// One workgroup: 16 rows of one member. Twin: draw and gather in src/model/trainer.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> table: array<vec4<f32>>; // (row, feature), input_stride vec4 a row
@group(0) @binding(5) var<storage, read> folds: array<u32>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> rows: array<u32>;

const ROWS = 16u;

var<workgroup> sources: array<u32, ROWS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let member = members[item.member];
    let control = controls[dispatch.control_at + item.member];
    let first_row = item.tile * ROWS;
    if (first_row >= control.row_count) {
        return;
    }
    let row_count = min(ROWS, control.row_count - first_row);
    let training = control.training == 1u;
    if (thread < row_count) {
        let position = control.row_start + first_row + thread;
        var source = 0u;
        if (training) {
            source = drawn_row(member, position, shuffle_keys(control.epoch, member.stream, dispatch.key));
        } else {
            source = folds[member.validation_at + position];
        }
        sources[thread] = source;
        rows[member.rows_at + first_row + thread] = source;
    }
    workgroupBarrier();

    let stride = member.input_stride;
    for (var e = thread; e < row_count * stride; e += 64u) {
        let row = e / stride;
        let quad = e % stride;
        let source = sources[row];
        if (source < dispatch.data_row_start || source >= dispatch.data_row_end) {
            continue;
        }
        let stored = table[(source - dispatch.data_row_start) * stride + quad];
        var value = transformed(stored, quad, member);
        if (training && member.input_dropout > 0.0) {
            let block = (first_row + row) * stride + quad;
            value *= dropout_factors(block, 0u, control.step, member.stream, dispatch.key, member.input_dropout);
        }
        scratch[member.input_at + (first_row + row) * stride + quad] = value;
    }
}
