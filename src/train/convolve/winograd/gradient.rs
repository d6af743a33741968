//! The gradient of the weights, summed where its sums stay in the cache.

use pulp::Arch;
use rayon::prelude::*;

use super::super::super::passes::{SUMS, add, zeros};
use super::super::kernel::COLUMNS;
use super::points::{POINTS, TAPS};
use super::products::{Outer, apart, at_point};
use super::{STRIP, Winograd};

/// Values of sums that are made at once: they stay in the cache.
const SUM: usize = 1 << 19;

impl Winograd {
    /// The gradient of the weights, `[outputs, inputs, 3, 3]`. Each is summed over the tiles in their order, so that the
    /// result does not depend on the number of threads.
    pub(in super::super) fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let pictures = self.batch.div_ceil(SUMS);
        let tiles = self.batch * self.tiles();
        // Sums of their own for a few pictures are worth it where all are less than the points are.
        if 2 * self.batch.div_ceil(pictures) * self.outputs * self.inputs <= tiles * (self.inputs + self.outputs) {
            let sums = self.sum_by_picture(x, grad, pictures);
            let mut weight = zeros(self.outputs * self.inputs * TAPS);
            weight.par_chunks_mut(self.inputs * TAPS).enumerate().for_each(|(output, weight)| {
                self.weights(&sums, output, weight);
            });
            return weight;
        }
        self.sum_by_panel(x, grad)
    }

    /// Gradients at each point, `[36, outputs, inputs]`, summed for so many pictures at a time; what is multiplied next
    /// stays in the cache.
    fn sum_by_picture(&self, x: &[f32], grad: &[f32], pictures: usize) -> Vec<f32> {
        let parts = x.par_chunks(pictures * self.plane() * self.inputs);
        let parts = parts.zip(grad.par_chunks(pictures * self.plane() * self.outputs));
        let sum = |(x, grad): (&[f32], &[f32])| {
            let rows = self.rows(x, self.inputs);
            let strip = (STRIP / 2 / self.across()).clamp(1, rows);
            let room = |channels: usize| vec![0.0; POINTS * apart(strip * self.across() * channels)];
            let (mut inputs, mut grads) = (room(self.inputs), room(self.outputs));
            let mut sums = vec![0.0; POINTS * self.outputs * self.inputs];
            for first in (0..rows).step_by(strip) {
                let rows = first..rows.min(first + strip);
                let tiles = rows.len() * self.across();
                let inputs = &mut inputs[..POINTS * apart(tiles * self.inputs)];
                let grads = &mut grads[..POINTS * apart(tiles * self.outputs)];
                self.input_points(x, rows.clone(), inputs);
                self.gradient_points(grad, rows, grads);
                for (point, sums) in sums.chunks_exact_mut(self.outputs * self.inputs).enumerate() {
                    let left = &at_point(grads, point)[..tiles * self.outputs];
                    let right = &at_point(inputs, point)[..tiles * self.inputs];
                    Arch::new().dispatch(Outer { left, right, widths: (self.outputs, self.inputs), out: sums });
                }
            }
            sums
        };
        let mut parts: Vec<Vec<f32>> = parts.map(sum).collect();
        let (sum, others) = parts.split_first_mut().expect("a batch has pictures");
        add(sum, &others.iter().map(Vec::as_slice).collect::<Vec<_>>());
        parts.swap_remove(0)
    }

    /// The gradient of the weights of some outputs after that of others, with the points of all pictures laid out before.
    fn sum_by_panel(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let share = STRIP.div_ceil(self.tiles()).min(self.batch.div_ceil(rayon::current_num_threads()));
        let inputs = self.parts(x, (self.inputs, share), Self::input_points);
        let grads = self.parts(grad, (self.outputs, share), Self::gradient_points);
        let mut weight = zeros(self.outputs * self.inputs * TAPS);
        let outputs = self.outputs_at_once();
        let panels = weight.par_chunks_mut(outputs * self.inputs * TAPS).enumerate();
        panels.for_each_init(Vec::new, |sums, (panel, weight)| {
            let count = weight.len() / TAPS;
            sums.clear();
            sums.resize(POINTS * count, 0.0);
            for (point, sums) in sums.chunks_exact_mut(count).enumerate() {
                for (inputs, grads) in inputs.iter().zip(&grads) {
                    let left = &at_point(&grads.values, point)[panel * outputs..grads.tiles * self.outputs];
                    let right = &at_point(&inputs.values, point)[..inputs.tiles * self.inputs];
                    Arch::new().dispatch(Outer { left, right, widths: (self.outputs, self.inputs), out: &mut *sums });
                }
            }
            for (output, weight) in weight.chunks_exact_mut(self.inputs * TAPS).enumerate() {
                self.weights(sums, output, weight);
            }
        });
        weight
    }

    /// Outputs whose sums at all points stay in the cache; all threads have some.
    fn outputs_at_once(&self) -> usize {
        let most = (self.outputs / COLUMNS).div_ceil(rayon::current_num_threads());
        (SUM / (POINTS * COLUMNS * self.inputs)).clamp(1, most) * COLUMNS
    }
}
