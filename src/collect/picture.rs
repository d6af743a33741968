//! What counts as a picture of a street.

use image::RgbImage;

use crate::infer::decode::{Limits, PhotoError, decode};

/// A picture that was decoded once, so that it can be again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The file as it came.
    pub bytes: Vec<u8>,
    /// Width of the upright picture, pixels.
    pub width: u32,
    /// Height of the upright picture, pixels.
    pub height: u32,
}

/// Why something is no picture of a street.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPicture {
    /// The service calls it something else.
    #[error("the answer is {media_type}, not a picture")]
    MediaType {
        /// What it says it is.
        media_type: String,
    },
    /// It cannot be decoded.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// One colour from edge to edge, perhaps with a line of text: "Sorry, we have no imagery here".
    #[error("the picture is empty")]
    Blank,
}

/// Checks what a service sent: declared and real kind, and that it decodes within limits and shows something.
/// Takes processor time: call it off the async threads.
///
/// # Errors
/// [`BadPicture`].
pub fn check(media_type: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Picture, BadPicture> {
    if !media_type.starts_with("image/") {
        let media_type = media_type.chars().filter(|c| !c.is_control()).take(60).collect();
        return Err(BadPicture::MediaType { media_type });
    }
    of_bytes(bytes, limits)
}

/// The same for a file, whose kind nobody declares.
///
/// # Errors
/// [`BadPicture`].
pub fn of_bytes(bytes: Vec<u8>, limits: &Limits) -> Result<Picture, BadPicture> {
    let pixels = decode(&bytes, limits)?;
    if is_blank(&pixels) {
        return Err(BadPicture::Blank);
    }
    let (width, height) = pixels.dimensions();
    Ok(Picture { bytes, width, height })
}

/// Pixels that are looked at, about.
const SAMPLES: usize = 1 << 14;

/// Whether four fifths of the pixels are one grey (the "no imagery" tile is grey with two lines of text), or all of
/// them one colour. No street is: its sky alone has a gradient, and its ground another brightness.
#[must_use]
pub fn is_blank(picture: &RgbImage) -> bool {
    let step = (picture.as_raw().len() / 3 / SAMPLES).max(1);
    let samples = || picture.pixels().step_by(step).map(|pixel| pixel.0);
    let median = median(samples());
    let within = |distance: u8| {
        let near = |pixel: &[u8; 3]| pixel.iter().zip(&median).all(|(a, b)| a.abs_diff(*b) <= distance);
        samples().filter(near).count() as f64 / samples().count().max(1) as f64
    };
    let spread = median.iter().max().zip(median.iter().min()).map_or(0, |(most, least)| most - least);
    (spread <= 12 && within(8) >= 0.8) || within(3) >= 0.995
}

/// Median of each channel.
fn median(samples: impl Iterator<Item = [u8; 3]>) -> [u8; 3] {
    let mut counts = [[0_usize; 256]; 3];
    let mut total = 0;
    for pixel in samples {
        total += 1;
        for (channel, value) in pixel.into_iter().enumerate() {
            counts[channel][usize::from(value)] += 1;
        }
    }
    counts.map(|counts| {
        let mut seen = 0;
        let middle = counts.iter().position(|count| {
            seen += count;
            seen * 2 >= total
        });
        middle.unwrap_or(0) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use image::codecs::jpeg::JpegEncoder;

    fn jpeg(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(picture).unwrap();
        bytes
    }

    /// Sky with a gradient over a grey road.
    fn street() -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| if y < 20 { Rgb([150, 170, 200 + y as u8]) } else { Rgb([90 + x as u8; 3]) })
    }

    #[test]
    fn the_declared_kind_and_the_bytes_both_count() {
        let good = jpeg(&street());
        let picture = check("image/jpeg", good.clone(), &Limits::default()).unwrap();
        assert_eq!((picture.width, picture.height), (64, 48));
        let html = BadPicture::MediaType { media_type: "text/html".to_owned() };
        assert_eq!(check("text/html", good.clone(), &Limits::default()), Err(html));
        let cut = good[..good.len() / 2].to_vec();
        assert_eq!(check("image/jpeg", cut, &Limits::default()), Err(BadPicture::Photo(PhotoError::Truncated)));
        let error_page = b"<html>".to_vec();
        assert_eq!(
            check("image/jpeg", error_page, &Limits::default()),
            Err(BadPicture::Photo(PhotoError::NotAPicture))
        );
    }

    #[test]
    fn one_colour_is_no_street() {
        for colour in [[228, 227, 223], [0; 3], [255; 3], [200, 30, 90]] {
            let tile = jpeg(&RgbImage::from_pixel(64, 64, Rgb(colour)));
            assert_eq!(check("image/jpeg", tile, &Limits::default()), Err(BadPicture::Blank), "{colour:?}");
        }
        assert!(!is_blank(&street()));
    }

    #[test]
    fn a_line_of_text_on_grey_is_no_street_either() {
        let tile = RgbImage::from_fn(640, 640, |x, y| {
            let ink = (300..340).contains(&y) && (100..540).contains(&x) && (x / 7 + y / 5) % 2 == 0;
            Rgb(if ink { [117; 3] } else { [228, 227, 223] })
        });
        assert!(is_blank(&tile));
        let fog = RgbImage::from_fn(640, 640, |x, y| Rgb([(150 + x / 10 + y / 12) as u8; 3]));
        assert!(!is_blank(&fog), "fog has a gradient");
    }
}
