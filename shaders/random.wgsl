// Philox4x32-10 streams and the keyed permutation that draws minibatches. Twin of src/random.rs.

const PURPOSE_SHUFFLE = 2u;
const PURPOSE_DROPOUT = 3u;

// The high word of a 32 x 32 -> 64 bit product, in 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let low = a_low * b_low;
    let middle = a_high * b_low + (low >> 16u);
    let other = a_low * b_high + (middle & 0xffffu);
    return a_high * b_high + (middle >> 16u) + (other >> 16u);
}

fn philox4x32(counter_in: vec4<u32>, key_in: vec2<u32>) -> vec4<u32> {
    var counter = counter_in;
    var key = key_in;
    for (var round = 0u; round < 10u; round++) {
        let high0 = multiply_high(counter.x, 0xD2511F53u);
        let low0 = counter.x * 0xD2511F53u;
        let high1 = multiply_high(counter.z, 0xCD9E8D57u);
        let low1 = counter.z * 0xCD9E8D57u;
        counter = vec4<u32>(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key = key + vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

// A word as a uniform number in [0, 1), exact.
fn uniform4(word: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(word >> vec4<u32>(8u)) * (1.0 / 16777216.0);
}

fn mix_bits(x_in: u32) -> u32 {
    var x = x_in;
    x ^= x >> 16u;
    x *= 0x7feb352du;
    x ^= x >> 15u;
    x *= 0x846ca68bu;
    return x ^ (x >> 16u);
}

fn feistel(value: u32, half_bits: u32, low: vec4<u32>, high: vec4<u32>) -> u32 {
    let mask = (1u << half_bits) - 1u;
    var left = value >> half_bits;
    var right = value & mask;
    for (var round = 0u; round < 8u; round++) {
        let key = select(low[round & 3u], high[round & 3u], round >= 4u);
        let next = left ^ (mix_bits(right ^ key) & mask);
        left = right;
        right = next;
    }
    return (left << half_bits) | right;
}

// The keys of an epoch's permutation: the same for all its rows.
struct ShuffleKeys {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn shuffle_keys(epoch: u32, stream: u32, key: vec2<u32>) -> ShuffleKeys {
    return ShuffleKeys(
        philox4x32(vec4<u32>(0u, epoch, stream, PURPOSE_SHUFFLE), key),
        philox4x32(vec4<u32>(1u, epoch, stream, PURPOSE_SHUFFLE), key),
    );
}

// Where `position` of an epoch is sent, of `count` rows.
fn permute(position: u32, count: u32, half_bits: u32, keys: ShuffleKeys) -> u32 {
    var value = feistel(position, half_bits, keys.low, keys.high);
    while (value >= count) {
        value = feistel(value, half_bits, keys.low, keys.high);
    }
    return value;
}

// The dropout factors, 0 or 1/(1 - p), of four units: block is row * ceil(units / 4) + unit / 4.
fn dropout_factors(block: u32, layer: u32, step: u32, stream: u32, key: vec2<u32>, probability: f32) -> vec4<f32> {
    let word = philox4x32(vec4<u32>(block, step, stream, PURPOSE_DROPOUT | (layer << 8u)), key);
    return select(vec4<f32>(1.0 / (1.0 - probability)), vec4<f32>(0.0), uniform4(word) < vec4<f32>(probability));
}
