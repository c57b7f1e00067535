// Sequential minimal optimisation. One workgroup: one problem, for as many passes as its budget says.
// Twin: src/model/svm/smo/, which says what the symbols mean; F and a are pairs of f32 here, f64 there.
//
// What all threads need of the two variables of a step goes through workgroup memory.

// Candidates that one thread looks through.
const STRIDE = 16u;

// m - M at which the device stops: a quarter of LIBSVM's. Where hundreds of vectors are free, an offset may be off by
// twice the gap; on the processor a step of Newton's method closes it.
const TOLERANCE = Pair(0.00025, 0.0);
// Iterations after which F is computed anew from a: at the end, since each may leave a rounding error, where there
// were enough of them to matter; and on the way.
const REBUILD_WORTH = 4096u;
const REBUILD_PERIOD = 262144u;

@group(0) @binding(6) var<storage, read_write> progress: array<Progress>;

// What a step needs of one of its two variables.
struct Side {
    f: Pair,
    a: Pair,
    // The bound that it moves towards.
    bound: Pair,
    // K of its row with itself, and with that of the first.
    own: f32,
    cross: f32,
}

// What all threads do next.
struct Verdict {
    most: Candidate,
    is_open: u32,
    is_broken: u32,
}

var<workgroup> mosts: array<Candidate, threads>;
var<workgroup> leasts: array<Candidate, threads>;
var<workgroup> most_heads: array<Candidate, 16>;
var<workgroup> least_heads: array<Candidate, 16>;
var<workgroup> first: Side;
var<workgroup> second: Side;
var<workgroup> verdict: Verdict;
var<workgroup> begun: Progress;

// Looks through what the threads have found, in two stages: this one, and whoever reads the heads.
fn reduce_mosts(lane: u32) {
    if (lane < threads / STRIDE) {
        var best = mosts[lane * STRIDE];
        for (var i = 1u; i < STRIDE; i++) {
            best = larger(best, mosts[lane * STRIDE + i]);
        }
        most_heads[lane] = best;
    }
}

fn reduce_leasts(lane: u32) {
    if (lane < threads / STRIDE) {
        var best = leasts[lane * STRIDE];
        for (var i = 1u; i < STRIDE; i++) {
            best = larger(best, leasts[lane * STRIDE + i]);
        }
        least_heads[lane] = best;
    }
}

fn best_of_most_heads() -> Candidate {
    var best = most_heads[0];
    for (var i = 1u; i < threads / STRIDE; i++) {
        best = larger(best, most_heads[i]);
    }
    return best;
}

// Whether the extremes are further apart than the tolerance, and who is m.
fn judge(is_broken: bool) -> Verdict {
    let most = best_of_most_heads();
    var least = least_heads[0];
    for (var i = 1u; i < threads / STRIDE; i++) {
        least = larger(least, least_heads[i]);
    }
    // Nothing may move where one of the sets is empty.
    let is_there = most.at != NONE && least.at != NONE;
    let gap = pair_add(most.value, least.value);
    let is_open = is_there && pair_less(TOLERANCE, gap);
    let is_wrong = is_broken || (is_there && !is_finite(gap.high));
    return Verdict(most, select(0u, 1u, is_open), select(0u, 1u, is_wrong));
}

// The number of a variable's side; it grows where it is the first.
fn side_of(problem: Problem, variable: u32, grows: bool) -> Side {
    let n = problem.quad_count;
    let at = place_in_state(problem, variable);
    let bound = place_in_bounds(problem, variable) + select(2u, 4u, grows) * n;
    let quad = (variable / 4u) % n;
    return Side(
        state_of(at, n, variable),
        state_of(at + 2u * n, n, variable),
        bound_of(bound, n, variable),
        state[diagonal_at(problem) + quad][variable % 4u],
        state[k_at(problem) + quad][variable % 4u],
    );
}

// Moves a variable by t, or to its bound, which it then meets exactly. Notes where it may go from there.
fn move_variable(problem: Problem, variable: u32, t: Pair, is_met: bool, side: Side) {
    let n = problem.quad_count;
    let c = variable % 4u;
    var a = pair_add(side.a, t);
    if (is_met) {
        a = side.bound;
    }
    let at = place_in_state(problem, variable) + 2u * n;
    state[at][c] = a.high;
    state[at + n][c] = a.low;
    let limits = place_in_bounds(problem, variable);
    let may_grow = pair_less(a, bound_of(limits + 4u * n, n, variable));
    let may_shrink = pair_less(bound_of(limits + 2u * n, n, variable), a);
    let word = problem.sets_at + variable / 4u;
    let others = sets[word] & ~(0x11u << c);
    sets[word] = others | select(0u, 1u << c, may_grow) | select(0u, 0x10u << c, may_shrink);
}

