//! The WGSL of every kernel, assembled from `shaders/`: the prelude, the families that the kernel uses
//! with a switch over each family's members, and the kernel itself.

use super::variant::{self, Variant};
use crate::model::primitive::{self, Kind};
use crate::model::{activation, loss, optimizer};

const PRELUDE: &str = include_str!("../../../shaders/prelude.wgsl");
pub(super) const NUMERICS: &str = include_str!("../../../shaders/numerics.wgsl");
pub(super) const DOUBLE_SINGLE: &str = include_str!("../../../shaders/svm/double_single.wgsl");
const RANDOM: &str = include_str!("../../../shaders/random.wgsl");
const ROWS: &str = include_str!("../../../shaders/kernel/rows.wgsl");
const LOSS_ROWS: &str = include_str!("../../../shaders/kernel/loss_rows.wgsl");
const TILE: &str = include_str!("../../../shaders/layer/tile.wgsl");

/// One kernel: its name and its whole source.
#[derive(Clone, Debug)]
pub struct Source {
    /// The stem of its file.
    pub name: &'static str,
    /// Assembled WGSL with one entry point, `main`.
    pub wgsl: String,
}

/// The sources of all kernels, in the order of [`Kernel`](super::pipelines::Kernel).
pub fn assemble() -> Vec<Source> {
    assemble_in(&variant::ALL[variant::BASE])
}

/// The same with a variant of the tile.
pub fn assemble_in(variant: &Variant) -> Vec<Source> {
    let tile = variant.shader() + TILE;
    let activations = family("activation", activation::ALL.iter().map(|a| (a.name(), a.shader())));
    let optimizers = family("optimizer", optimizer::ALL.iter().map(|o| (o.name(), o.shader())));
    let losses = family("loss", loss::ALL.iter().map(|l| (l.name(), l.shader())));
    let source = |name, parts: &[&str]| Source { name, wgsl: parts.join("\n") };
    vec![
        source("gather", &[PRELUDE, RANDOM, ROWS, include_str!("../../../shaders/kernel/gather.wgsl")]),
        source(
            "dense_forward",
            &[
                PRELUDE,
                NUMERICS,
                RANDOM,
                &activations,
                &tile,
                include_str!("../../../shaders/layer/dense_forward.wgsl"),
            ],
        ),
        source(
            "loss",
            &[PRELUDE, NUMERICS, &losses, LOSS_ROWS, include_str!("../../../shaders/kernel/loss.wgsl")],
        ),
        source(
            "dense_backward_input",
            &[PRELUDE, &tile, include_str!("../../../shaders/layer/dense_backward_input.wgsl")],
        ),
        source(
            "dense_backward_parameters",
            &[
                PRELUDE,
                &optimizers,
                &tile,
                include_str!("../../../shaders/layer/dense_backward_parameters.wgsl"),
            ],
        ),
        source("clip_norm", &[PRELUDE, include_str!("../../../shaders/kernel/clip_norm.wgsl")]),
        source(
            "clip_apply",
            &[PRELUDE, &optimizers, include_str!("../../../shaders/kernel/clip_apply.wgsl")],
        ),
        source(
            "inside",
            &[PRELUDE, NUMERICS, &activations, include_str!("../../../shaders/kernel/inside.wgsl")],
        ),
        source(
            "resident",
            &[
                PRELUDE,
                NUMERICS,
                RANDOM,
                &activations,
                &losses,
                &optimizers,
                ROWS,
                LOSS_ROWS,
                include_str!("../../../shaders/resident/memory.wgsl"),
                include_str!("../../../shaders/resident/dense.wgsl"),
                include_str!("../../../shaders/resident/train.wgsl"),
            ],
        ),
        source(
            "primitive",
            &[
                PRELUDE,
                NUMERICS,
                RANDOM,
                DOUBLE_SINGLE,
                &primitives(),
                include_str!("../../../shaders/kernel/primitive.wgsl"),
            ],
        ),
    ]
}

/// A switch over the primitives. Numbers are `x` and `y`; their bits, and words, are `a` and `b`.
fn primitives() -> String {
    let case = |(code, primitive): (usize, &primitive::Primitive)| {
        let label = if code == 0 { "case 0u, default" } else { &format!("case {code}u") };
        let value = match primitive.kind {
            Kind::Number { .. } => format!("bitcast<vec4<u32>>({})", primitive.shader),
            Kind::Words { .. } => primitive.shader.to_owned(),
        };
        format!("        {label}: {{ return {value}; }}\n")
    };
    let cases: String = primitive::ALL.iter().enumerate().map(case).collect();
    format!(
        "fn primitive(code: u32, a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {{\n    \
         let x = bitcast<vec4<f32>>(a);\n    let y = bitcast<vec4<f32>>(b);\n    switch code {{\n{cases}    }}\n}}\n"
    )
}

/// The functions of a family, a constant for each member's code, and the switch over them. All members
/// of a workgroup's model are the same, so the switch is uniform in the workgroup.
pub(super) fn family(family: &str, members: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    let (head, arguments) = match family {
        "activation" => ("fn activation(code: u32, x: vec4<f32>) -> Activated", "x"),
        "kernel" => ("fn kernel(code: u32, s: KernelScalars, base: vec4<f32>) -> vec4<f32>", "s, base"),
        "loss" => ("fn loss(code: u32, row: LossRow) -> f32", "row"),
        _ => (
            "fn optimizer(code: u32, s: StepScalars, w: vec4<f32>, g: vec4<f32>, m: ptr<function, vec4<f32>>, v: ptr<function, vec4<f32>>) -> vec4<f32>",
            "s, w, g, m, v",
        ),
    };
    let (mut functions, mut cases) = (String::new(), String::new());
    for (code, (name, shader)) in members.enumerate() {
        functions +=
            &format!("{shader}\nconst {}_{} = {code}u;\n", family.to_uppercase(), name.to_uppercase());
        // The first member doubles as the default, which no code reaches.
        let label = if code == 0 { "case 0u, default" } else { &format!("case {code}u") };
        cases += &format!("        {label}: {{ return {family}_{name}({arguments}); }}\n");
    }
    format!("{functions}\n{head} {{\n    switch code {{\n{cases}    }}\n}}\n")
}
