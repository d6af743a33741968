//! Multinomial logistic regression, fitted to convergence.
//!
//! Minimises the weighted mean negative log-likelihood plus `l2 / 2` times the squared weights (not the biases) of
//! standardised features, by L-BFGS (Nocedal and Wright 2006, algorithm 7.5) with a weak Wolfe line search by
//! bisection (Lewis and Overton 2013). The problem is convex, so there is one optimum. Features, logits and the
//! gradient of a thousand rows are float32; sums over rows and everything that the minimiser does are float64.

use std::collections::VecDeque;

use pulp::Arch;
use rayon::prelude::*;

/// Values that are worked on at once: a multiple of the widest vector register.
const LANES: usize = 16;
/// Rows that share each read of the weights.
const BLOCK: usize = 4;
/// Rows whose gradient is summed up as float32. Fixed, so that the result does not depend on the number of cores.
const CHUNK: usize = 1_024;
/// Steps that the minimiser remembers.
const MEMORY: usize = 12;
/// The fit has converged when no component of the gradient is larger.
const TOLERANCE: f64 = 1e-5;
/// Most iterations of one fit; real ones take some dozens.
const ITERATIONS: usize = 500;

/// Rows of features with their truth, laid out for the fit.
pub struct Problem {
    /// `[rows, columns]`, standardised; both sides padded with zeros.
    values: Vec<f32>,
    /// Padded length of a row.
    columns: usize,
    labels: Vec<usize>,
    /// One a row, sum 1; 0 for padding.
    weights: Vec<f32>,
    classes: usize,
    scale: Scale,
}

/// How raw features become standardised ones.
#[derive(Clone, Debug)]
struct Scale {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// A linear classifier on raw features.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// `[classes, features]`, row-major.
    pub weight: Vec<f32>,
    /// `[classes]`.
    pub bias: Vec<f32>,
}

impl Linear {
    /// The logits of a row of raw features.
    #[must_use]
    pub fn logits(&self, row: &[f32]) -> Vec<f32> {
        let dot = |weight: &[f32]| weight.iter().zip(row).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>();
        let classes = self.weight.chunks_exact(row.len()).zip(&self.bias);
        classes.map(|(weight, bias)| (dot(weight) + f64::from(*bias)) as f32).collect()
    }
}

/// Where the minimiser stands.
#[derive(Clone, Debug)]
pub struct Fit {
    /// `[classes, columns]` weights of standardised features, then `[classes]` biases.
    parameters: Vec<f64>,
    /// Weighted mean negative log-likelihood with the penalty, nats.
    pub loss: f64,
    /// Largest component of the gradient, 0 or more.
    pub gradient: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Whether the gradient is small enough, or as small as float32 can tell.
    pub converged: bool,
}

impl Problem {
    /// Lays out rows of equal length. Each class weighs the same, however many rows it has.
    ///
    /// # Panics
    /// When there are no rows, or not one label below `classes` a row.
    #[must_use]
    pub fn new(rows: &[Vec<f32>], labels: &[usize], classes: usize) -> Self {
        assert!(!rows.is_empty() && rows.len() == labels.len(), "one label a row, and some of them");
        let scale = Scale::of(rows);
        let columns = rows[0].len().next_multiple_of(LANES);
        let padded = rows.len().next_multiple_of(BLOCK);
        let mut values = vec![0.0; padded * columns];
        values.par_chunks_exact_mut(columns).zip(rows).for_each(|(out, row)| scale.apply(row, out));
        let mut counts = vec![0_usize; classes];
        labels.iter().for_each(|&label| counts[label] += 1);
        let present = counts.iter().filter(|count| **count > 0).count();
        let weight = |&label: &usize| 1.0 / (present * counts[label]) as f32;
        let mut weights: Vec<f32> = labels.iter().map(weight).collect();
        weights.resize(padded, 0.0);
        let mut labels = labels.to_vec();
        labels.resize(padded, 0);
        Self { values, columns, labels, weights, classes, scale }
    }

