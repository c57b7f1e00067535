// What the kernels that read the table share: which row stands at a place of an epoch, and how a fold
// transforms it. They bind `folds`. Twin: draw and gather in src/model/trainer.rs.

fn four_words(at: u32) -> vec4<u32> {
    return vec4<u32>(folds[at], folds[at + 1u], folds[at + 2u], folds[at + 3u]);
}

// The row of the table at `position` of the epoch that the keys belong to.
fn drawn_row(member: Member, position: u32, keys: ShuffleKeys) -> u32 {
    return folds[member.train_at + permute(position, member.train_count, member.half_bits, keys)];
}

// Four features of a row as the member's fold sees them.
fn transformed(stored: vec4<f32>, quad: u32, member: Member) -> vec4<f32> {
    // Three planes of 4 * stride words each: shift, scale, fill.
    let stride = member.input_stride;
    let at = member.transform_at + 4u * quad;
    let shift = bitcast<vec4<f32>>(four_words(at));
    let scale = bitcast<vec4<f32>>(four_words(at + 4u * stride));
    let fill = bitcast<vec4<f32>>(four_words(at + 8u * stride));
    let missing = (bitcast<vec4<u32>>(stored) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    return keep_inside(select((stored - shift) * scale, fill, missing), 4u * quad, member.input_count);
}
