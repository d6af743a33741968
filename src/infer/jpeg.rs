//! Baseline JPEG straight to a small square: what a network that sees 224 pixels needs of 12 megapixels.
//!
//! A block of 8 x 8 pixels is stored as frequencies. For an eighth of the size its mean is enough, for a quarter four
//! frequencies, for half of it sixteen: the inverse transform gets as small as the picture, and the codes of all other
//! frequencies, most of the file, are only measured, several at a time, to find where the next block begins ([`walk`]).
//! Then blocks are read, those outside the centre square for their means alone. Brightness and colour are scaled each from
//! its own resolution, and become RGB last.
//!
//! Whatever is not a sound baseline file of a usual kind (progressive, CMYK, RGB, several scans, damaged) is left to the
//! library's decoder: here it is `None`, never an error.
//!
//! Sections and figures are those of ITU-T T.81 (JPEG) and T.871 (JFIF).

mod flat;
mod header;
mod huffman;
mod idct;
mod scale;
mod scan;
#[cfg(test)]
mod tests;
mod walk;

use image::RgbImage;

pub use header::Header;

/// The header of a JPEG that [`square`] may be able to decode; `None` for all others.
#[must_use]
pub fn header(bytes: &[u8]) -> Option<Header> {
    header::parse(bytes)
}

/// The centre square of the picture, `side` x `side` pixels (1 or more), as it lies in the file: not turned by its
/// orientation. Memory as large as the file, and in proportion to the pixels that the header gives, at most seven bytes each.
#[must_use]
pub fn square(bytes: &[u8], header: &Header, side: u32) -> Option<RgbImage> {
    let planes = scan::decode(bytes, header, side)?;
    let scaled: Vec<Vec<f32>> = planes.iter().map(|plane| scale::square(plane, side as usize)).collect();
    RgbImage::from_raw(side, side, to_rgb(&scaled)?)
}

/// Brightness alone, or brightness and two colour differences, to RGB (T.871, 7).
#[inline(never)] // profiles find it by its name
fn to_rgb(planes: &[Vec<f32>]) -> Option<Vec<u8>> {
    match planes {
        [grey] => Some(grey.iter().flat_map(|&value| [(value + 0.5) as u8; 3]).collect()),
        [y, cb, cr] => {
            let mut rgb = vec![0; 3 * y.len()];
            let pixels = rgb.as_chunks_mut::<3>().0;
            for (((pixel, y), cb), cr) in pixels.iter_mut().zip(y).zip(cb).zip(cr) {
                let (y, cb, cr) = (y + 0.5, cb - 128.0, cr - 128.0);
                *pixel = [byte(y + 1.402 * cr), byte(y - 0.344_136 * cb - 0.714_136 * cr), byte(y + 1.772 * cb)];
            }
            Some(rgb)
        }
        _ => None,
    }
}

/// Cut to 0 to 255, rounded down.
#[inline(always)]
fn byte(value: f32) -> u8 {
    // By way of 32 bits there are vector instructions.
    value.clamp(0.0, 255.0) as i32 as u8
}
