//! Convolution by a kernel of 3x3 in a quarter of the products: tiles of 4x4 outputs are computed where the convolution
//! is a product of points (F(4x4, 3x3) of Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//!
//! A tile of 6x6 inputs becomes 36 points, a kernel becomes 36 points ([`points`]), and at each point the tiles of all
//! pictures meet the weights of all channels in one matrix product ([`products`]). The two gradients are the same sums with
//! the transforms turned round.

mod gradient;
mod points;
mod products;

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use self::points::{Kernels, POINTS, TAPS, TILE};
use self::products::{Rows, apart, at_point, odd};
use super::super::passes::share;
use super::kernel::{COLUMNS, Line, ROWS};

/// Most tiles that are worked on together: their points stay in the cache.
const STRIP: usize = 64;
/// Most tiles of a batch for which the points of the weights are made and used for 32 outputs after the other.
const FEW_TILES: usize = 128;
/// Tiles from which a batch is worth the transform of the weights, which is four times as large as they are.
const ENOUGH_TILES: usize = 16;

/// The sizes of a convolution by 3x3, one step at a time, with one zero around.
#[derive(Clone, Copy, Debug)]
pub(super) struct Winograd {
    batch: usize,
    inputs: usize,
    outputs: usize,
    height: usize,
    width: usize,
}

impl Winograd {
    /// For pictures `[batch, inputs, height, width]`; none where the plain way is as good.
    pub(super) fn new(batch: usize, [inputs, outputs]: [usize; 2], [height, width]: [usize; 2]) -> Option<Self> {
        let this = Self { batch, inputs, outputs, height, width };
        let whole = inputs.is_multiple_of(COLUMNS) && outputs.is_multiple_of(COLUMNS);
        (whole && batch * this.tiles() >= ENOUGH_TILES).then_some(this)
    }

    /// The convolution of `x` with weights `[outputs, inputs, 3, 3]`: `[batch, outputs, height, width]`. Written to `out`,
    /// whatever stands there.
    pub(super) fn forward(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        self.convolve(x, Kernels { weight, apart: [self.inputs * TAPS, TAPS], turned: false }, out);
    }

    /// The gradient of the input by that of the output: its convolution with the kernels turned round.
    pub(super) fn input_gradient(&self, grad: &[f32], weight: &[f32], out: &mut [f32]) {
        let turned = Self { inputs: self.outputs, outputs: self.inputs, ..*self };
        turned.convolve(grad, Kernels { weight, apart: [TAPS, self.inputs * TAPS], turned: true }, out);
    }

    /// `x` `[batch, inputs, height, width]` with kernels.
    fn convolve(&self, x: &[f32], kernels: Kernels<'_>, out: &mut [f32]) {
        if self.batch * self.tiles() <= FEW_TILES {
            return self.convolve_by_panel(x, kernels, out);
        }
        let weight = self.weight_points(kernels);
        let weight: &[Line] = weight.as_chunks().0;
        let share = share(self.batch, |pictures| {
            let rows = pictures * self.down();
            self.cost(rows, self.strip(rows))
        });
        let tasks = out.par_chunks_mut(share * self.outputs * self.plane());
        tasks.zip(x.par_chunks(share * self.inputs * self.plane())).for_each(|(out, x)| {
            let rows = self.rows(x, self.inputs);
            let strip = self.strip(rows);
            let mut points = vec![0.0; POINTS * apart(strip * self.across() * self.inputs)];
            let mut products = vec![[0.0; COLUMNS]; POINTS * odd(strip * self.across())];
            let mut panels = self.panels(out);
            for first in (0..rows).step_by(strip) {
                let rows = first..rows.min(first + strip);
                let tiles = rows.len() * self.across();
                let points = &mut points[..POINTS * apart(tiles * self.inputs)];
                let products = &mut products[..POINTS * odd(tiles)];
                self.input_points(x, rows.clone(), points);
                for (weight, panel) in weight.chunks_exact(POINTS * self.inputs).zip(&mut panels) {
                    for (point, right) in weight.chunks_exact(self.inputs).enumerate() {
                        let out = &mut products[point * odd(tiles)..][..tiles];
                        Arch::new().dispatch(Rows { left: at_point(points, point), right, out });
                    }
                    self.write_outputs(products, rows.clone(), panel);
                }
            }
        });
    }

    /// The same for few tiles: the points of the weights, of which there are more, are used where they are made.
    fn convolve_by_panel(&self, x: &[f32], kernels: Kernels<'_>, out: &mut [f32]) {
        let share = share(self.batch, |pictures| (pictures * self.tiles()).div_ceil(ROWS));
        let parts = self.parts(x, (self.inputs, share), Self::input_points);
        let products = |part: &Points| vec![[0.0; COLUMNS]; POINTS * odd(part.tiles)];
        let room = || (vec![[0.0; COLUMNS]; POINTS * self.inputs], parts.iter().map(products).collect::<Vec<_>>());
        let panels = self.panels(out).into_par_iter().enumerate();
        panels.for_each_init(room, |(weight, products), (panel, mut planes)| {
            self.panel_points(kernels, panel, weight);
            for (point, right) in weight.chunks_exact(self.inputs).enumerate() {
                for (part, products) in parts.iter().zip(&mut *products) {
                    let out = &mut products[point * odd(part.tiles)..][..part.tiles];
                    Arch::new().dispatch(Rows { left: at_point(&part.values, point), right, out });
                }
            }
            for (planes, products) in planes.chunks_mut(share).zip(products) {
                self.write_outputs(products, 0..planes.len() * self.down(), planes);
            }
        });
    }

