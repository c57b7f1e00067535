//! SVG as pixels: the same on every machine, also where no font is installed.

use crate::error::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use std::ops::RangeInclusive;

const REGULAR: &[u8] = include_bytes!("html/assets/fonts/DejaVuSansCondensed.ttf");
const BOLD: &[u8] = include_bytes!("html/assets/fonts/DejaVuSansCondensed-Bold.ttf");
const FAMILY: &str = "DejaVu Sans Condensed";
/// The characters that the fonts were made with: `assets/fonts/ranges`.
const COVERED: [RangeInclusive<char>; 8] = [
    '\u{0}'..='\u{24f}',
    '\u{1e00}'..='\u{1eff}',
    '\u{370}'..='\u{52f}',
    '\u{2000}'..='\u{209f}',
    '\u{20a0}'..='\u{20bf}',
    '\u{2100}'..='\u{214f}',
    '\u{2190}'..='\u{22ff}',
    '\u{25a0}'..='\u{25ff}',
];
/// Pixels of a side at most: a gigabyte.
pub const MOST_PIXELS: u32 = 16_384;

/// A picture as the bytes of a PNG file, `scale` pixels to each of its own. Errors: no SVG, or too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let mut options = Options { font_family: FAMILY.to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(BOLD.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    if !svg.chars().all(|c| COVERED.iter().any(|range| range.contains(&c))) {
        fonts.load_system_fonts();
    }
    let tree =
        Tree::from_str(svg, &options).map_err(|error| Error::check("plot", format!("no SVG: {error}")))?;
    let side = |length: f32| (length * scale).ceil() as u32;
    let (width, height) = (side(tree.size().width()), side(tree.size().height()));
    let is_small = width.max(height) <= MOST_PIXELS;
    let mut pixels = is_small.then(|| Pixmap::new(width, height)).flatten().ok_or_else(|| {
        Error::usage("plot", format!("{width} × {height} pixels"))
            .allowed(format!("1 to {MOST_PIXELS} pixels a side"))
            .advice("a smaller --scale or --width, or svg, which has no pixels")
    })?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| Error::check("plot", format!("no PNG: {error}")))
}
