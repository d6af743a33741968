//! Whether a model is right as often as it says.

use serde::{Deserialize, Serialize};

use super::Judged;

/// The photos of one range of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Photos in it.
    pub photos: usize,
    /// Mean of their confidences, 0 to 1; 0 of no photos.
    pub confidence: f64,
    /// Share of them that are named rightly, 0 to 1; 0 of no photos.
    pub accuracy: f64,
}

/// Photos by confidence, in equally wide ranges from 0 to 1.
#[must_use]
pub fn bins(judged: &[Judged], count: usize) -> Vec<Bin> {
    let mut bins = vec![Bin { photos: 0, confidence: 0.0, accuracy: 0.0 }; count];
    for photo in judged {
        let bin = &mut bins[((photo.confidence * count as f32) as usize).min(count - 1)];
        bin.photos += 1;
        bin.confidence += f64::from(photo.confidence);
        bin.accuracy += f64::from(u8::from(photo.right));
    }
    for bin in &mut bins {
        let photos = bin.photos.max(1) as f64;
        bin.confidence /= photos;
        bin.accuracy /= photos;
    }
    bins
}

/// Expected calibration error (Guo et al. 2017): the mean over equally wide bins of confidence, weighted by their
/// photos, of the distance between confidence and accuracy. 0 (honest) to 1.
#[must_use]
pub fn ece(judged: &[Judged], count: usize) -> f32 {
    let gap = |bin: &Bin| bin.photos as f64 * (bin.confidence - bin.accuracy).abs();
    (bins(judged, count).iter().map(gap).sum::<f64>() / judged.len().max(1) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boaster_is_off_by_his_boast() {
        let judged: Vec<Judged> = (0..10).map(|i| Judged { confidence: 0.9, right: i < 5 }).collect();
        assert!((ece(&judged, 15) - 0.4).abs() < 1e-6);
        assert_eq!(ece(&[], 15), 0.0);
    }

    #[test]
    fn certainty_belongs_to_the_last_bin() {
        let judged = [Judged { confidence: 1.0, right: true }, Judged { confidence: 0.0, right: false }];
        let bins = bins(&judged, 4);
        assert_eq!(bins.iter().map(|bin| bin.photos).collect::<Vec<_>>(), [1, 0, 0, 1]);
        assert_eq!((bins[3].confidence, bins[3].accuracy), (1.0, 1.0));
    }
}
