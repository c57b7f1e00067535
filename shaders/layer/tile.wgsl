// One tile of a matrix product: what the three kernels of a dense layer share.
//
// A workgroup makes 4 ROW_QUADS x 4 COLUMN_QUADS numbers, each thread a part of them in named accumulators
// (tile_4x4.wgsl and its like). The inner dimension is walked 4 DEPTH_QUADS at a time. A variant
// (src/engine/gpu/variant.rs) sets the three constants and the threads' part; whatever it is, every sum
// has one accumulator and takes its terms in order, so that variants agree in every bit.
//
// A kernel gives: its Task; read_left and read_right, which read one vec4 of a row of the operand as it is
// stored; whether those rows lie along the inner dimension; and finish_row. What lies beyond an operand's
// last row or vec4 is read as that last one, without a branch: it enters sums that finish_row drops, or is
// never multiplied. Within the inner dimension's last vec4 what lies beyond its end must be 0.

const THREAD_ROWS = ROW_QUADS / THREAD_ROW_QUADS;
const THREAD_COLUMNS = COLUMN_QUADS / THREAD_COLUMN_QUADS;
const THREADS = THREAD_ROWS * THREAD_COLUMNS;

// A slice of each operand, [inner][quad of rows or columns]. An odd number of vec4 a row: turned blocks are
// written down a column of the slice, which an even number would send to the same banks.
const LEFT_STRIDE = ROW_QUADS + 1u;
const RIGHT_STRIDE = COLUMN_QUADS + 1u;
var<workgroup> left: array<vec4<f32>, 4u * DEPTH_QUADS * LEFT_STRIDE>;
var<workgroup> right: array<vec4<f32>, 4u * DEPTH_QUADS * RIGHT_STRIDE>;

// A slice is staged in blocks of 4 x 4, at most one a thread: the first threads take the left operand's.
const LEFT_BLOCKS = ROW_QUADS * DEPTH_QUADS;
const RIGHT_BLOCKS = COLUMN_QUADS * DEPTH_QUADS;

// Where a workgroup's tile begins, in vec4.
struct Corner {
    row_quad: u32,
    column_quad: u32,
}

// Tiles of a product that is so many vec4 wide: neighbours read the same rows of the left operand.
fn corner_of(tile: u32, width: u32) -> Corner {
    let across = (width + COLUMN_QUADS - 1u) / COLUMN_QUADS;
    return Corner(tile / across * ROW_QUADS, tile % across * COLUMN_QUADS);
}

// How many tiles a product of so many vec4 either way has.
fn tiles_of(height: u32, width: u32) -> u32 {
    return ((height + ROW_QUADS - 1u) / ROW_QUADS) * ((width + COLUMN_QUADS - 1u) / COLUMN_QUADS);
}

// Which block of a slice: (quad of the inner dimension, quad of rows or columns). Neighbours read neighbouring
// vec4 of the operand's rows.
fn place_of(block: u32, quads: u32, is_along_inner: bool) -> vec2<u32> {
    if (is_along_inner) {
        return vec2<u32>(block % DEPTH_QUADS, block / DEPTH_QUADS);
    }
    return vec2<u32>(block / quads, block % quads);
}

// (four rows of the operand as it is stored, one vec4 each) The thread's block of the slice at `inner`.
fn read_block(thread: u32, corner: Corner, inner: u32, task: Task) -> mat4x4<f32> {
    if (thread < LEFT_BLOCKS) {
        let place = place_of(thread, ROW_QUADS, LEFT_IS_ALONG_INNER) + vec2<u32>(inner, corner.row_quad);
        let at = select(place, place.yx, LEFT_IS_ALONG_INNER);
        let row = 4u * at.x;
        return mat4x4<f32>(
            read_left(row, at.y, task), read_left(row + 1u, at.y, task),
            read_left(row + 2u, at.y, task), read_left(row + 3u, at.y, task),
        );
    }
    if (thread >= LEFT_BLOCKS + RIGHT_BLOCKS) {
        return mat4x4<f32>();
    }
    let block = thread - LEFT_BLOCKS;
    let place = place_of(block, COLUMN_QUADS, RIGHT_IS_ALONG_INNER) + vec2<u32>(inner, corner.column_quad);
    let at = select(place, place.yx, RIGHT_IS_ALONG_INNER);
    let row = 4u * at.x;
    return mat4x4<f32>(
        read_right(row, at.y, task), read_right(row + 1u, at.y, task),
        read_right(row + 2u, at.y, task), read_right(row + 3u, at.y, task),
    );
}