    /// The points of all pictures, so many in a part.
    fn parts(&self, x: &[f32], (channels, share): (usize, usize), points: Transform) -> Vec<Points> {
        let part = |x: &[f32]| {
            let rows = self.rows(x, channels);
            let tiles = rows * self.across();
            let mut values = vec![0.0; POINTS * apart(tiles * channels)];
            points(self, x, 0..rows, &mut values);
            Points { values, tiles }
        };
        x.par_chunks(share * channels * self.plane()).map(part).collect()
    }

    /// Pictures `[n, outputs, height, width]` as 32 planes of each, for each 32 of the outputs.
    fn panels<'a>(&self, out: &'a mut [f32]) -> Vec<Vec<&'a mut [f32]>> {
        let mut panels: Vec<Vec<&mut [f32]>> = (0..self.outputs / COLUMNS).map(|_| Vec::new()).collect();
        for (at, planes) in out.chunks_exact_mut(COLUMNS * self.plane()).enumerate() {
            panels[at % (self.outputs / COLUMNS)].push(planes);
        }
        panels
    }

    /// Rows of tiles that are worked on together, of so many.
    fn strip(&self, rows: usize) -> usize {
        let most = (STRIP / self.across()).clamp(1, rows);
        (1..=most).rev().min_by_key(|strip| self.cost(rows, *strip)).unwrap_or(1)
    }

    /// Groups of tiles that are multiplied when so many rows of tiles come in strips, each of which reads all weights.
    fn cost(&self, rows: usize, strip: usize) -> usize {
        let cost = |rows: usize| (rows * self.across()).div_ceil(ROWS) + usize::from(rows > 0);
        rows / strip * cost(strip) + cost(rows % strip)
    }

    /// Rows of tiles of pictures `[n, channels, height, width]`.
    fn rows(&self, x: &[f32], channels: usize) -> usize {
        x.len() / (channels * self.plane()) * self.down()
    }

    fn down(&self) -> usize {
        self.height.div_ceil(TILE)
    }

    fn across(&self) -> usize {
        self.width.div_ceil(TILE)
    }

    /// Tiles of a picture.
    fn tiles(&self) -> usize {
        self.down() * self.across()
    }

    /// Values of one channel of a picture.
    fn plane(&self) -> usize {
        self.height * self.width
    }
}

/// [`Winograd::input_points`], say.
type Transform = fn(&Winograd, &[f32], Range<usize>, &mut [f32]);

/// Points `[36, tiles, channels]` of some pictures.
struct Points {
    values: Vec<f32>,
    tiles: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::convolve::convolve;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Device, Distribution, Tensor};
    use proptest::prelude::*;

    /// The largest difference over the largest value.
    fn apart(a: Tensor<4>, b: Tensor<4>) -> f32 {
        assert_eq!(a.dims(), b.dims());
        let largest: f32 = b.clone().abs().max().into_scalar();
        (a - b).abs().max().into_scalar::<f32>() / largest
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn agrees_with_burns_convolution_forward_and_backward(
            batch in 1_usize..7, inputs in 1_usize..4, outputs in 1_usize..4, height in 1_usize..14, width in 1_usize..14,
            large: bool,
        ) {
            // Many tiles go another way, and so do the weights of few channels then.
            let (height, width) = if large { (height + 16, width + 16) } else { (height, width) };
            let (inputs, outputs) = (inputs * COLUMNS, outputs * COLUMNS);
            let pictures = batch * (ENOUGH_TILES / (height.div_ceil(TILE) * width.div_ceil(TILE)) + 1);
            prop_assert!(Winograd::new(pictures, [inputs, outputs], [height, width]).is_some());
            let device = Device::flex().autodiff();
            let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.5, 1.0), &device).require_grad();
            let (x, w) = (random([pictures, inputs, height, width]), random([outputs, inputs, 3, 3]));
            let theirs = conv2d(x.clone(), w.clone(), None, ConvOptions::new([1; 2], [1; 2], [1; 2], 1));
            let ours = convolve(x.clone(), w.clone(), 1, 1);
            prop_assert!(apart(ours.clone().inner(), theirs.clone().inner()) < 1e-5);
            let above = random(theirs.dims()).detach();
            let (theirs, ours) = ((theirs * above.clone()).sum().backward(), (ours * above).sum().backward());
            for tensor in [&x, &w] {
                let error = apart(tensor.grad(&ours).unwrap(), tensor.grad(&theirs).unwrap());
                prop_assert!(error < 1e-5, "{error}");
            }
        }
    }
}
