// The passes over all variables of a problem that a step of its solver consists of, each thread over its own.
// Twin: src/model/svm/smo/passes.rs.
//
// Every thread owns some quads of the problem's rows, for good: F, a and K_i of a variable are read and written by
// one thread alone. Of equal values the lowest variable counts, so nothing depends on the number of threads.

// Threads of the workgroup: 16 to 256, a multiple of 16.
override threads: u32 = 64u;
// What a curvature that is not above 0 is taken for, as in LIBSVM.
const CURVATURE_FLOOR = 1e-12;
// See rough_reciprocal in src/model/svm/smo/passes.rs.
const ROUGH_RECIPROCAL = 0x7ef311c3u;

@group(0) @binding(3) var<storage, read> bounds: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> sets: array<u32>;

// A number and the variable it belongs to; NONE where there is none.
struct Candidate {
    value: Pair,
    at: u32,
}

// Of all variables.
struct Extremes {
    // m
    most: Candidate,
    // -M
    least: Candidate,
}

fn none() -> Candidate {
    return Candidate(Pair(0.0, 0.0), NONE);
}

// The larger of two, of equals that of the lower variable.
fn larger(a: Candidate, b: Candidate) -> Candidate {
    let b_wins = pair_less(a.value, b.value) || (!pair_less(b.value, a.value) && b.at < a.at);
    if (a.at == NONE || (b.at != NONE && b_wins)) {
        return b;
    }
    return a;
}

fn f_at(problem: Problem, layer: u32) -> u32 {
    return problem.state_at + 4u * layer * problem.quad_count;
}

fn k_at(problem: Problem) -> u32 {
    return problem.state_at + 4u * problem.layer_count * problem.quad_count;
}

fn diagonal_at(problem: Problem) -> u32 {
    return k_at(problem) + problem.quad_count;
}

// Whether a variable's quad is this thread's.
fn owns(problem: Problem, variable: u32, lane: u32) -> bool {
    return (variable / 4u) % problem.quad_count % threads == lane;
}

// A number of a variable, of the pair of planes that begins here.
fn bound_of(at: u32, plane: u32, variable: u32) -> Pair {
    return Pair(bounds[at][variable % 4u], bounds[at + plane][variable % 4u]);
}

fn state_of(at: u32, plane: u32, variable: u32) -> Pair {
    return Pair(state[at][variable % 4u], state[at + plane][variable % 4u]);
}

// The first place of a variable's planes: of F, and of p.
fn place_in_state(problem: Problem, variable: u32) -> u32 {
    let quad = variable / 4u;
    return f_at(problem, quad / problem.quad_count) + quad % problem.quad_count;
}

fn place_in_bounds(problem: Problem, variable: u32) -> u32 {
    let quad = variable / 4u;
    return problem.bounds_at + 6u * (quad / problem.quad_count) * problem.quad_count + quad % problem.quad_count;
}

// K_ii of every row: it is read by all threads.
fn compute_diagonal(problem: Problem, lane: u32) {
    for (var quad = lane; quad < problem.quad_count; quad += threads) {
        let column = column_of(problem, quad);
        var values = vec4<f32>(0.0);
        for (var c = 0u; c < 4u; c++) {
            values[c] = kernel_values(problem, 4u * column + c, column)[c];
        }
        state[diagonal_at(problem) + quad] = values;
    }
}

fn load_f(problem: Problem, layer: u32, quad: u32) -> Pair4 {
    let at = f_at(problem, layer) + quad;
    return Pair4(state[at], state[at + problem.quad_count]);
}

fn store_f(problem: Problem, layer: u32, quad: u32, f: Pair4) {
    let at = f_at(problem, layer) + quad;
    state[at] = f.high;
    state[at + problem.quad_count] = f.low;
}

fn load_p(problem: Problem, layer: u32, quad: u32) -> Pair4 {
    let at = problem.bounds_at + 6u * layer * problem.quad_count + quad;
    return Pair4(bounds[at], bounds[at + problem.quad_count]);
}

// The sum of a row's variables.
fn coefficient_of(problem: Problem, row: u32) -> Pair {
    var sum = Pair(0.0, 0.0);
    for (var layer = 0u; layer < problem.layer_count; layer++) {
        let at = place_in_state(problem, row) + (4u * layer + 2u) * problem.quad_count;
        sum = pair_add(sum, state_of(at, problem.quad_count, row));
    }
    return sum;
}

