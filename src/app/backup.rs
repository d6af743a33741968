//! `backup` and `restore`.

use std::path::Path;
use std::process::ExitCode;

use crate::backup::{Contents, back_up, restore};
use crate::clock::{SystemClock, WallClock};
use crate::config::Config;

/// Writes a backup to a new folder.
pub(super) async fn save(config: Config, out: &Path) -> anyhow::Result<ExitCode> {
    let store = super::store(&config).await?;
    let saved = back_up(&store, &config.models_folder, out, SystemClock.now()).await;
    store.close().await;
    let saved = saved?;
    println!("{}: {}", out.display(), describe(&saved));
    println!(
        "not in it: the configuration, secrets, and the collected pictures in {}",
        config.collect.data_folder.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Brings a backup back to where the configuration has the database and the models.
pub(super) async fn bring_back(config: Config, from: &Path) -> anyhow::Result<ExitCode> {
    let back = restore(from, &config.database, &config.models_folder).await?;
    println!("restored to {}: {}", config.database.display(), describe(&back));
    println!("of {}, by version {}; `kokodoko doctor` says whether all is well", back.at, back.program);
    Ok(ExitCode::SUCCESS)
}

fn describe(contents: &Contents) -> String {
    let models = contents.models();
    let names =
        if models.is_empty() { "no models besides".to_owned() } else { format!("models {}", models.join(", ")) };
    format!("the database and {names}, {:.1} MB in {} files", contents.bytes() as f64 / 1e6, contents.files.len())
}