// As much as is best to move from the second variable to the first, before the box is asked.
fn best_step() -> Pair {
    let toward = pair_subtract(Pair(first.own, 0.0), Pair(second.cross, 0.0));
    let back = pair_subtract(Pair(second.own, 0.0), Pair(second.cross, 0.0));
    var curvature = pair_add(toward, back);
    if (!(curvature.high > 0.0)) {
        curvature = Pair(CURVATURE_FLOOR, 0.0);
    }
    return pair_divide(pair_subtract(first.f, second.f), curvature);
}

// Takes a step from j to i, and gives how far.
fn step(problem: Problem, lane: u32, i: u32, j: u32) -> Pair {
    let room_i = pair_subtract(first.bound, first.a);
    let room_j = pair_subtract(second.a, second.bound);
    var t = best_step();
    if (pair_less(room_i, t)) {
        t = room_i;
    }
    if (pair_less(room_j, t)) {
        t = room_j;
    }
    if (owns(problem, i, lane)) {
        move_variable(problem, i, t, !pair_less(t, room_i), first);
    }
    if (owns(problem, j, lane)) {
        move_variable(problem, j, Pair(-t.high, -t.low), !pair_less(t, room_j), second);
    }
    return t;
}

@compute @workgroup_size(threads)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = group.x + group.y * DISPATCH_WIDTH;
    if (at >= machines.count) {
        return;
    }
    let problem = problems[machines.start + at];
    let row_count = 4u * problem.quad_count;
    if (lane == 0u) {
        begun = progress[problem.progress_at];
    }
    compute_diagonal(problem, lane);
    storageBarrier();
    var now = workgroupUniformLoad(&begun);
    var left = problem.budget;
    var is_broken = false;
    loop {
        if (now.rebuilt != NONE) {
            let end = min(now.rebuilt + left, row_count);
            storageBarrier();
            rebuild(problem, lane, now.rebuilt, end);
            left -= end - now.rebuilt;
            now.rebuilt = end;
            if (end == row_count) {
                now.rebuilt = NONE;
                now.iterations_since = 0u;
            }
        }
        if (left == 0u) {
            break;
        }
        var extremes = scan(problem, lane);
        loop {
            mosts[lane] = extremes.most;
            leasts[lane] = extremes.least;
            workgroupBarrier();
            reduce_mosts(lane);
            reduce_leasts(lane);
            workgroupBarrier();
            if (lane == 0u) {
                verdict = judge(is_broken);
            }
            let told = workgroupUniformLoad(&verdict);
            if (told.is_broken != 0u) {
                now.status = STATUS_BROKEN;
                break;
            }
            if (told.is_open == 0u) {
                if (now.iterations_since >= REBUILD_WORTH) {
                    now.rebuilt = 0u;
                } else {
                    now.status = STATUS_SOLVED;
                }
                break;
            }
            if (now.iterations >= problem.most_iterations) {
                now.status = STATUS_STOPPED;
                break;
            }
            if (now.iterations_since >= REBUILD_PERIOD) {
                now.rebuilt = 0u;
                break;
            }
            if (left == 0u) {
                break;
            }
            let i = told.most.at;
            mosts[lane] = partner(problem, lane, told.most, row_of(problem, i % row_count));
            if (owns(problem, i, lane)) {
                first = side_of(problem, i, true);
            }
            workgroupBarrier();
            reduce_mosts(lane);
            workgroupBarrier();
            let partner_of_i = best_of_most_heads().at;
            let j = select(partner_of_i, i, partner_of_i == NONE);
            if (owns(problem, j, lane)) {
                second = side_of(problem, j, false);
            }
            workgroupBarrier();
            let t = step(problem, lane, i, j);
            is_broken = partner_of_i == NONE || !is_finite(t.high);
            extremes = advance(problem, lane, t, row_of(problem, j % row_count));
            now.iterations += 1u;
            now.iterations_since += 1u;
            left -= 1u;
        }
        if (now.rebuilt == NONE || left == 0u) {
            break;
        }
    }
    if (lane == 0u) {
        progress[problem.progress_at] = now;
    }
}