// Takes the share of rows from `start` on off F, which begins as p.
fn rebuild(problem: Problem, lane: u32, start: u32, end: u32) {
    let last = problem.layer_count - 1u;
    for (var quad = lane; quad < problem.quad_count; quad += threads) {
        let column = column_of(problem, quad);
        var f = load_f(problem, 0u, quad);
        var f_last = load_f(problem, last, quad);
        if (start == 0u) {
            f = load_p(problem, 0u, quad);
            f_last = load_p(problem, last, quad);
        }
        for (var row = start; row < end; row++) {
            let a = coefficient_of(problem, row);
            if (a.high != 0.0) {
                let values = kernel_values(problem, row_of(problem, row), column);
                let share = pair_multiply4(wide(a), Pair4(values, vec4<f32>(0.0)));
                f = pair_subtract4(f, share);
                f_last = pair_subtract4(f_last, share);
            }
        }
        store_f(problem, 0u, quad, f);
        if (last != 0u) {
            store_f(problem, last, quad, f_last);
        }
    }
}

fn consider(so_far: Extremes, variable: u32, allowed: u32, f: Pair4) -> Extremes {
    var extremes = so_far;
    for (var c = 0u; c < 4u; c++) {
        let value = Pair(f.high[c], f.low[c]);
        if ((allowed >> c & 1u) != 0u) {
            extremes.most = larger(extremes.most, Candidate(value, variable + c));
        }
        if ((allowed >> (c + 4u) & 1u) != 0u) {
            extremes.least = larger(extremes.least, Candidate(Pair(-value.high, -value.low), variable + c));
        }
    }
    return extremes;
}

fn set_at(problem: Problem, layer: u32, quad: u32) -> u32 {
    return problem.sets_at + layer * problem.quad_count + quad;
}

// Of this thread's variables, as they are.
fn scan(problem: Problem, lane: u32) -> Extremes {
    var extremes = Extremes(none(), none());
    for (var quad = lane; quad < problem.quad_count; quad += threads) {
        for (var layer = 0u; layer < problem.layer_count; layer++) {
            let variable = 4u * (layer * problem.quad_count + quad);
            let allowed = sets[set_at(problem, layer, quad)];
            extremes = consider(extremes, variable, allowed, load_f(problem, layer, quad));
        }
    }
    return extremes;
}

// F -= t (K_i - K_j), then the same.
fn advance(problem: Problem, lane: u32, t: Pair, row_j: u32) -> Extremes {
    var extremes = Extremes(none(), none());
    for (var quad = lane; quad < problem.quad_count; quad += threads) {
        let k_j = kernel_values(problem, row_j, column_of(problem, quad));
        let change = pair_multiply4(wide(t), two_sum4(state[k_at(problem) + quad], -k_j));
        for (var layer = 0u; layer < problem.layer_count; layer++) {
            let f = pair_subtract4(load_f(problem, layer, quad), change);
            store_f(problem, layer, quad, f);
            let variable = 4u * (layer * problem.quad_count + quad);
            extremes = consider(extremes, variable, sets[set_at(problem, layer, quad)], f);
        }
    }
    return extremes;
}

// 1/x for positive x, to some percent: gains only choose.
fn rough_reciprocal4(x: vec4<f32>) -> vec4<f32> {
    let rough = bitcast<vec4<f32>>(vec4<u32>(ROUGH_RECIPROCAL) - bitcast<vec4<u32>>(x));
    return seal4(rough * seal4(2.0 - seal4(x * rough)));
}

// The best partner among this thread's variables, by (m - F_j)^2 / curvature. Leaves K_i behind.
fn partner(problem: Problem, lane: u32, most: Candidate, row_i: u32) -> Candidate {
    let local = most.at % (4u * problem.quad_count);
    let own = state[diagonal_at(problem) + local / 4u][local % 4u];
    let floor = vec4<f32>(CURVATURE_FLOOR);
    var best = none();
    for (var quad = lane; quad < problem.quad_count; quad += threads) {
        let values = kernel_values(problem, row_i, column_of(problem, quad));
        state[k_at(problem) + quad] = values;
        let diagonal = state[diagonal_at(problem) + quad];
        let curvature = seal4(seal4(own + diagonal) - (values + values));
        let weight = rough_reciprocal4(select(floor, curvature, curvature > floor));
        for (var layer = 0u; layer < problem.layer_count; layer++) {
            let f = load_f(problem, layer, quad);
            let above = seal4(seal4(most.value.high - f.high) + seal4(most.value.low - f.low));
            let gain = seal4(seal4(above * above) * weight);
            let allowed = sets[set_at(problem, layer, quad)] >> 4u;
            for (var c = 0u; c < 4u; c++) {
                if ((allowed >> c & 1u) != 0u && above[c] > 0.0) {
                    let variable = 4u * (layer * problem.quad_count + quad) + c;
                    best = larger(best, Candidate(Pair(gain[c], 0.0), variable));
                }
            }
        }
    }
    return best;
}
