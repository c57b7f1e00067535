//! The tables that kernels read: twins of the structs in `shaders/prelude.wgsl`, which says what each
//! field means. A test compares their offsets.

use bytemuck::{Pod, Zeroable};

/// Marks an absent offset.
pub const NONE: u32 = u32::MAX;

/// Generates a `repr(C)` struct of 4-byte fields with the names of its fields, for the layout test.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
        pub struct $name {
            $(#[allow(missing_docs, reason = "the shader says what each field means")] pub $field: $kind,)*
        }

        impl $name {
            /// The names of the fields and their offsets in bytes, in order.
            pub fn fields() -> Vec<(&'static str, usize)> {
                vec![$((stringify!($field), std::mem::offset_of!($name, $field)),)*]
            }
        }
    };
}

pub(super) use table;

table! {
    /// One model in training.
    MemberRow {
        input_at: u32, input_count: u32, input_stride: u32,
        output_at: u32, output_count: u32, output_stride: u32,
        rows_at: u32, result_at: u32,
        train_at: u32, train_count: u32, validation_at: u32, transform_at: u32, class_weights_at: u32,
        stream: u32, half_bits: u32,
        activation: u32, loss: u32, optimizer: u32,
        parameters_at: u32, parameters_length: u32,
        label_smoothing: f32, huber_delta: f32, l1_penalty: f32, l2_penalty: f32,
        dropout: f32, input_dropout: f32, clip_norm: f32,
        momentum: f32, nesterov: f32, beta1: f32, beta2: f32, epsilon: f32,
        target_shift: f32, target_scale: f32,
        targets_at: u32, shape_at: u32,
    }
}

table! {
    /// One layer of one member.
    LayerRow {
        input_count: u32, input_stride: u32, output_count: u32, output_stride: u32,
        parameters_at: u32, input_at: u32, output_at: u32, gradient_at: u32, input_gradient_at: u32,
        hidden: u32, index: u32, before_at: u32,
    }
}

table! {
    /// Which tile of which layer of which member a workgroup takes.
    WorkRow { member: u32, layer: u32, tile: u32, padding0: u32, }
}

table! {
    /// What one member does in one tick.
    ControlRow {
        row_count: u32, row_start: u32, step: u32, epoch: u32,
        rate: f32, decay: f32, correction1: f32, correction2: f32,
        first: u32, training: u32, closed_below: f32, padding0: u32,
    }
}

table! {
    /// What one dispatch is for.
    DispatchRow {
        work_at: u32, work_count: u32, control_at: u32, second_moment_at: u32,
        key: [u32; 2], data_row_start: u32, data_row_end: u32,
    }
}

table! {
    /// What a member of the resident plan does in one dispatch.
    RunRow {
        step_count: u32, step: u32, row_start: u32, epoch: u32,
        rate: f32, weight_decay: f32, ln_beta1: f32, ln_beta2: f32,
        rates_at: u32, layer_count: u32, first: u32, batch: u32,
        score_start: u32, score_count: u32, score_rows: u32, gradients_at: u32,
        outputs_at: u32, padding0: u32, padding1: u32, padding2: u32,
    }
}
