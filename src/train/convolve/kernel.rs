//! The one small matrix product that every convolution comes down to: 8 rows by 32 columns, held in vector registers.
//!
//! Burn's `flex` has a good product of its own, but it wants its operands as whole tensors: the columns of a
//! convolution would be written to memory and read again, nine times the picture for a kernel of 3x3. Here they are
//! packed panel by panel, as the product comes to need them.

use pulp::Simd;

/// Columns of a tile.
pub(super) const COLUMNS: usize = 32;
/// Rows of a tile.
pub(super) const ROWS: usize = 8;
/// Terms that are summed at once: a panel of so many rows stays in the nearest cache.
pub(super) const DEPTH: usize = 128;

/// A row of a panel, or of a tile.
pub(super) type Line = [f32; COLUMNS];
/// One value of each row of a tile.
pub(super) type Column = [f32; ROWS];
/// A part of the product.
pub(super) type Tile = [Line; ROWS];

/// Adds `rows [8, depth] x panel [depth, 32]` to `out`.
#[inline(always)]
pub(super) fn add_rows<S: Simd>(simd: S, rows: [&[f32]; ROWS], panel: &[Line], out: &mut Tile) {
    let rows = rows.map(|row| &row[..panel.len()]);
    in_parts(simd, out, PartOfRows { rows, panel }, COLUMNS);
}

/// Adds `left^T [8, depth] x panel [depth, 32]` to `out`, at least to its first `columns`.
#[inline(always)]
pub(super) fn add_packed<S: Simd>(simd: S, left: &[Column], panel: &[Line], columns: usize, out: &mut Tile) {
    let pairs = PartOfPairs(left.iter().map(Column::as_slice).zip(panel.iter().map(Line::as_slice)));
    in_parts(simd, out, pairs, columns);
}

/// Adds `left^T [8, depth] x right [depth, 32]` to `out`, where a row of `left` begins each `strides.0` values and one of
/// `right` each `strides.1`.
#[inline(always)]
pub(super) fn add_outer<S: Simd>(simd: S, left: &[f32], right: &[f32], strides: (usize, usize), out: &mut Tile) {
    in_parts(simd, out, PartOfPairs(left.chunks(strides.0).zip(right.chunks(strides.1))), COLUMNS);
}

/// How a part of a tile is summed: `R` rows from `row` on, `V` vectors from `column` on. What comes to the sums that are
/// there is added term by term, so that a sum in pieces has the same value as the whole.
trait Part {
    fn add<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        at: (usize, usize),
        sums: [[S::f32s; V]; R],
    ) -> [[S::f32s; V]; R];
}

/// Parts are as large as the registers allow: 32 of them for vectors of 16 and of 4 values, otherwise 16.
#[inline(always)]
fn in_parts<S: Simd>(simd: S, out: &mut Tile, part: impl Part, columns: usize) {
    match S::F32_LANES {
        16 if columns <= 16 => in_parts_of::<S, 8, 1>(simd, out, part, columns),
        16 | 4 => in_parts_of::<S, 8, 2>(simd, out, part, columns),
        8 => in_parts_of::<S, 4, 2>(simd, out, part, columns),
        _ => in_parts_of::<S, 2, 2>(simd, out, part, columns),
    }
}

#[inline(always)]
fn in_parts_of<S: Simd, const R: usize, const V: usize>(simd: S, out: &mut Tile, part: impl Part, columns: usize) {
    for row in (0..ROWS).step_by(R) {
        for column in (0..columns).step_by(V * S::F32_LANES) {
            let lines: &mut [Line; R] = out[row..].first_chunk_mut().expect("whole parts");
            let before = lines.each_ref().map(|line| vectors::<S, V>(&line[column..]));
            let sums = part.add(simd, (row, column), before);
            for (line, sums) in lines.iter_mut().zip(sums) {
                S::as_mut_simd_f32s(&mut line[column..]).0[..V].copy_from_slice(&sums);
            }
        }
    }
}

struct PartOfRows<'a> {
    rows: [&'a [f32]; ROWS],
    panel: &'a [Line],
}

