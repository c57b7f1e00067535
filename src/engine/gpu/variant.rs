//! The shapes of tile that the kernels of a dense layer are compiled in, and which of them a product takes.
//!
//! All variants add up the terms of a sum in one order with one accumulator, so they agree in every bit;
//! which one a layer takes follows from its own shape and the device alone.

use super::pipelines::Kernel;
use super::tables::LayerRow;

/// A shape of tile. Lengths are in vec4.
#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    /// Rows × columns of a tile and the threads that make it.
    pub name: &'static str,
    /// Quads of rows of a tile.
    pub row_quads: u32,
    /// vec4 of columns of a tile.
    pub column_quads: u32,
    /// vec4 of the inner dimension that are staged at a time.
    depth_quads: u32,
    /// Quads of rows and vec4 of columns that a thread makes.
    part: (u32, u32),
    /// The WGSL of a thread's part.
    part_shader: &'static str,
}

const PART_4X4: &str = include_str!("../../../shaders/layer/tile_4x4.wgsl");
const PART_8X4: &str = include_str!("../../../shaders/layer/tile_8x4.wgsl");
const PART_8X8: &str = include_str!("../../../shaders/layer/tile_8x8.wgsl");

const fn variant(
    name: &'static str,
    (row_quads, column_quads, depth_quads): (u32, u32, u32),
    part: (u32, u32),
    part_shader: &'static str,
) -> Variant {
    let variant = Variant { name, row_quads, column_quads, depth_quads, part, part_shader };
    // The limits that every device of WebGPU has: 256 threads and 16 KiB a workgroup.
    assert!(variant.threads() <= 256 && variant.workgroup_bytes() <= 16 << 10);
    // A slice is staged in blocks of 4 × 4, at most one a thread.
    assert!((row_quads + column_quads) * depth_quads <= variant.threads());
    variant
}

/// All variants; the first is the base, which serves any shape well enough.
pub static ALL: [Variant; 6] = [
    variant("32x32/64", (8, 8, 4), (1, 1), PART_4X4),
    // Few outputs, as those of the last layer.
    variant("64x16/64", (16, 4, 2), (1, 1), PART_4X4),
    variant("64x32/64", (16, 8, 2), (2, 1), PART_8X4),
    variant("64x64/64", (16, 16, 2), (2, 2), PART_8X8),
    variant("64x64/256", (16, 16, 4), (1, 1), PART_4X4),
    variant("128x64/256", (32, 16, 4), (2, 1), PART_8X4),
];

/// The place of the base in [`ALL`].
pub const BASE: usize = 0;

/// The place in [`ALL`] of the variant of a name.
pub fn named(name: &str) -> Option<usize> {
    ALL.iter().position(|variant| variant.name == name)
}

impl Variant {
    /// Threads of a workgroup.
    pub const fn threads(&self) -> u32 {
        (self.row_quads / self.part.0) * (self.column_quads / self.part.1)
    }

    /// Bytes of workgroup memory: a slice of both operands, each row of it padded by one vec4.
    const fn workgroup_bytes(&self) -> u32 {
        16 * 4 * self.depth_quads * (self.row_quads + self.column_quads + 2)
    }

    /// What stands before `shaders/layer/tile.wgsl`.
    pub fn shader(&self) -> String {
        let Self { row_quads, column_quads, depth_quads, part_shader, .. } = self;
        format!(
            "const ROW_QUADS = {row_quads}u;\nconst COLUMN_QUADS = {column_quads}u;\n\
             const DEPTH_QUADS = {depth_quads}u;\n{part_shader}"
        )
    }

    /// Tiles of a product.
    pub fn tiles(&self, product: &Product) -> u32 {
        product.height.div_ceil(self.row_quads) * product.width.div_ceil(self.column_quads)
    }

    /// Workgroups of a kernel for a product: behind the tiles of parameters come those of the biases.
    pub fn workgroups(&self, kernel: Kernel, product: &Product) -> u32 {
        let biases = if kernel == Kernel::BackwardParameters { product.width } else { 0 };
        self.tiles(product) + biases.div_ceil(self.threads())
    }
}

/// The shape of a matrix product in vec4: quads of rows, vec4 of columns, vec4 of the inner dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Quads of rows.
    pub height: u32,
    /// vec4 of columns.
    pub width: u32,
    /// vec4 of the inner dimension.
    pub inner: u32,
}

impl Product {
    /// What a kernel makes for a layer and so many rows of a minibatch.
    pub fn of(kernel: Kernel, layer: &LayerRow, rows: u32) -> Self {
        let (rows, inputs, outputs) = (rows.div_ceil(4), layer.input_stride, layer.output_stride);
        match kernel {
            Kernel::Forward => Self { height: rows, width: outputs, inner: inputs },
            Kernel::BackwardInput => Self { height: rows, width: inputs, inner: outputs },
            Kernel::BackwardParameters => Self { height: inputs, width: outputs, inner: rows },
            _ => unreachable!("{kernel:?} makes no product"),
        }
    }
}

