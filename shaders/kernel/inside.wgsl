// Counts what goes on inside a member in bins of powers of two, and adds up what cannot be counted. One workgroup:
// one histogram of one layer of one member. Counts are whole numbers, which any order gives; sums run over each
// thread's own elements ascending, then up a tree. Twin: src/model/inside.rs.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> work: array<Work>;
@group(0) @binding(3) var<storage, read> controls: array<Control>;
@group(0) @binding(4) var<storage, read> layers: array<Layer>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>; // after the step
@group(0) @binding(6) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> scratch: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> counts: array<u32>; // (histogram, word)

const THREADS = 256u;
const BINS = 128u;
// Behind the bins: closed pairs, dead units, two sums.
const WORDS = 132u;
// A tile says which histogram, and which of the buffer's.
const KINDS = 8u;
const PRE_ACTIVATIONS = 0u;
const ACTIVATIONS = 1u;
const D_PRE_ACTIVATIONS = 2u;
const GRADIENTS = 3u;

const NAN = 0u;
const POSITIVE_INFINITY = 1u;
const NEGATIVE_INFINITY = 2u;
const ZERO = 3u;
const NEGATIVE = 4u;
const POSITIVE = 66u;
const LOWEST = -41;
const OF_SIGN = 62;

var<workgroup> bins: array<atomic<u32>, BINS>;
var<workgroup> partial_sums: array<vec2<f32>, THREADS>;
var<workgroup> partial_counts: array<vec2<u32>, THREADS>;

fn bin(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    let exponent = bits >> 23u & 0xffu;
    let negative = bits >> 31u == 1u;
    if (exponent == 0u) {
        return ZERO;
    }
    if (exponent == 0xffu) {
        let infinity = select(POSITIVE_INFINITY, NEGATIVE_INFINITY, negative);
        return select(infinity, NAN, (bits & 0x007fffffu) != 0u);
    }
    let place = u32(clamp(i32(exponent) - 127 - LOWEST, 0, OF_SIGN - 1));
    return place + select(POSITIVE, NEGATIVE, negative);
}

// Counts the first of four elements that lie within a row of so many.
fn count4(x: vec4<f32>, quad: u32, row: u32) {
    for (var k = 0u; k < min(4u, row - min(row, 4u * quad)); k++) {
        atomicAdd(&bins[bin(x[k])], 1u);
    }
}

// z of all rows; or its gradient, with the sum of squares.
fn count_rows(at: u32, layer: Layer, row_count: u32, thread: u32) -> vec2<f32> {
    var sum = 0.0;
    for (var e = thread; e < row_count * layer.output_stride; e += THREADS) {
        let x = scratch[at + e];
        count4(x, e % layer.output_stride, layer.output_count);
        sum += dot(x, x);
    }
    return vec2<f32>(sum, 0.0);
}

// f(z), with the sum of its size; each thread takes whole units, four at a time, through all rows.
fn count_activations(layer: Layer, member: Member, control: Control, thread: u32) -> vec2<f32> {
    var sum = 0.0;
    var closed = vec2<u32>(0u);
    for (var quad = thread; quad < layer.output_stride; quad += THREADS) {
        var open = vec4<u32>(0u);
        for (var row = 0u; row < control.row_count; row++) {
            let a = activation(member.activation, scratch[layer.output_at + row * layer.output_stride + quad]);
            let value = keep_inside(a.value, 4u * quad, layer.output_count);
            count4(value, quad, layer.output_count);
            sum += dot(abs(value), vec4<f32>(1.0));
            // Of bits: a slope that is no number is not closed.
            let size = bitcast<vec4<u32>>(a.derivative) & vec4<u32>(0x7fffffffu);
            open += vec4<u32>(size >= vec4<u32>(bitcast<u32>(control.closed_below)));
        }
        for (var k = 0u; k < min(4u, layer.output_count - min(layer.output_count, 4u * quad)); k++) {
            closed.x += control.row_count - open[k];
            closed.y += u32(open[k] == 0u);
        }
    }
    partial_counts[thread] = closed;
    return vec2<f32>(sum, 0.0);
}

// The gradient before any clipping; padded rows of weights are none of it.
fn count_gradients(layer: Layer, thread: u32) {
    let bias_row = 4u * layer.input_stride;
    for (var e = thread; e < (bias_row + 1u) * layer.output_stride; e += THREADS) {
        let input = e / layer.output_stride;
        if (input < layer.input_count || input == bias_row) {
            count4(gradients[layer.parameters_at + e], e % layer.output_stride, layer.output_count);
        }
    }
}

// |update| / |weight| of weights, with the sums of both's squares; 0 where nothing was added to nothing.
fn count_updates(layer: Layer, thread: u32) -> vec2<f32> {
    var sums = vec2<f32>(0.0);
    for (var e = thread; e < layer.input_count * layer.output_stride; e += THREADS) {
        let before = scratch[layer.before_at + e];
        let update = weights[layer.parameters_at + e] - before;
        sums += vec2<f32>(dot(before, before), dot(update, update));
        let quad = e % layer.output_stride;
        for (var k = 0u; k < min(4u, layer.output_count - min(layer.output_count, 4u * quad)); k++) {
            var place = bin(abs(update[k]));
            // A number over 0 is infinite, whatever a device makes of the division.
            if (place != NAN && place != ZERO) {
                place = POSITIVE_INFINITY;
                if (bin(before[k]) != ZERO) {
                    place = bin(abs(update[k]) / abs(before[k]));
                }
            }
            atomicAdd(&bins[place], 1u);
        }
    }
    return sums;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = group.y * DISPATCH_WIDTH + group.x;
    if (index >= dispatch.work_count) {
        return;
    }
    let item = work[dispatch.work_at + index];
    let control = controls[dispatch.control_at + item.member];
    let layer = layers[item.layer];
    if (thread < BINS) {
        atomicStore(&bins[thread], 0u);
    }
    partial_counts[thread] = vec2<u32>(0u);
    workgroupBarrier();

    var sums = vec2<f32>(0.0);
    switch item.tile % KINDS {
        case PRE_ACTIVATIONS: { sums = count_rows(layer.output_at, layer, control.row_count, thread); }
        case ACTIVATIONS: { sums = count_activations(layer, members[item.member], control, thread); }
        case D_PRE_ACTIVATIONS: { sums = count_rows(layer.gradient_at, layer, control.row_count, thread); }
        case GRADIENTS: { count_gradients(layer, thread); }
        default: { sums = count_updates(layer, thread); }
    }
    partial_sums[thread] = sums;
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial_sums[thread] += partial_sums[thread + width];
            partial_counts[thread] += partial_counts[thread + width];
        }
    }
    workgroupBarrier();
    let at = item.tile / KINDS * WORDS;
    if (thread < BINS) {
        counts[at + thread] = atomicLoad(&bins[thread]);
    }
    if (thread == 0u) {
        counts[at + BINS] = partial_counts[0].x;
        counts[at + BINS + 1u] = partial_counts[0].y;
        counts[at + BINS + 2u] = bitcast<u32>(partial_sums[0].x);
        counts[at + BINS + 3u] = bitcast<u32>(partial_sums[0].y);
    }
}