impl Part for PartOfRows<'_> {
    #[inline(always)]
    fn add<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        (row, column): (usize, usize),
        mut sums: [[S::f32s; V]; R],
    ) -> [[S::f32s; V]; R] {
        let rows: [&[f32]; R] = std::array::from_fn(|i| &self.rows[row + i][..self.panel.len()]);
        for (k, line) in self.panel.iter().enumerate() {
            add_products(simd, |i| rows[i][k], &line[column..], &mut sums);
        }
        sums
    }
}

/// Terms in pairs, a row of each matrix.
struct PartOfPairs<I>(I);

impl<'a, I: Iterator<Item = (&'a [f32], &'a [f32])> + Clone> Part for PartOfPairs<I> {
    #[inline(always)]
    fn add<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        (row, column): (usize, usize),
        mut sums: [[S::f32s; V]; R],
    ) -> [[S::f32s; V]; R] {
        for (left, right) in self.0.clone() {
            let left: &[f32; R] = left[row..].first_chunk().expect("a tile has whole rows");
            add_products(simd, |i| left[i], &right[column..], &mut sums);
        }
        sums
    }
}

/// Adds a column of `R` values times a row of `V` vectors.
#[inline(always)]
fn add_products<S: Simd, const R: usize, const V: usize>(
    simd: S,
    left: impl Fn(usize) -> f32,
    right: &[f32],
    sums: &mut [[S::f32s; V]; R],
) {
    let right = vectors::<S, V>(right);
    for (i, sums) in sums.iter_mut().enumerate() {
        let left = simd.splat_f32s(left(i));
        for (sum, right) in sums.iter_mut().zip(right) {
            *sum = simd.mul_add_f32s(left, right, *sum);
        }
    }
}

#[inline(always)]
fn vectors<S: Simd, const V: usize>(values: &[f32]) -> [S::f32s; V] {
    *S::as_simd_f32s(values).0.first_chunk().expect("whole vectors")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulp::{Arch, Scalar, WithSimd};

    struct Both<'a> {
        left: &'a [f32],
        right: &'a [f32],
        depth: usize,
        columns: usize,
    }

    impl WithSimd for Both<'_> {
        type Output = [Tile; 3];

        fn with_simd<S: Simd>(self, simd: S) -> [Tile; 3] {
            let [mut rows, mut packed, mut outer] = [[[1.0; COLUMNS]; ROWS]; 3];
            let panel: Vec<Line> = self.right.as_chunks().0.to_vec();
            add_rows(simd, std::array::from_fn(|i| &self.left[i * self.depth..][..self.depth]), &panel, &mut rows);
            let turned: Vec<f32> =
                (0..self.depth * ROWS).map(|i| self.left[i % ROWS * self.depth + i / ROWS]).collect();
            add_outer(simd, &turned, self.right, (ROWS, COLUMNS), &mut outer);
            add_packed(simd, turned.as_chunks().0, &panel, self.columns, &mut packed);
            [rows, packed, outer]
        }
    }

    proptest! {
        #[test]
        fn a_tile_is_the_product_on_every_processor(depth in 0_usize..40, columns in 1..=COLUMNS, seed in 0_u32..1000) {
            let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_769).wrapping_add(seed) >> 16) as f32 / 65536.0 - 0.5;
            let left: Vec<f32> = (0..ROWS * depth).map(value).collect();
            let right: Vec<f32> = (0..depth * COLUMNS).map(|i| value(i + 7777)).collect();
            let job = || Both { left: &left, right: &right, depth, columns };
            for [rows, packed, outer] in [Arch::new().dispatch(job()), job().with_simd(Scalar::new())] {
                prop_assert_eq!(rows, outer);
                for (line, packed) in rows.iter().zip(&packed) {
                    prop_assert_eq!(&line[..columns], &packed[..columns]);
                }
                for (i, line) in rows.iter().enumerate() {
                    for (j, found) in line.iter().enumerate() {
                        let expected = 1.0 + (0..depth)
                            .map(|k| f64::from(left[i * depth + k]) * f64::from(right[k * COLUMNS + j])).sum::<f64>();
                        prop_assert!((f64::from(*found) - expected).abs() < 1e-5);
                    }
                }
            }
        }
    }
}
