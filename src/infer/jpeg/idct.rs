//! Frequencies to samples, as many as are wanted: an N x N inverse transform of the N x N lowest frequencies is the block
//! in N/8 of its size (T.81, A.3.3, gives the one of 8 x 8).

/// Row and column of each frequency in zigzag order (T.81, figure A.6), as `8 * row + column`.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// Where the frequencies of a block go, and what they are multiplied by.
pub(super) struct Plan {
    /// Side of the block's picture, samples: 1, 2, 4 or 8.
    pub(super) side: u32,
    /// The last frequency that counts, in zigzag order.
    pub(super) last: u32,
    /// By frequency in zigzag order: its place in a block, `side` rows of `side`; behind them those that do not count.
    pub(super) place: [u8; 64],
    /// By frequency in zigzag order: the quantisation step, with the transform's factor.
    pub(super) factor: [f32; 64],
}

/// A level from 0 to 255 in [`PARTS`]: what a block of 64 pixels is reduced to should not be rounded as one of them.
pub(super) type Sample = u16;
/// Parts of a level.
pub(super) const PARTS: f32 = 64.0;

impl Plan {
    pub(super) fn new(side: u32, steps: &[u16; 64]) -> Self {
        let mut plan = Self { side, last: 0, place: [(side * side) as u8; 64], factor: [0.0; 64] };
        for (k, (&at, &step)) in (0_u32..).zip(ZIGZAG.iter().zip(steps)) {
            let (row, column) = (u32::from(at) / 8, u32::from(at) % 8);
            if row < side && column < side {
                plan.last = k;
                plan.place[k as usize] = (row * side + column) as u8;
                // C(u) C(v) / 4 in A.3.3.
                let half = |frequency| if frequency == 0 { std::f32::consts::FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
                plan.factor[k as usize] = f32::from(step) * half(row) * half(column);
            }
        }
        plan
    }
}

/// Writes a block of `N` x `N` samples from as many frequencies; `stride` is the distance of its rows.
#[inline(always)]
pub(super) fn write<const N: usize>(block: &[f32], out: &mut [Sample], stride: usize) {
    let mut rows = [[0.0; N]; N];
    for (row, from) in rows.iter_mut().zip(block.as_chunks::<N>().0) {
        *row = *from;
    }
    // Columns first, then, turned, rows: neighbouring numbers get the same treatment, as vectors do.
    transform(&mut rows);
    transpose(&mut rows);
    transform(&mut rows);
    transpose(&mut rows);
    for (y, row) in rows.iter().enumerate() {
        let Some(out) = out.get_mut(y * stride..).and_then(|out| out.first_chunk_mut::<N>()) else { return };
        for lane in 0..N {
            out[lane] = sample(row[lane]);
        }
    }
}

/// The level shift of A.3.1.
#[inline(always)]
pub(super) fn sample(value: f32) -> Sample {
    // By way of 32 bits there are vector instructions.
    (((value + 128.0) * PARTS + 0.5).clamp(0.0, 255.0 * PARTS)) as i32 as Sample
}

#[expect(clippy::needless_range_loop, reason = "places are exchanged across rows")]
#[inline(always)]
fn transpose<const N: usize>(rows: &mut [[f32; N]; N]) {
    for row in 1..N {
        for column in 0..row {
            let upper = rows[column][row];
            rows[column][row] = rows[row][column];
            rows[row][column] = upper;
        }
    }
}

/// Transforms each column.
#[expect(clippy::needless_range_loop, reason = "a lane is a column, not a row")]
#[inline(always)]
fn transform<const N: usize>(rows: &mut [[f32; N]; N]) {
    for lane in 0..N {
        match N {
            2 => {
                let [a, b] = two([rows[0][lane], rows[1][lane]]);
                (rows[0][lane], rows[1][lane]) = (a, b);
            }
            4 => {
                let values = four([rows[0][lane], rows[1][lane], rows[2][lane], rows[3][lane]]);
                for row in 0..4 {
                    rows[row][lane] = values[row];
                }
            }
            _ => {
                let values = eight([
                    rows[0][lane],
                    rows[1][lane],
                    rows[2][lane],
                    rows[3][lane],
                    rows[4][lane],
                    rows[5][lane],
                    rows[6][lane],
                    rows[7][lane],
                ]);
                for row in 0..8 {
                    rows[row][lane] = values[row];
                }
            }
        }
    }
}

/// cos(k pi / 16).
const COS: [f32; 8] =
    [1.0, 0.980_785_25, 0.923_879_5, 0.831_469_6, 0.707_106_77, 0.555_570_24, 0.382_683_43, 0.195_090_32];

#[inline(always)]
fn two([a, b]: [f32; 2]) -> [f32; 2] {
    let b = b * COS[4];
    [a + b, a - b]
}

#[inline(always)]
fn four([a, b, c, d]: [f32; 4]) -> [f32; 4] {
    let [even0, even1] = two([a, c]);
    let odd0 = b * COS[2] + d * COS[6];
    let odd1 = b * COS[6] - d * COS[2];
    [even0 + odd0, even1 + odd1, even1 - odd1, even0 - odd0]
}

#[inline(always)]
fn eight([a, b, c, d, e, f, g, h]: [f32; 8]) -> [f32; 8] {
    let even = four([a, c, e, g]);
    let odd0 = b * COS[1] + d * COS[3] + f * COS[5] + h * COS[7];
    let odd1 = b * COS[3] - d * COS[7] - f * COS[1] - h * COS[5];
    let odd2 = b * COS[5] - d * COS[1] + f * COS[7] + h * COS[3];
    let odd3 = b * COS[7] - d * COS[5] + f * COS[3] - h * COS[1];
    [
        even[0] + odd0,
        even[1] + odd1,
        even[2] + odd2,
        even[3] + odd3,
        even[3] - odd3,
        even[2] - odd2,
        even[1] - odd1,
        even[0] - odd0,
    ]
}