// Rows along the inner dimension are turned across it, within the thread's registers.
fn turned(block: mat4x4<f32>, is_along_inner: bool) -> mat4x4<f32> {
    if (is_along_inner) {
        return transpose(block);
    }
    return block;
}

// Whole vec4 only: two threads that write parts of one would race.
fn stage_block(thread: u32, block: mat4x4<f32>) {
    if (thread < LEFT_BLOCKS) {
        let place = place_of(thread, ROW_QUADS, LEFT_IS_ALONG_INNER);
        let at = 4u * place.x * LEFT_STRIDE + place.y;
        let lines = turned(block, LEFT_IS_ALONG_INNER);
        left[at] = lines[0];
        left[at + LEFT_STRIDE] = lines[1];
        left[at + 2u * LEFT_STRIDE] = lines[2];
        left[at + 3u * LEFT_STRIDE] = lines[3];
    } else if (thread < LEFT_BLOCKS + RIGHT_BLOCKS) {
        let place = place_of(thread - LEFT_BLOCKS, COLUMN_QUADS, RIGHT_IS_ALONG_INNER);
        let at = 4u * place.x * RIGHT_STRIDE + place.y;
        let lines = turned(block, RIGHT_IS_ALONG_INNER);
        right[at] = lines[0];
        right[at + RIGHT_STRIDE] = lines[1];
        right[at + 2u * RIGHT_STRIDE] = lines[2];
        right[at + 3u * RIGHT_STRIDE] = lines[3];
    }
}

// Adds the products of so many quads of the staged slices.
fn add_slices(before: Sums, row: u32, column: u32, quads: u32) -> Sums {
    var sums = before;
    for (var quad = 0u; quad < quads; quad++) {
        let l = 4u * quad * LEFT_STRIDE + row;
        let r = 4u * quad * RIGHT_STRIDE + column;
        sums = add_line(sums, l, r);
        sums = add_line(sums, l + LEFT_STRIDE, r + RIGHT_STRIDE);
        sums = add_line(sums, l + 2u * LEFT_STRIDE, r + 2u * RIGHT_STRIDE);
        sums = add_line(sums, l + 3u * LEFT_STRIDE, r + 3u * RIGHT_STRIDE);
    }
    return sums;
}

// The tile of a product over `inner_quads` vec4 of the inner dimension, and what becomes of it.
fn make_tile(thread: u32, corner: Corner, inner_quads: u32, task: Task) {
    let row = thread / THREAD_COLUMNS;
    let column = thread % THREAD_COLUMNS;
    var sums = Sums();
    var block = read_block(thread, corner, 0u, task);
    for (var inner = 0u; inner < inner_quads; inner += DEPTH_QUADS) {
        stage_block(thread, block);
        workgroupBarrier();
        // The next slice is on its way from memory while this one is multiplied.
        if (inner + DEPTH_QUADS < inner_quads) {
            block = read_block(thread, corner, inner + DEPTH_QUADS, task);
        }
        sums = add_slices(sums, row, column, min(DEPTH_QUADS, inner_quads - inner));
        workgroupBarrier();
    }
    // A loop, so that what finishes a row is compiled once: it holds every activation, or every optimizer.
    for (var part = 0u; part < THREAD_ROW_QUADS * THREAD_COLUMN_QUADS; part++) {
        let row_quad = corner.row_quad + row + part / THREAD_COLUMN_QUADS * THREAD_ROWS;
        let quad = corner.column_quad + column + part % THREAD_COLUMN_QUADS * THREAD_COLUMNS;
        for (var i = 0u; i < 4u; i++) {
            finish_row(4u * row_quad + i, quad, sums_of(sums, 4u * part + i), task);
        }
    }
}