    /// Minimises from `start`, or from zero.
    #[must_use]
    pub fn fit(&self, l2: f64, start: Option<&Fit>) -> Fit {
        let zero = || vec![0.0; self.classes * (self.columns + 1)];
        minimise(start.map_or_else(zero, |fit| fit.parameters.clone()), |parameters| self.evaluate(parameters, l2))
    }

    /// The classifier on raw features.
    #[must_use]
    pub fn linear(&self, fit: &Fit) -> Linear {
        let (weights, biases) = fit.parameters.split_at(self.classes * self.columns);
        let Scale { mean, deviation } = &self.scale;
        let features = mean.len();
        let mut linear = Linear { weight: Vec::with_capacity(self.classes * features), bias: Vec::new() };
        for (row, bias) in weights.chunks_exact(self.columns).zip(biases) {
            let raw: Vec<f64> = row.iter().zip(deviation).map(|(w, deviation)| w / deviation).collect();
            let shift: f64 = raw.iter().zip(mean).map(|(w, mean)| w * mean).sum();
            linear.weight.extend(raw.iter().map(|w| *w as f32));
            linear.bias.push((bias - shift) as f32);
        }
        linear
    }

    /// Loss and gradient.
    fn evaluate(&self, parameters: &[f64], l2: f64) -> (f64, Vec<f64>) {
        let single: Vec<f32> = parameters.iter().map(|p| *p as f32).collect();
        let chunks = self.values.par_chunks(CHUNK * self.columns).zip(self.labels.par_chunks(CHUNK));
        let chunks = chunks.zip(self.weights.par_chunks(CHUNK));
        let arch = Arch::new();
        let sums: Vec<(f64, Vec<f32>)> = chunks
            .map(|((values, labels), weights)| {
                let chunk = Chunk { values, labels, weights, columns: self.columns, classes: self.classes };
                // Compiled once for each generation of vector registers; the processor decides.
                arch.dispatch(
                    #[inline(always)]
                    || chunk.evaluate(&single),
                )
            })
            .collect();
        let penalised = self.classes * self.columns;
        let mut gradient: Vec<f64> = parameters.iter().map(|p| l2 * p).collect();
        gradient[penalised..].fill(0.0);
        let mut loss = l2 / 2.0 * parameters[..penalised].iter().map(|p| p * p).sum::<f64>();
        for (chunk_loss, chunk_gradient) in sums {
            loss += chunk_loss;
            gradient.iter_mut().zip(chunk_gradient).for_each(|(sum, part)| *sum += f64::from(part));
        }
        (loss, gradient)
    }
}

impl Scale {
    fn of(rows: &[Vec<f32>]) -> Self {
        let (features, count) = (rows[0].len(), rows.len() as f64);
        let sums = |term: &(dyn Fn(usize, f64) -> f64 + Sync)| -> Vec<f64> {
            let part = |rows: &[Vec<f32>]| {
                let mut sum = vec![0.0; features];
                for row in rows {
                    sum.iter_mut().zip(row).enumerate().for_each(|(i, (sum, x))| *sum += term(i, f64::from(*x)));
                }
                sum
            };
            let parts: Vec<Vec<f64>> = rows.par_chunks(CHUNK).map(part).collect();
            (0..features).map(|i| parts.iter().map(|part| part[i]).sum::<f64>() / count).collect()
        };
        let mean = sums(&|_, x| x);
        let variance = sums(&|i, x| (x - mean[i]).powi(2));
        // A feature that never moves says nothing; any scale leaves it at zero.
        let deviation = variance.iter().map(|v| if *v > 1e-12 { v.sqrt() } else { 1.0 }).collect();
        Self { mean, deviation }
    }

    fn apply(&self, row: &[f32], out: &mut [f32]) {
        for ((out, x), (mean, deviation)) in out.iter_mut().zip(row).zip(self.mean.iter().zip(&self.deviation)) {
            *out = ((f64::from(*x) - mean) / deviation) as f32;
        }
    }
}

