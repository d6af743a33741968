//! A contact sheet of the changes, to look at before a training is spent on them.

use image::RgbImage;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::colour::Erase;
use super::geometry::Perspective;
use super::{Augment, Flip};
use crate::infer::preprocess::centre_square;

/// Columns that show everything together.
const TOGETHER: usize = 4;

/// A picture, and what its columns show.
pub struct Sheet {
    /// A row a photo.
    pub picture: RgbImage,
    /// Names of the columns, from the left.
    pub columns: Vec<&'static str>,
}

/// Draws each photo as it is, with each change of the recipe alone (and certain), and with all of them as the recipe
/// has them; `side` is that of a tile, pixels.
///
/// # Panics
/// When there are no photos, or `side` is 0.
#[must_use]
pub fn sheet(photos: &[RgbImage], augment: &Augment, side: u32, seed: u64) -> Sheet {
    let columns = columns(augment);
    let mut picture = RgbImage::new(side * columns.len() as u32, side * photos.len() as u32);
    for (row, photo) in photos.iter().enumerate() {
        // As in training: changes are made to a stored square that is larger than the input.
        let square = centre_square(photo, side * 5 / 4);
        for (column, (_, augment)) in columns.iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream((row * columns.len() + column) as u64);
            let tile = augment.apply(&square, side, &mut rng);
            image::imageops::replace(
                &mut picture,
                &tile,
                i64::from(side) * column as i64,
                i64::from(side) * row as i64,
            );
        }
    }
    Sheet { picture, columns: columns.into_iter().map(|(name, _)| name).collect() }
}

fn columns(augment: &Augment) -> Vec<(&'static str, Augment)> {
    let none = Augment::none();
    let mut columns = vec![("as it is", none)];
    if augment.affine.is_some() {
        columns.push(("affine", Augment { affine: augment.affine, ..none }));
    }
    if augment.crop.is_some() {
        columns.push(("crop", Augment { crop: augment.crop, ..none }));
    }
    if augment.colour.is_some() {
        columns.push(("colour", Augment { colour: augment.colour, ..none }));
    }
    if let Some(perspective) = augment.perspective {
        let certain = Perspective { probability: 1.0, ..perspective };
        columns.push(("perspective", Augment { perspective: Some(certain), ..none }));
    }
    if augment.flip.is_some() {
        columns.push(("flip", Augment { flip: Some(Flip { probability: 1.0 }), ..none }));
    }
    if let Some(erase) = augment.erase {
        columns.push(("erase", Augment { erase: Some(Erase { probability: 1.0, ..erase }), ..none }));
    }
    columns.extend([("all together", *augment); TOGETHER]);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::recipe::Recipe;
    use image::Rgb;

    #[test]
    fn there_is_a_row_a_photo_and_a_column_a_change() {
        let photo = RgbImage::from_fn(60, 40, |x, y| Rgb([(x * 4) as u8, (y * 6) as u8, 128]));
        let sheet = sheet(&[photo.clone(), photo.clone()], &Recipe::find("reference").unwrap().augment, 24, 1);
        assert_eq!(sheet.columns[..6], ["as it is", "affine", "crop", "colour", "perspective", "flip"]);
        assert_eq!(sheet.picture.dimensions(), (24 * (6 + TOGETHER) as u32, 48));
        let tile = |column: u32| image::imageops::crop_imm(&sheet.picture, 24 * column, 0, 24, 24).to_image();
        // Every change shows, each in its own column.
        assert!((1..sheet.columns.len() as u32).all(|column| tile(column) != tile(0)));
    }
}
