//! The square that a model sees with the evidence for one area, small enough to be kept by the hundred.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{enlarge, jpeg, tint};

/// A photo as the model sees it, and what speaks there for an area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The square, a JPEG.
    #[serde(serialize_with = "encode", deserialize_with = "decode")]
    photo: Vec<u8>,
    /// Strength of the evidence, row by row; 255 is the strongest of the photo.
    #[serde(serialize_with = "encode", deserialize_with = "decode")]
    evidence: Vec<u8>,
    /// Rows of the evidence.
    rows: usize,
}

impl Seen {
    /// `evidence` has shape `[rows, columns]`, 0 to 1.
    pub(super) fn new(photo: Vec<u8>, evidence: &[f32], rows: usize) -> Self {
        let strength = |value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        Self { photo, evidence: evidence.iter().map(strength).collect(), rows }
    }

    /// The square, a JPEG.
    #[must_use]
    pub fn photo(&self) -> &[u8] {
        &self.photo
    }

    /// The square under its evidence, a JPEG; the square alone where it came from a file that holds no such thing.
    #[must_use]
    pub fn heatmap(&self) -> Vec<u8> {
        let columns = self.evidence.len().checked_div(self.rows).unwrap_or(0);
        let Ok(photo) = image::load_from_memory(&self.photo) else { return self.photo.clone() };
        let mut photo = photo.to_rgb8();
        if columns == 0 || columns * self.rows != self.evidence.len() || photo.width() != photo.height() {
            return self.photo.clone();
        }
        let map: Vec<f32> = self.evidence.iter().map(|strength| f32::from(*strength) / 255.0).collect();
        let side = photo.width();
        for (pixel, heat) in photo.pixels_mut().zip(enlarge(&map, (self.rows, columns), side)) {
            *pixel = tint(*pixel, heat);
        }
        jpeg(&photo)
    }
}

fn encode<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_tampered_with_breaks_nothing() {
        let photo = jpeg(&image::RgbImage::from_pixel(16, 16, image::Rgb([100; 3])));
        for (evidence, rows) in [(vec![255; 4], 0), (vec![255; 5], 2), (Vec::new(), 3), (vec![255; 4], usize::MAX)] {
            let seen = Seen { photo: photo.clone(), evidence, rows };
            assert_eq!(seen.heatmap(), photo);
        }
        let seen = Seen { photo: b"no picture".to_vec(), evidence: vec![255; 4], rows: 2 };
        assert_eq!(seen.heatmap(), b"no picture");
        assert!(serde_json::from_str::<Seen>(r#"{"photo":"?","evidence":"","rows":1}"#).is_err());
    }

    #[test]
    fn it_comes_back_from_json_as_it_went() {
        let photo = jpeg(&image::RgbImage::from_pixel(16, 16, image::Rgb([100; 3])));
        let seen = Seen::new(photo, &[1.0, 0.0, 0.25, 0.5], 2);
        let json = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Seen>(&json).unwrap(), seen);
        assert_ne!(seen.heatmap(), seen.photo);
    }
}
