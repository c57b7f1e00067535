// The device's bandwidth: a copy from one buffer to another. One invocation: every `stride`-th vec4 from its
// own on, so that neighbours read neighbouring words. Each pass adds a vec4's own index to it, so that what
// stands there after some passes tells how many there were. Checked by src/engine/gpu/ceiling.rs.

struct Load {
    count: u32, // vec4
    stride: u32, // invocations
    unused: vec2<u32>,
}

@group(0) @binding(0) var<uniform> load: Load;
@group(0) @binding(1) var<storage, read> here: array<vec4<u32>>; // (vec4)
@group(0) @binding(2) var<storage, read_write> there: array<vec4<u32>>; // (vec4)

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var i = id.x; i < load.count; i += load.stride) {
        there[i] = here[i] + i;
    }
}