/// Rows that one core works on.
struct Chunk<'a> {
    values: &'a [f32],
    labels: &'a [usize],
    weights: &'a [f32],
    columns: usize,
    classes: usize,
}

impl Chunk<'_> {
    /// Loss and gradient (laid out as the parameters) of these rows.
    #[inline(always)]
    fn evaluate(&self, parameters: &[f32]) -> (f64, Vec<f32>) {
        let (columns, classes) = (self.columns, self.classes);
        let (weight, bias) = parameters.split_at(classes * columns);
        let mut gradient = vec![0.0_f32; parameters.len()];
        let mut errors = vec![[0.0_f32; BLOCK]; classes];
        let mut loss = 0.0;
        for (block, values) in self.values.chunks_exact(BLOCK * columns).enumerate() {
            let rows: [&[f32]; BLOCK] = std::array::from_fn(|i| &values[i * columns..(i + 1) * columns]);
            for (class, errors) in errors.iter_mut().enumerate() {
                *errors = dots(&weight[class * columns..(class + 1) * columns], rows);
                errors.iter_mut().for_each(|logit| *logit += bias[class]);
            }
            for i in 0..BLOCK {
                let row = block * BLOCK + i;
                loss += surprise(&mut errors, i, self.labels[row], self.weights[row]);
            }
            let (weights, biases) = gradient.split_at_mut(classes * columns);
            for (class, errors) in errors.iter().enumerate() {
                add(&mut weights[class * columns..(class + 1) * columns], rows, *errors);
                biases[class] += errors.iter().sum::<f32>();
            }
        }
        (loss, gradient)
    }
}

/// Turns the logits of row `i` into the gradient by them; returns its weighted negative log-likelihood.
#[inline(always)]
fn surprise(logits: &mut [[f32; BLOCK]], i: usize, label: usize, weight: f32) -> f64 {
    let max = logits.iter().fold(f32::NEG_INFINITY, |max, logit| max.max(logit[i]));
    let own = f64::from(logits[label][i] - max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        logit[i] = (logit[i] - max).exp();
        sum += f64::from(logit[i]);
    }
    for (class, value) in logits.iter_mut().enumerate() {
        let probability = f64::from(value[i]) / sum;
        value[i] = ((probability - f64::from(u8::from(class == label))) * f64::from(weight)) as f32;
    }
    f64::from(weight) * (sum.ln() - own)
}

/// The products of the weights with each row.
#[inline(always)]
fn dots(weight: &[f32], rows: [&[f32]; BLOCK]) -> [f32; BLOCK] {
    let mut sums = [[0.0_f32; LANES]; BLOCK];
    let [a, b, c, d] = rows.map(|row| row.as_chunks::<LANES>().0);
    for ((((w, a), b), c), d) in weight.as_chunks::<LANES>().0.iter().zip(a).zip(b).zip(c).zip(d) {
        for lane in 0..LANES {
            sums[0][lane] += w[lane] * a[lane];
            sums[1][lane] += w[lane] * b[lane];
            sums[2][lane] += w[lane] * c[lane];
            sums[3][lane] += w[lane] * d[lane];
        }
    }
    sums.map(|sums| sums.iter().sum())
}

/// Adds each row, times its factor.
#[inline(always)]
fn add(sum: &mut [f32], rows: [&[f32]; BLOCK], factors: [f32; BLOCK]) {
    let [a, b, c, d] = rows;
    for ((((sum, a), b), c), d) in sum.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *sum += factors[0] * a + factors[1] * b + factors[2] * c + factors[3] * d;
    }
}

/// A step that was taken and what it did to the gradient.
struct Step {
    by: Vec<f64>,
    change: Vec<f64>,
    /// 1 over their product, which is greater than 0.
    scale: f64,
}