/// What a tile takes on a busy device, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Whatever the inner dimension.
    pub tile: f64,
    /// For each vec4 of the inner dimension.
    pub inner: f64,
}

/// A variant other than the base must promise so much: what was measured is noisy, and every variant in
/// use is one more dispatch.
const WORTHWHILE: f64 = 0.95;

/// Which variant each kernel takes for a product: the one whose tiles take the least together.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiles {
    /// (kernel, variant) `None` where it may not be taken.
    costs: [[Option<Cost>; ALL.len()]; Kernel::PRODUCTS.len()],
}

impl Tiles {
    /// One variant for everything.
    pub fn only(variant: usize) -> Self {
        let mut costs = [None; ALL.len()];
        costs[variant] = Some(Cost { tile: 1.0, inner: 0.0 });
        Self { costs: [costs; Kernel::PRODUCTS.len()] }
    }

    /// By what was measured. Variants that no usual shape would take are left out, and never compiled.
    pub fn measured(costs: [[Option<Cost>; ALL.len()]; Kernel::PRODUCTS.len()]) -> Self {
        let all = Self { costs };
        let mut used = [[None; ALL.len()]; Kernel::PRODUCTS.len()];
        for (place, kernel) in Kernel::PRODUCTS.into_iter().enumerate() {
            used[place][BASE] = costs[place][BASE];
            for product in usual_products() {
                let variant = all.variant(kernel, &product);
                used[place][variant] = costs[place][variant];
            }
        }
        Self { costs: used }
    }

    /// The variant for a product.
    pub fn variant(&self, kernel: Kernel, product: &Product) -> usize {
        let costs = &self.costs[kernel.product_place().expect("only tiled kernels have variants")];
        let seconds = |variant: usize| {
            let cost = costs[variant]?;
            let each = cost.tile + cost.inner * f64::from(product.inner);
            Some(
                f64::from(ALL[variant].tiles(product))
                    * each
                    * if variant == BASE { WORTHWHILE } else { 1.0 },
            )
        };
        let taken = (0..ALL.len()).filter_map(|variant| Some((variant, seconds(variant)?)));
        taken.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(BASE, |(variant, _)| variant)
    }

    /// What is in use: the variants of each tiled kernel.
    pub fn in_use(&self) -> impl Iterator<Item = (Kernel, usize)> + '_ {
        Kernel::PRODUCTS.into_iter().zip(&self.costs).flat_map(|(kernel, costs)| {
            (0..ALL.len()).filter(|variant| costs[*variant].is_some()).map(move |variant| (kernel, variant))
        })
    }
}

/// Shapes that networks have: widths and batches of 4 to 1,024.
fn usual_products() -> impl Iterator<Item = Product> {
    const LENGTHS: [u32; 13] = [1, 2, 3, 4, 8, 12, 16, 24, 32, 48, 64, 128, 256];
    LENGTHS.into_iter().flat_map(|height| {
        LENGTHS.into_iter().flat_map(move |width| {
            [2, 8, 16, 32, 64, 256].into_iter().map(move |inner| Product { height, width, inner })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs in proportion to the numbers of a tile, less for larger tiles.
    fn costs() -> [[Option<Cost>; ALL.len()]; 3] {
        let cost = |v: &Variant| {
            let numbers = f64::from(v.row_quads * v.column_quads);
            Some(Cost { tile: numbers.sqrt(), inner: numbers.powf(0.9) })
        };
        [ALL.each_ref().map(cost); 3]
    }

    #[test]
    fn the_shape_alone_decides_and_small_layers_waste_no_large_tile() {
        let tiles = Tiles::measured(costs());
        let taken =
            |height, width| ALL[tiles.variant(Kernel::Forward, &Product { height, width, inner: 32 })].name;
        assert_eq!(taken(8, 8), "32x32/64");
        assert_eq!(taken(1, 1), "32x32/64");
        assert_eq!(taken(64, 3), "64x16/64");
        assert_eq!(taken(64, 64), "128x64/256");
        // 65 columns: a second tile of 64 would be nearly empty.
        assert_ne!(taken(16, 17), "128x64/256");
    }

    #[test]
    fn what_was_not_measured_is_never_taken() {
        let mut costs = costs();
        costs.iter_mut().for_each(|kernel| kernel[5] = None);
        let tiles = Tiles::measured(costs);
        assert!(usual_products().all(|p| tiles.variant(Kernel::BackwardInput, &p) != 5));
        let base = Tiles::only(BASE);
        assert!(usual_products().all(|p| base.variant(Kernel::Forward, &p) == BASE));
        assert_eq!(base.in_use().count(), 3);
    }

    #[test]
    fn biases_have_workgroups_of_their_own() {
        let product = Product { height: 8, width: 65, inner: 1 };
        assert_eq!(ALL[BASE].workgroups(Kernel::Forward, &product), 9);
        assert_eq!(ALL[BASE].workgroups(Kernel::BackwardParameters, &product), 9 + 2);
    }
}
