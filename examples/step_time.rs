//! Seconds per training step, to choose a recipe.
use std::time::Instant;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Int, Tensor};
use kokodoko::train::resnet::{Arch, ResNetConfig};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let (size, batch, steps) = (args[0], args[1], args[2]);
    let device = Device::flex().autodiff();
    device.seed(1);
    let mut model = ResNetConfig::new(Arch::ResNet18, 7).init(&device);
    let mut optim = SgdConfig::new().init();
    let x = Tensor::<4>::random([batch, 3, size, size], Distribution::Normal(0.0, 1.0), &device);
    let y = Tensor::<1, Int>::zeros([batch], &device);
    for _ in 0..steps {
        let t = Instant::now();
        let out = model.forward(x.clone());
        let loss = CrossEntropyLossConfig::new().init(&device).forward(out.logits, y.clone());
        let l: f32 = loss.clone().into_scalar();
        let fwd = t.elapsed();
        let grads = loss.backward();
        let bwd = t.elapsed() - fwd;
        let grads = GradientsParams::from_grads(grads, &model);
        model = optim.step(0.01, model, grads);
        let all = t.elapsed();
        println!(
            "{size} b{batch}: fwd {:.3} bwd {:.3} opt {:.3} total {:.3} -> {:.1} img/s loss {l}",
            fwd.as_secs_f64(),
            bwd.as_secs_f64(),
            (all - fwd - bwd).as_secs_f64(),
            all.as_secs_f64(),
            batch as f64 / all.as_secs_f64()
        );
    }
}