/// L-BFGS.
fn minimise(mut at: Vec<f64>, evaluate: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Fit {
    let (mut loss, mut gradient) = evaluate(&at);
    let mut steps: VecDeque<Step> = VecDeque::new();
    let mut iterations = 0;
    let mut stuck = false;
    while largest(&gradient) > TOLERANCE && iterations < ITERATIONS && !stuck {
        let direction = downhill(&gradient, &steps);
        let Some(next) = search(&at, loss, &gradient, &direction, steps.is_empty(), &evaluate) else {
            // Differences are below what float32 can tell: start over from the steepest descent, then give up.
            stuck = steps.is_empty();
            steps.clear();
            continue;
        };
        let by = minus(&next.at, &at);
        let change = minus(&next.gradient, &gradient);
        let product = dot(&by, &change);
        if product > 0.0 {
            if steps.len() == MEMORY {
                steps.pop_front();
            }
            steps.push_back(Step { by, change, scale: 1.0 / product });
        }
        (at, loss, gradient) = (next.at, next.loss, next.gradient);
        iterations += 1;
    }
    let largest = largest(&gradient);
    Fit { parameters: at, loss, gradient: largest, iterations, converged: largest <= TOLERANCE || stuck }
}

/// Minus the gradient times the inverse Hessian that the remembered steps suggest.
fn downhill(gradient: &[f64], steps: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = step.scale * dot(&step.by, &direction);
        add_scaled(&mut direction, &step.change, -share);
        shares.push(share);
    }
    if let Some(last) = steps.back() {
        let scale = 1.0 / (last.scale * dot(&last.change, &last.change));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (step, share) in steps.iter().zip(shares.into_iter().rev()) {
        let back = step.scale * dot(&step.change, &direction);
        add_scaled(&mut direction, &step.by, share - back);
    }
    direction
}

struct Point {
    at: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
}

/// A point along the direction where the loss has fallen enough and the slope has flattened enough; `None` when
/// there is none to be found.
fn search(
    at: &[f64],
    loss: f64,
    gradient: &[f64],
    direction: &[f64],
    first: bool,
    evaluate: &impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Option<Point> {
    let slope = dot(gradient, direction);
    if slope >= 0.0 {
        return None;
    }
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut length = if first { 1.0 / dot(gradient, gradient).sqrt().max(1.0) } else { 1.0 };
    for _ in 0..30 {
        let mut next = at.to_vec();
        add_scaled(&mut next, direction, length);
        let (there, slopes) = evaluate(&next);
        if there > loss + 1e-4 * length * slope {
            high = length;
        } else if dot(&slopes, direction) < 0.9 * slope {
            low = length;
        } else {
            return Some(Point { at: next, loss: there, gradient: slopes });
        }
        length = if high.is_finite() { f64::midpoint(low, high) } else { length * 2.0 };
    }
    None
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add_scaled(a: &mut [f64], b: &[f64], factor: f64) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |max, value| max.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prediction::softmax;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Rows of noise around one point a class.
    fn noise(count: usize, features: usize, classes: usize) -> (Vec<Vec<f32>>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let labels: Vec<usize> = (0..count).map(|i| i % classes).collect();
        let mut row = |label: usize| {
            (0..features).map(|j| rng.random_range(-1.5..1.5) + f32::from(u8::from(j % classes == label))).collect()
        };
        (labels.iter().map(|&label| row(label)).collect(), labels)
    }

    /// With one feature that says which of two groups a row is in, the optimum is the share of each class in each
    /// group.
    #[test]
    fn a_table_of_counts_gives_its_shares() {
        // Of 40 rows a class: 8, 20 and 32 are in the second group.
        let counts = [8, 20, 32];
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for (class, second) in counts.into_iter().enumerate() {
            for i in 0..40 {
                rows.push(vec![if i < second { 5.0 } else { -1.0 }]);
                labels.push(class);
            }
        }
        let problem = Problem::new(&rows, &labels, 3);
        let fit = problem.fit(0.0, None);
        assert!(fit.converged && fit.gradient <= 1e-5, "{} after {}", fit.gradient, fit.iterations);
        let linear = problem.linear(&fit);
        for (group, share) in [(5.0, [8.0, 20.0, 32.0]), (-1.0, [32.0, 20.0, 8.0])] {
            let found = softmax(&linear.logits(&[group]), 1.0);
            for (found, count) in found.iter().zip(share) {
                assert!((found - count / 60.0).abs() < 1e-4, "{found} is not {count} of 60");
            }
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (rows, labels) = noise(37, 5, 3);
        let problem = Problem::new(&rows, &labels, 3);
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let at: Vec<f64> = (0..3 * (LANES + 1)).map(|_| rng.random_range(-0.5..0.5)).collect();
        let (_, gradient) = problem.evaluate(&at, 0.1);
        for i in [0, 4, LANES + 2, 3 * LANES, 3 * LANES + 2] {
            let along = |step: f64| {
                let mut there = at.clone();
                there[i] += step;
                problem.evaluate(&there, 0.1).0
            };
            let difference = (along(1e-2) - along(-1e-2)) / 2e-2;
            assert!((difference - gradient[i]).abs() < 2e-5, "{i}: {difference} {}", gradient[i]);
        }
    }

    /// Plain gradient descent in float64, written down from the definition.
    #[test]
    fn agrees_with_a_slow_and_simple_solution() {
        let (rows, labels) = noise(90, 6, 3);
        let problem = Problem::new(&rows, &labels, 3);
        let l2 = 0.05;
        let fit = problem.fit(l2, None);
        assert!(fit.converged);
        let standard: Vec<&[f32]> = problem.values.chunks_exact(problem.columns).take(90).collect();
        let mut slow = [[0.0_f64; 7]; 3];
        for _ in 0..4_000 {
            let mut gradient = vec![[0.0; 7]; 3];
            for (row, &label) in standard.iter().zip(&labels) {
                let logit = |w: &[f64; 7]| w[6] + (0..6).map(|j| w[j] * f64::from(row[j])).sum::<f64>();
                let exp: Vec<f64> = slow.iter().map(|w| logit(w).exp()).collect();
                for (class, gradient) in gradient.iter_mut().enumerate() {
                    let error = exp[class] / exp.iter().sum::<f64>() - f64::from(u8::from(class == label));
                    (0..6).for_each(|j| gradient[j] += error * f64::from(row[j]) / 90.0);
                    gradient[6] += error / 90.0;
                }
            }
            for (w, gradient) in slow.iter_mut().zip(&gradient) {
                (0..6).for_each(|j| w[j] -= 0.5 * (gradient[j] + l2 * w[j]));
                w[6] -= 0.5 * gradient[6];
            }
        }
        for (class, slow) in slow.iter().enumerate() {
            let found = &fit.parameters[class * problem.columns..];
            for (j, (found, slow)) in found.iter().zip(&slow[..6]).enumerate() {
                assert!((found - slow).abs() < 5e-4, "weight {class} {j}: {found} is not {slow}");
            }
        }
    }

    #[test]
    fn rare_classes_weigh_as_much_and_a_dead_feature_is_harmless() {
        let rows: Vec<Vec<f32>> = (0..22).map(|i| vec![f32::from(u8::from(i < 2)), 7.0]).collect();
        let labels: Vec<usize> = (0..22).map(|i| usize::from(i == 0 || i == 21)).collect();
        let problem = Problem::new(&rows, &labels, 2);
        let linear = problem.linear(&problem.fit(0.0, None));
        // Of the rare class half have the feature, of the other one in twenty.
        let found = softmax(&linear.logits(&[1.0, 7.0]), 1.0);
        assert!((found[1] - 0.5 / 0.55).abs() < 1e-3, "{found:?}");
        assert!(linear.weight.iter().all(|w| w.is_finite()));
    }

    #[test]
    fn a_warm_start_ends_where_a_cold_one_does() {
        let (rows, labels) = noise(60, 20, 2);
        let problem = Problem::new(&rows, &labels, 2);
        let cold = problem.fit(0.01, None);
        let warm = problem.fit(0.01, Some(&problem.fit(0.3, None)));
        assert!((cold.loss - warm.loss).abs() < 1e-6);
        let difference = minus(&cold.parameters, &warm.parameters);
        assert!(largest(&difference) < 2e-3, "{}", largest(&difference));
    }
}
