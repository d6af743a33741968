//! The nearest rows of an index, exactly, on all cores.
//!
//! Nearness is the cosine of the angle between the photo's features and a row, `cos = q·c / |c|` with `q` of length 1 and
//! `c` the row's whole numbers. All rows are scanned with `q` rounded to 16-bit whole numbers `d = round(S q)`: the
//! products and their sums are exact in 32 bits, since `S` is chosen so that `|d| |c| < 2³¹` (Cauchy and Schwarz) for
//! the longest row. The scanned cosine `d·c / (S |c|)` then differs from the true one by at most `e = |q - d / S|`, for
//! every row. What scans to within `2 e` of the last place is therefore all that can belong to the answer; it is ranked
//! again in float64 with the unrounded `q`. So the rows found are exactly the nearest of the stored rows; a stored row
//! itself lies within half a step a value of what the network gave.

use pulp::Arch;
use rayon::prelude::*;

use super::Index;

/// Rows that a thread scans at a time.
const CHUNK: usize = 1_024;
/// What rounding to float32 may add to the error of a scanned cosine.
const SLACK: f64 = 5e-7;
/// The largest of 32-bit whole numbers, less room for the rounding of the lengths.
const ROOM: f64 = 2_147_000_000.0;

/// A row with how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The row.
    pub row: usize,
    /// Cosine of the angle to it, -1 to 1.
    pub similarity: f64,
}

/// Which rows may stand beside each other in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Any.
    Any,
    /// One of each town: its nearest.
    Towns,
}

impl Index {
    /// The `count` nearest rows, nearest first, of equally near ones the first; fewer where there are no more. None for
    /// features of another length, for zeros and for what are no numbers.
    #[must_use]
    pub fn nearest(&self, features: &[f32], count: usize, spread: Spread) -> Vec<Neighbour> {
        let Some(query) = self.query(features) else { return Vec::new() };
        if count == 0 || self.is_empty() {
            return Vec::new();
        }
        let scanned = self.scan(&query);
        let least = self.last_place(&scanned, count, spread) - 2.0 * query.error;
        let near = (0..self.len()).filter(|row| f64::from(scanned[*row]) >= least);
        let exact = |row: usize| Neighbour { row, similarity: self.cosine(row, &query.exact) };
        let mut found: Vec<Neighbour> = near.map(exact).collect();
        found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.row.cmp(&b.row)));
        if spread == Spread::Towns {
            let mut seen = std::collections::HashSet::new();
            found.retain(|neighbour| seen.insert(self.town(neighbour.row)));
        }
        found.truncate(count);
        found
    }

    fn query(&self, features: &[f32]) -> Option<Query> {
        let length = features.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if features.len() != self.dimensions || !length.is_finite() || length == 0.0 {
            return None;
        }
        let exact: Vec<f64> = features.iter().map(|value| f64::from(*value) / length).collect();
        // Rounding adds at most half a unit a value to the length.
        let room = ROOM / self.longest - (self.dimensions as f64).sqrt() / 2.0;
        let largest = exact.iter().map(|value| value.abs()).fold(0.0, f64::max);
        let scale = room.min(f64::from(i16::MAX) / largest);
        let rounded: Vec<i16> = exact.iter().map(|value| (value * scale).round() as i16).collect();
        let off = exact.iter().zip(&rounded).map(|(value, whole)| (value - f64::from(*whole) / scale).powi(2));
        let error = off.sum::<f64>().sqrt() + SLACK;
        Some(Query { exact, rounded, scale, error })
    }

    /// The scanned cosine of each row.
    fn scan(&self, query: &Query) -> Vec<f32> {
        let arch = Arch::new();
        let codes = &self.bytes[super::file::HEAD..][..self.len() * self.dimensions];
        let mut cosines = vec![0.0_f32; self.len()];
        let chunks = codes.par_chunks(CHUNK * self.dimensions).zip(self.lengths.par_chunks(CHUNK));
        chunks.zip(cosines.par_chunks_mut(CHUNK)).for_each(|((codes, lengths), cosines)| {
            // Compiled once for each generation of vector registers; the processor decides.
            arch.dispatch(
                #[inline(always)]
                || {
                    let rows = codes.chunks_exact(self.dimensions).zip(lengths);
                    for ((row, length), cosine) in rows.zip(cosines) {
                        let whole = f64::from(dot(row, &query.rounded));
                        *cosine = (whole / (query.scale * length)) as f32;
                    }
                },
            );
        });
        cosines
    }

    /// The scanned cosine of the last row (or town) of the answer; minus infinity when all belong to it.
    fn last_place(&self, scanned: &[f32], count: usize, spread: Spread) -> f64 {
        let mut best = match spread {
            Spread::Any => scanned.to_vec(),
            Spread::Towns => {
                let mut best = vec![f32::NEG_INFINITY; self.catalogue.towns.len()];
                for (row, cosine) in scanned.iter().enumerate() {
                    let town = &mut best[self.town(row)];
                    *town = town.max(*cosine);
                }
                best
            }
        };
        if count > best.len() {
            return f64::NEG_INFINITY;
        }
        let (_, last, _) = best.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
        f64::from(*last)
    }

    fn cosine(&self, row: usize, query: &[f64]) -> f64 {
        let products = self.codes(row).iter().zip(query).map(|(code, value)| f64::from(*code as i8) * value);
        products.sum::<f64>() / self.lengths[row]
    }
}

/// Features to look for.
struct Query {
    /// Of length 1.
    exact: Vec<f64>,
    /// The same times `scale`, rounded.
    rounded: Vec<i16>,
    scale: f64,
    /// Most that a scanned cosine is off.
    error: f64,
}

/// Products of 8 and 16 bits, summed up in 32: written so that compilers find the instructions for it.
#[inline(always)]
fn dot(row: &[u8], query: &[i16]) -> i32 {
    row.iter().zip(query).map(|(code, value)| i32::from(*code as i8) * i32::from(*value)).sum()
}
