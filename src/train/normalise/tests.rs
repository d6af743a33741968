//! Normalisation against Burn's, forward and backward.

use super::*;
use crate::train::evaluate::values;
use burn::nn::BatchNormConfig;
use burn::tensor::activation;
use burn::tensor::{Device, Distribution};
use proptest::prelude::*;

fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    (a - b).abs().max().into_scalar()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn agrees_with_burns_normalisation_forward_and_backward(
        batch in 2_usize..5, channels in 1_usize..5, height in 3_usize..8, width in 3_usize..8, rectify: bool,
    ) {
        let device = Device::flex().autodiff();
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.3, 2.0), &device);
        let x = random([batch, channels, height, width]).require_grad();
        let norm = BatchNormConfig::new(channels).init(&device);
        let vector = |seed: f32| Tensor::<1>::from_floats(
            (0..channels).map(|c| seed + 0.3 * c as f32).collect::<Vec<_>>().as_slice(), &device).require_grad();
        let (gamma, beta) = (vector(0.7), vector(-0.4));
        let mut theirs = norm;
        theirs.gamma = burn::module::Param::from_tensor(gamma.clone());
        theirs.beta = burn::module::Param::from_tensor(beta.clone());
        let expected = theirs.forward(x.clone());
        let expected = if rectify { activation::relu(expected) } else { expected };
        let ours = normalise(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, rectify);
        prop_assert!(distance(expected.clone().inner(), ours.clone().inner()) < 1e-4);
        let above = random(ours.dims()).detach();
        let (expected, ours) = ((expected * above.clone()).sum().backward(), (ours * above).sum().backward());
        prop_assert!(distance(x.grad(&expected).unwrap(), x.grad(&ours).unwrap()) < 1e-3);
        for (their, our) in [(theirs.gamma.val(), gamma), (theirs.beta.val(), beta)] {
            prop_assert!(distance(their.grad(&expected).unwrap(), our.grad(&ours).unwrap()) < 2e-3);
        }
    }

    #[test]
    fn the_end_of_a_block_is_a_normalisation_a_sum_and_a_relu(batch in 2_usize..5, side in 3_usize..40) {
        let device = Device::flex().autodiff();
        let random = || Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
        let (x, shortcut, above) = (random().require_grad(), random().require_grad(), random());
        let vector = |first: f32| Tensor::<1>::from_floats([first, 0.0, -0.3], &device).require_grad();
        let (gamma, beta) = (vector(0.7), vector(-0.4));
        let ours = join(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, shortcut.clone());
        let normal = normalise(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, false);
        let theirs = activation::relu(shortcut.clone() + normal);
        prop_assert!(distance(ours.clone().inner(), theirs.clone().inner()) == 0.0);
        let (ours, theirs) = ((ours * above.clone()).sum().backward(), (theirs * above).sum().backward());
        for tensor in [&x, &shortcut] {
            prop_assert!(distance(tensor.grad(&ours).unwrap(), tensor.grad(&theirs).unwrap()) == 0.0);
        }
        for tensor in [&gamma, &beta] {
            prop_assert!(distance(tensor.grad(&ours).unwrap(), tensor.grad(&theirs).unwrap()) == 0.0);
        }
    }
}

/// Others hold what goes in, what comes out and the gradient that comes back: none may be written over.
#[test]
fn what_others_hold_is_left_as_it_is() {
    let device = Device::flex().autodiff();
    let random = || Tensor::<4>::random([3, 2, 5, 7], Distribution::Normal(0.0, 1.0), &device);
    let (gamma, beta) = (Tensor::<1>::ones([2], &device), Tensor::<1>::zeros([2], &device));
    let normal =
        |x: &Tensor<4>, relu| normalise(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, relu);
    let (x, shortcut, above) = (random().require_grad(), random().require_grad(), random());
    let inside = |tensor: &Tensor<4>| values(tensor.clone().inner().into_data());
    let before = [inside(&x), inside(&shortcut)];
    let blocks = |first: Tensor<4>| {
        // Its gradient comes both through a second normalisation and past it.
        let gradients = ((first.clone() + normal(&first, true)) * above.clone()).sum().backward();
        [&x, &shortcut].map(|tensor| tensor.grad(&gradients).unwrap())
    };
    let out = join(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, shortcut.clone());
    let (held, before_out) = (out.clone().inner(), values(out.clone().inner().into_data()));
    let [ours, ours_past] = blocks(out);
    let [theirs, theirs_past] = blocks(activation::relu(shortcut.clone() + normal(&x, false)));
    assert_eq!((distance(ours, theirs), distance(ours_past, theirs_past)), (0.0, 0.0));
    assert_eq!(values(held.into_data()), before_out);
    assert_eq!([inside(&x), inside(&shortcut)], before);
}
