//! `world outliers`: which score tells photos that are no street, and the chosen one for an existing model.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use rayon::prelude::*;

use super::index::write_manifest;
use crate::cli::Outliers;
use crate::config::Config;
use crate::domain::Split;
use crate::infer::Core;
use crate::infer::files::replace;
use crate::infer::manifest::ModelFiles;
use crate::infer::street::STREET_FILE;
use crate::judge::strays::{Line, Sample, Seen, see, table};
use crate::train::{drawn, street};
use crate::world::World;
use crate::world::strays::strays;

/// Seed of the built-in model's photos.
const SEED: u64 = 1;

/// Streets with their labels.
type Streets = Vec<(usize, Seen)>;

/// Prints the table, and writes what was fitted if asked to.
pub(super) async fn run(config: Config, options: Outliers) -> anyhow::Result<ExitCode> {
    let core = super::core_of(&config, options.model.as_deref()).await?;
    let (world, each) = (World::load(), options.photos as usize);
    let train = streets(&core, &world, Split::Train, 2 * each).await?;
    let validation = sample(&core, &world, Split::Validation, each).await?;
    let features = |seen: &Seen| seen.features.clone();
    let fitted = street::fit(
        &train.iter().map(|(_, seen)| features(seen)).collect::<Vec<_>>(),
        &validation.streets.iter().map(features).collect::<Vec<_>>(),
    );
    let fitted = fitted.context("the features of these photos do not differ: the network sees nothing in them")?;
    if options.write {
        let folder =
            options.model.as_deref().context("--write needs --model: the built-in model is a part of the program")?;
        write(folder, &fitted, options.version)?;
    }
    let test = sample(&core, &world, Split::Test, each).await?;
    let lines = table(&train, (&validation, &test), core.manifest().temperature, &fitted.gate);
    let lines = lines.context("there are no photos")?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        print(&lines, &test);
    }
    Ok(ExitCode::SUCCESS)
}

/// Photos of one split, `each` an area.
async fn streets(core: &Core, world: &World, split: Split, each: usize) -> anyhow::Result<Streets> {
    let specs = drawn::split_photos(world, SEED, split, each);
    tracing::info!(photos = specs.len(), split = split.name(), "drawing streets");
    let labels: Vec<usize> = specs.iter().map(|spec| spec.area).collect();
    let jpegs: Vec<Vec<u8>> = specs.into_par_iter().map(|spec| spec.shoot(world).jpeg).collect();
    Ok(labels.into_iter().zip(see(core, jpegs).await?).collect())
}

/// The same with as many pictures of each kind that show no street.
async fn sample(core: &Core, world: &World, split: Split, each: usize) -> anyhow::Result<Sample> {
    let streets = streets(core, world, split, each).await?.into_iter().map(|(_, seen)| seen).collect();
    tracing::info!(split = split.name(), "drawing what is no street");
    let drawn = strays(world, drawn::split_seed(SEED, split), split, each);
    let (kinds, jpegs): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
    let strays = kinds.into_iter().zip(see(core, jpegs).await?).collect();
    Ok(Sample { streets, strays })
}

/// Puts the gate beside the model, and its section into the manifest.
fn write(folder: &Path, fitted: &street::Fitted, version: Option<String>) -> anyhow::Result<()> {
    let mut manifest = ModelFiles::read(folder)?.manifest;
    let (section, bytes) = fitted.section();
    manifest.street = Some(section);
    manifest.version = version.unwrap_or(manifest.version);
    let path = folder.join(STREET_FILE);
    replace(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    write_manifest(folder, &manifest)
}

fn print(lines: &[Line], test: &Sample) {
    println!("{} streets and {} others of the test split", test.streets.len(), test.strays.len());
    println!("at thresholds that 99 % of the validation split's streets pass\n");
    let kinds: String = lines[0].kinds.iter().map(|(kind, _)| format!("{:>11}", kind.name())).collect();
    println!(
        "{:18} {:>10} {:>10} {:>10} {:>9} {:>9}  AUROC by kind{kinds}",
        "score", "AUROC val.", "AUROC test", "FPR95 test", "streets", "others"
    );
    for line in lines {
        let kinds: String = line.kinds.iter().map(|(_, auroc)| format!("{auroc:>11.3}")).collect();
        println!(
            "{:18} {:>10.4} {:>10.4} {:>10.3} {:>8.1}% {:>8.1}%               {kinds}",
            line.score,
            line.validation.auroc,
            line.test.auroc,
            line.test.fpr95,
            line.streets_refused * 100.0,
            line.strays_refused * 100.0,
        );
    }
}
