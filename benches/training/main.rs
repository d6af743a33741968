//! How long a training step takes: forward, loss, gradients and optimiser, the batch uploaded each time.
//!
//! `cargo bench --bench training --features cuda -- --device cuda --case resnet18@128x64`; the same steps with PyTorch:
//! `benches/peer/torch_train.py`. Prints a JSON object a case.

use std::time::{Duration, Instant};

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, Int, Tensor, TensorData};
use clap::Parser;
use kokodoko::train::device::Processor;
use kokodoko::train::recipe::Optimiser;
use kokodoko::train::recycle::Recycling;
use kokodoko::train::resnet::{Arch, ResNetConfig};

/// Options of the benchmark.
#[derive(Debug, Parser)]
struct Cli {
    /// `cpu` or `cuda`
    #[arg(long, default_value = "cpu")]
    device: String,
    /// `ARCH@SIDExBATCH`
    #[arg(long = "case", default_values_t = ["resnet18@128x16".to_owned(), "resnet50@224x8".to_owned()])]
    cases: Vec<String>,
    /// Convolutions in bfloat16 (CUDA)
    #[arg(long)]
    mixed: bool,
    /// Steps before the clock starts: on a GPU they choose and compile the kernels
    #[arg(long, default_value_t = 10)]
    warm_up: usize,
    /// Steps on the clock
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

struct Case {
    arch: Arch,
    side: usize,
    batch: usize,
}

impl Case {
    fn parse(text: &str) -> Option<Self> {
        let (arch, rest) = text.split_once('@')?;
        let (side, batch) = rest.split_once('x')?;
        let arch = Arch::ALL.into_iter().find(|known| known.name() == arch)?;
        Some(Self { arch, side: side.parse().ok()?, batch: batch.parse().ok()? })
    }
}

fn main() {
    let cli = Cli::parse();
    let processor = match cli.device.as_str() {
        "cpu" => Processor::Cpu,
        "cuda" => Processor::Cuda,
        other => panic!("--device is cpu or cuda, not {other}"),
    };
    let device = processor.open().expect("the device is there").autodiff();
    for text in &cli.cases {
        let case = Case::parse(text).unwrap_or_else(|| panic!("a case looks like resnet18@128x16, not {text}"));
        let begin = Instant::now();
        let (times, loss) = steps(&case, &device, &cli);
        let warm_up = begin.elapsed() - times.iter().sum::<Duration>();
        let mut sorted = times;
        sorted.sort_unstable();
        let median = sorted[sorted.len() / 2].as_secs_f64();
        let row = serde_json::json!({
            "framework": if cli.mixed { "kokodoko-mixed" } else { "kokodoko-f32" }, "device": cli.device, "case": text, "step_ms": median * 1e3,
            "images_per_second": case.batch as f64 / median, "warm_up_s": warm_up.as_secs_f64(), "loss": loss,
        });
        println!("{row}");
    }
}

/// Times of the steps on the clock, and the last loss.
fn steps(case: &Case, device: &burn::tensor::Device, cli: &Cli) -> (Vec<Duration>, f32) {
    let Case { arch, side, batch } = *case;
    device.seed(1);
    let mut model = ResNetConfig::new(arch, 7).init(device);
    let mut optimiser = Optimiser::Sgd.build(0.0, device);
    let criterion = CrossEntropyLossConfig::new().init(device);
    let values = 3 * side * side * batch;
    let pixels: Vec<f32> =
        (0..values as u32).map(|i| (i.wrapping_mul(2_654_435_769) >> 8) as f32 / 4e6 - 2.0).collect();
    let labels: Vec<i64> = (0..batch as i64).map(|i| i % 7).collect();
    let mut times = Vec::new();
    let mut loss = f32::NAN;
    let recycling = Recycling::start();
    for step in 0..cli.warm_up + cli.steps {
        let pixels = TensorData::new(pixels.clone(), [batch, 3, side, side]);
        let begin = Instant::now();
        let input = Tensor::<4>::from_data(pixels, device);
        let input = if cli.mixed { input.cast(FloatDType::BF16) } else { input };
        let labels = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), device);
        let value = criterion.forward(model.forward(input).logits, labels);
        let gradients = GradientsParams::from_grads(value.backward(), &model);
        model = optimiser.step(0.01, model, gradients);
        // Reading the loss waits for the step, as the engine does.
        loss = value.into_scalar();
        recycling.turn();
        if step >= cli.warm_up {
            times.push(begin.elapsed());
        }
    }
    (times, loss)
}
