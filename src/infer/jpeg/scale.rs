//! A plane's centre square in another size, with the anti-aliased triangle filter of
//! [`centre_square`](crate::infer::preprocess::centre_square).

use super::idct::PARTS;
use super::scan::Plane;

/// The centre square, `side` x `side` levels from 0 to 255, row by row.
#[inline(never)] // profiles find it by its name
pub(super) fn square(plane: &Plane, side: usize) -> Vec<f32> {
    let [x, y, width, height] = plane.crop;
    let rows = plane.samples.chunks_exact(plane.stride).take(plane.rows).map(|row| &row[..plane.columns]);
    // Rows are added to rows, which vectors do well; so columns are made rows for the other direction.
    let narrow = fewer(&rows.collect::<Vec<_>>(), &taps(plane.rows, y, height, side, 1.0 / PARTS));
    let turned = transposed(&narrow, plane.columns, side);
    let rows: Vec<&[f32]> = turned.chunks_exact(side).collect();
    let square = fewer(&rows, &taps(plane.columns, x, width, side, 1.0));
    transposed(&square, side, side)
}

/// Each row of the result is a weighted sum of rows.
fn fewer<T: Copy + Into<f32>>(rows: &[&[T]], taps: &[Tap]) -> Vec<f32> {
    let columns = rows[0].len();
    let mut result = vec![0.0; taps.len() * columns];
    for (tap, out) in taps.iter().zip(result.chunks_exact_mut(columns)) {
        for (row, weight) in rows[tap.from..].iter().zip(&tap.weights) {
            for (out, value) in out.iter_mut().zip(*row) {
                *out += (*value).into() * weight;
            }
        }
    }
    result
}

/// Rows of `columns` values, to columns. In tiles, so that both sides of the copy stay in the cache.
fn transposed(values: &[f32], columns: usize, rows: usize) -> Vec<f32> {
    const TILE: usize = 8;
    let mut out = vec![0.0; values.len()];
    for top in (0..rows).step_by(TILE) {
        for left in (0..columns).step_by(TILE) {
            for column in left..(left + TILE).min(columns) {
                for row in top..(top + TILE).min(rows) {
                    out[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    out
}

/// Which samples make one of the result, and how much each of them counts.
struct Tap {
    from: usize,
    weights: Vec<f32>,
}

/// For `side` samples of the part of `extent` that begins at `begin`, of `count` samples; the weights of each sum to `total`.
fn taps(count: usize, begin: f64, extent: f64, side: usize, total: f32) -> Vec<Tap> {
    let step = extent / side as f64;
    let reach = step.max(1.0);
    let tap = |i: usize| {
        let centre = begin + (i as f64 + 0.5) * step;
        let from = ((centre - reach).max(0.0) as usize).min(count - 1);
        let to = ((centre + reach).ceil() as usize).clamp(from + 1, count);
        let weight = |at: usize| (1.0 - (at as f64 + 0.5 - centre).abs() / reach).max(0.0);
        let sum: f64 = (from..to).map(weight).sum();
        // At the edge of what was decoded, a sum of 0 would be rounding's fault.
        let weights =
            (from..to).map(|at| if sum > 0.0 { weight(at) / sum } else { 1.0 / (to - from) as f64 } as f32 * total);
        Tap { from, weights: weights.collect() }
    };
    (0..side).map(tap).collect()
}
