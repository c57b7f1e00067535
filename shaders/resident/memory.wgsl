// Where the resident plan keeps a member while it trains: weights on chip (workgroup memory) always,
// moments and activations there where they fit, else in the arenas. The overrides are those of
// src/engine/gpu/variant.rs; their conditions are constants of the pipeline.

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> members: array<Member>;
@group(0) @binding(2) var<storage, read> shapes: array<vec4<u32>>; // per member: its run, its layers, its rates
@group(0) @binding(3) var<storage, read> table: array<vec4<f32>>; // (row, feature), input_stride vec4 a row
@group(0) @binding(4) var<storage, read> folds: array<u32>;
@group(0) @binding(5) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> results: array<atomic<u32>>;

override threads: u32 = 64u;
// vec4 on chip: the weights, then the moments and the activations that are there.
override chip_quads: u32 = 512u;
// Most rows of a minibatch.
override most_rows: u32 = 64u;
override moments_on_chip: bool = true;
override activations_on_chip: bool = true;

var<workgroup> chip: array<vec4<f32>, chip_quads>;
// The rows of the table that the minibatch holds.
var<workgroup> sources: array<u32, most_rows>;
var<workgroup> partial_losses: array<f32, threads>;
var<workgroup> partial_errors: array<f32, threads>;
// 1 once a loss was not finite.
var<workgroup> stopped: u32;
var<workgroup> clip_factor: f32;

// What a member does in one dispatch: steps within one epoch, then a part of its scoring.
struct Run {
    // Steps to take, the number of the first one, its first position in the epoch's order, the epoch.
    step_count: u32,
    step: u32,
    row_start: u32,
    epoch: u32,
    // The learning rate of all steps, unless rates_at says where each step's stands.
    rate: f32,
    weight_decay: f32,
    // Natural logarithms of the decay rates of the moments.
    ln_beta1: f32,
    ln_beta2: f32,
    rates_at: u32,
    layer_count: u32,
    // 1 where the epoch's results start afresh.
    first: u32,
    // Rows of a minibatch.
    batch: u32,
    // Validation rows to score: the first one, how many, how many at a time.
    score_start: u32,
    score_count: u32,
    score_rows: u32,
    // Where the gradient of a member that clips lies, with its activations.
    gradients_at: u32,
    // Where the outputs of the rows scored in this dispatch go in the scratch arena; NONE where nobody asks.
    outputs_at: u32,
}

const RUN_QUADS = 5u;
const LAYER_QUADS = 3u;

fn run_at(at: u32) -> Run {
    let a = shapes[at];
    let b = bitcast<vec4<f32>>(shapes[at + 1u]);
    let c = shapes[at + 2u];
    let d = shapes[at + 3u];
    let e = shapes[at + 4u];
    return Run(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w, c.x, c.y, c.z, c.w, d.x, d.y, d.z, d.w, e.x);
}

// A layer whose parameters_at counts from the member's first parameter, and whose other places are those
// of activations.
fn layer_at(member: Member, index: u32) -> Layer {
    let at = member.shape_at + RUN_QUADS + LAYER_QUADS * index;
    let a = shapes[at];
    let b = shapes[at + 1u];
    let c = shapes[at + 2u];
    return Layer(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w, c.x, c.y, c.z, c.w);
}

// vec4 from one row of activations to the next: odd, so that threads that read neighbouring rows meet
// different banks of the memory.
fn row_stride(stride: u32) -> u32 {
    return stride | 1u;
}

fn activation_quad(at: u32) -> vec4<f32> {
    if (activations_on_chip) {
        return chip[at];
    }
    return scratch[at];
}

fn set_activation_quad(at: u32, value: vec4<f32>) {
    if (activations_on_chip) {
        chip[at] = value;
    } else {
        scratch[at] = value;
    }
}

fn output_at(row: LossRow, j: u32) -> f32 {
    let at = row.output_at + j;
    return activation_quad(at / 4u)[at % 4u];
}

// All outputs of a row are one thread's, so that writing a part of a vec4 races with nobody.
fn set_output(row: LossRow, j: u32, value: f32) {
    let at = row.output_at + j;
    if (activations_on_chip) {
        chip[at / 4u][at % 4u] = value;
    } else {
        scratch[at / 4u][at % 4u] = value;
    }
}

// Parameter `element` counts vec4 from the member's first.
fn first_moment(member: Member, element: u32) -> vec4<f32> {
    if (moments_on_chip) {
        return chip[member.parameters_length + element];
    }
    return moments[member.parameters_at + element];
}

fn second_moment(member: Member, element: u32) -> vec4<f32> {
    if (moments_on_chip) {
        return chip[2u * member.parameters_length + element];
    }
    return moments[dispatch.second_moment_at + member.parameters_at + element];
}

fn set_moments(member: Member, element: u32, m: vec4<f32>, v: vec4<f32>) {
    if (moments_on_chip) {
        chip[member.parameters_length + element] = m;
        chip[2u * member.parameters_length + element] = v;
    } else {
        moments[member.parameters_at + element] = m;
        moments[dispatch.second_moment_at + member.parameters_at + element] = v;
    }
}

// Brings the member on chip.
fn load_member(member: Member, thread: u32) {
    for (var e = thread; e < member.parameters_length; e += threads) {
        chip[e] = weights[member.parameters_at + e];
        if (moments_on_chip) {
            let m = moments[member.parameters_at + e];
            set_moments(member, e, m, moments[dispatch.second_moment_at + member.parameters_at + e]);
        }
    }
}

// Puts it back where the host finds it.
fn store_member(member: Member, thread: u32) {
    for (var e = thread; e < member.parameters_length; e += threads) {
        weights[member.parameters_at + e] = chip[e];
        if (moments_on_chip) {
            moments[member.parameters_at + e] = first_moment(member, e);
            moments[dispatch.second_moment_at + member.parameters_at + e] = second_moment(member, e);
        }
    }
}

// Every thread sees what all have written.
fn meet() {
    if (!activations_on_chip) {
        storageBarrier();
    }
    workgroupBarrier();
}
