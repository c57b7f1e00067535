// The tables of kernel machines: twins of the structs in src/engine/gpu/machines/tables.rs; a test compares their
// offsets. Offsets into buffers of vec4, and columns, are counted in vec4.

// What a dispatch is for.
struct Machines {
    // 0, which no compiler can know: see double_single.wgsl.
    seal: u32,
    // Problems of the dispatch, or rows of a part of a matrix.
    count: u32,
    // The first of them.
    start: u32,
    // vec4 of a row of the matrix, which are those of a feature: training rows, then validation rows.
    column_count: u32,
    // Where the validation rows begin among them.
    validation_at: u32,
    feature_count: u32,
    // Whether the base is an inner product, else a squared distance.
    is_product: u32,
    // Rows of each problem that this dispatch decides by; the first of them begin the sum.
    row_start: u32,
    row_end: u32,
    padding0: u32,
    padding1: u32,
    padding2: u32,
}

// One dual problem: a pair of classes of one fold, or its values.
//
// Its rows are those of the first class, then those of the second, each padded to a multiple of 4 with rows whose
// bounds are 0. It has a variable a row in each of its one or two layers.
struct Problem {
    // Columns of the first class; the first of the second class.
    first_at: u32,
    first_count: u32,
    second_at: u32,
    // Of both classes together.
    quad_count: u32,
    layer_count: u32,
    // (layer) F high, F low, a high, a low; then K_i and the diagonal of K: quad_count vec4 each.
    state_at: u32,
    // (layer) p high, p low, low high, low low, high high, high low.
    bounds_at: u32,
    // (layer, quad) bits 0 to 3: what may grow; bits 4 to 7: what may shrink.
    sets_at: u32,
    // Its place among the progress of all.
    progress_at: u32,
    // Iterations at which it stops, and passes that this dispatch may take.
    most_iterations: u32,
    budget: u32,
    // Where its decision values or kernel values go.
    outcomes_at: u32,
    // Its kernel, by its place in ALL.
    kernel: u32,
    gamma: f32,
    coef0: f32,
    degree: u32,
}

// How far a problem has come.
struct Progress {
    // STATUS_...
    status: u32,
    iterations: u32,
    // Since F was computed from a.
    iterations_since: u32,
    // The row up to which F is computed from a; NONE where it is whole.
    rebuilt: u32,
}

const NONE = 0xffffffffu;
const STATUS_RUNNING = 0u;
const STATUS_SOLVED = 1u;
const STATUS_STOPPED = 2u;
const STATUS_BROKEN = 3u;
// Workgroups in one row of a dispatch.
const DISPATCH_WIDTH = 32768u;

struct KernelScalars {
    gamma: f32,
    coef0: f32,
    degree: u32,
}

@group(0) @binding(0) var<uniform> machines: Machines;

fn seal_word() -> u32 {
    return machines.seal;
}
