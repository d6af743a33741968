//! How fast the backends are, and how much of that is left from JPEG bytes to answers. Rates are medians of one run.
//!
//! `cargo bench --bench backends -- --library PATH/libonnxruntime.so.1 --cuda --out FOLDER`; without a library only
//! tract is measured, and the other rows say so. Each backend runs in a process of its own, because a process has one
//! `ort` API.

mod measure;
mod models;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use kokodoko::infer::onnx::{Backend, Device, Precision};

use self::table::Row;

/// Options of the benchmark.
#[derive(Debug, Parser)]
struct Cli {
    /// ONNX Runtime's shared library
    #[arg(long)]
    library: Option<PathBuf>,
    /// Measure CUDA too
    #[arg(long)]
    cuda: bool,
    /// Measure TensorRT too, which compiles each network first
    #[arg(long)]
    tensorrt: bool,
    /// Folder for backends.json and backends.txt
    #[arg(long)]
    out: Option<PathBuf>,
    /// Batch sizes
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32, 128])]
    batches: Vec<usize>,
    /// Seconds for each row
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Measure one backend and print its rows (what this program calls itself with)
    #[arg(long, hide = true)]
    only: Option<String>,
    /// Folder with the photos (what this program calls itself with)
    #[arg(long, hide = true)]
    photos: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// Backends by name, in the order of the table.
const NAMES: [&str; 7] =
    ["cuda-f32", "cuda-f32-graphs", "cuda-tf32-graphs", "tensorrt-tf32", "tensorrt-f16", "ort-cpu", "tract"];

/// Those whose way from JPEG bytes to answers is measured too.
const WITH_CORE: [&str; 5] = ["cuda-f32-graphs", "cuda-tf32-graphs", "tensorrt-f16", "ort-cpu", "tract"];

fn main() {
    let cli = Cli::parse();
    if let Some(name) = &cli.only {
        let backend = backend(name, &cli).expect("only what can run is asked for");
        for row in measure::all(name, &backend, &cli.batches, cli.seconds, cli.photos.as_deref()) {
            println!("{}", serde_json::to_string(&row).expect("a row is plain data"));
        }
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the photos");
    models::draw(folder.path());
    let mut rows = Vec::new();
    for name in NAMES {
        rows.extend(in_its_own_process(name, &cli, folder.path()));
        if let Some(out) = &cli.out {
            write(out, &rows);
        }
    }
    println!("{}", table::render(&rows));
}

/// Writes what is there so far: a run that is cut short leaves its rows.
fn write(out: &Path, rows: &[Row]) {
    std::fs::create_dir_all(out).expect("the folder can be made");
    std::fs::write(out.join("backends.txt"), table::render(rows)).expect("the table is written");
    let json = serde_json::to_vec_pretty(rows).expect("rows are plain data");
    std::fs::write(out.join("backends.json"), json).expect("the rows are written");
}

/// `None` where this machine lacks what the backend needs.
fn backend(name: &str, cli: &Cli) -> Option<Backend> {
    if name == "tract" {
        return Some(Backend::Tract);
    }
    let library = cli.library.clone()?;
    let cuda = |precision, graphs| cli.cuda.then_some(Device::Cuda { precision, graphs });
    let engines = || std::env::temp_dir().join("kokodoko-tensorrt");
    let tensorrt = |half| cli.tensorrt.then(|| Device::TensorRt { half, engines: engines() });
    let device = match name {
        "ort-cpu" => Device::Cpu,
        "tensorrt-tf32" => tensorrt(false)?,
        "tensorrt-f16" => tensorrt(true)?,
        "cuda-f32" => cuda(Precision::F32, false)?,
        "cuda-f32-graphs" => cuda(Precision::F32, true)?,
        _ => cuda(Precision::Tf32, true)?,
    };
    Some(Backend::OnnxRuntime { library, device, threads: 0 })
}

fn in_its_own_process(name: &str, cli: &Cli, photos: &Path) -> Vec<Row> {
    let not_measured = || vec![Row::not_measured(name)];
    if backend(name, cli).is_none() {
        return not_measured();
    }
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--only", name, "--seconds", &cli.seconds.to_string(), "--batches"]);
    command.arg(cli.batches.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    command.args(cli.library.iter().flat_map(|path| ["--library".as_ref(), path.as_os_str()]));
    command.args(cli.cuda.then_some("--cuda"));
    command.args(cli.tensorrt.then_some("--tensorrt"));
    if WITH_CORE.contains(&name) {
        command.arg("--photos").arg(photos);
    }
    eprintln!("{name} …");
    let output = command.stderr(std::process::Stdio::inherit()).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<Row> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if rows.is_empty() { not_measured() } else { rows }
}
