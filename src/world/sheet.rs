//! Contact sheets: many pictures in one, to be looked at.

use image::{Rgb, RgbImage, imageops};
use rayon::prelude::*;

use super::World;
use super::photo::{PhotoSpec, photos};
use crate::domain::Split;

/// Pixels between pictures.
const GAP: u32 = 6;
/// Paper.
const PAPER: Rgb<u8> = Rgb([28, 28, 30]);

/// A sheet with one row of `per_area` square pictures for each area, drawn on all cores.
#[must_use]
pub fn sheet_of_areas(world: &World, seed: u64, splits: &[Split], per_area: usize, size: u32) -> RgbImage {
    let mut specs: Vec<PhotoSpec> = photos(world, seed, splits, per_area).map(|spec| spec.sized(size, size)).collect();
    specs.sort_by_key(|spec| spec.area);
    let images: Vec<RgbImage> = specs.par_iter().map(|spec| spec.render(world).image).collect();
    contact_sheet(&images, per_area)
}

/// Lays pictures out in rows of `columns`, each in a cell of the size of the largest. An empty list gives a sheet of
/// the gap alone.
#[must_use]
pub fn contact_sheet(images: &[RgbImage], columns: usize) -> RgbImage {
    let columns = columns.clamp(1, images.len().max(1)) as u32;
    let rows = (images.len() as u32).div_ceil(columns);
    let cell_width = images.iter().map(RgbImage::width).max().unwrap_or(0) + GAP;
    let cell_height = images.iter().map(RgbImage::height).max().unwrap_or(0) + GAP;
    let mut sheet = RgbImage::from_pixel(columns * cell_width + GAP, rows * cell_height + GAP, PAPER);
    for (i, image) in images.iter().enumerate() {
        let (column, row) = (i as u32 % columns, i as u32 / columns);
        let at = (i64::from(GAP + column * cell_width), i64::from(GAP + row * cell_height));
        imageops::replace(&mut sheet, image, at.0, at.1);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_on_the_sheet() {
        let images: Vec<RgbImage> = (0..5).map(|i| RgbImage::from_pixel(10, 8, Rgb([i * 40 + 50, 0, 0]))).collect();
        let sheet = contact_sheet(&images, 3);
        assert_eq!(sheet.dimensions(), (3 * 16 + 6, 2 * 14 + 6));
        for image in &images {
            let wanted = image.get_pixel(0, 0);
            assert_eq!(sheet.pixels().filter(|pixel| *pixel == wanted).count(), 80);
        }
    }

    #[test]
    fn areas_have_a_row_each() {
        let sheet = sheet_of_areas(&World::load(), 1, &[Split::Test], 2, 24);
        assert_eq!(sheet.dimensions(), (2 * 30 + 6, 7 * 30 + 6));
    }

    #[test]
    fn no_picture_gives_an_empty_sheet() {
        assert_eq!(contact_sheet(&[], 4).dimensions(), (12, 6));
    }
}
