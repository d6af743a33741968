//! Photos that people give as test photos.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use crate::chat::etiquette;
use crate::chat::gift::{Giving, Outcome};
use crate::chat::locate;
use crate::clock::SystemClock;
use crate::collect::area::Region;
use crate::collect::gifts::{Gifts, Placed, known_areas};
use crate::config::Config;
use crate::domain::geocell::grid_cell;
use crate::domain::party::TERMINAL;
use crate::domain::{Area, Platform, UserRef};
use crate::infer::Located;
use crate::judge::TestPhoto;
use crate::judge::photos::Origin;
use crate::store::Store;

/// Where gifts are kept, if people are asked for them; `labels` are the areas that the model knows. Removes what a kill
/// has left behind.
pub(super) async fn open(config: &Config, store: Store, labels: &[Area]) -> anyhow::Result<Option<Gifts>> {
    let Some(folder) = &config.gifts else { return Ok(None) };
    let settings = &config.collect;
    let mut areas: Vec<Area> = settings.municipalities.iter().map(|municipality| municipality.area().clone()).collect();
    areas.extend(settings.regions.iter().map(Region::area));
    areas.extend(
        labels.iter().filter(|label| areas.iter().all(|area| area.area != label.area)).cloned().collect::<Vec<_>>(),
    );
    let grounds = super::grounds(config);
    let known = tokio::task::spawn_blocking(move || known_areas(&grounds, &areas)).await??;
    let gifts = Gifts::new(store, folder, known, Arc::new(SystemClock));
    let removed = gifts.tidy().await?;
    if removed > 0 {
        tracing::warn!(removed, "photos that nobody consented to were left by a kill and are removed");
    }
    Ok(Some(gifts))
}

/// Who asks people, if they are asked.
pub(super) async fn giving(config: &Config, store: Store, labels: &[Area]) -> anyhow::Result<Option<Giving>> {
    let gifts = open(config, store, labels).await?;
    Ok(gifts.map(|gifts| Giving::new(gifts, etiquette::system_clock())))
}

/// Whoever sits at this machine's terminal.
fn terminal() -> UserRef {
    UserRef { platform: Platform::Web, id: TERMINAL }
}

/// Keeps a photo that was given on the command line; what is said to that, or `None` where its file names no place in a
/// known area or it shows no street.
pub(super) async fn keep(giving: &Giving, placed: Option<Placed>, located: Located) -> anyhow::Result<Option<Outcome>> {
    let Some(placed) = placed.filter(|_| located.prediction.is_street) else { return Ok(None) };
    let (_, parcel) = locate::wrap(located, placed).await?;
    Ok(Some(giving.keep(&terminal(), giving.new_key(), &[parcel]).await?))
}

/// Deletes what was given at this machine's terminal.
pub(super) async fn forget(config: &Config) -> anyhow::Result<()> {
    let Some(folder) = &config.gifts else { return Ok(()) };
    let store = super::store(config).await?;
    Gifts::new(store.clone(), folder, Vec::new(), Arc::new(SystemClock)).forget(&terminal()).await?;
    store.close().await;
    Ok(())
}

/// `data gifts`: how many there are, or no more of this machine's.
pub(super) async fn show(config: &Config, store: &Store, withdraw: bool) -> anyhow::Result<ExitCode> {
    let folder = config.gifts.as_ref().context("`gifts.ask` is false: no photos are kept")?;
    let gifts = Gifts::new(store.clone(), folder, Vec::new(), Arc::new(SystemClock));
    if withdraw {
        println!("{} photos deleted", gifts.forget(&terminal()).await?);
    }
    let mut areas: BTreeMap<String, usize> = BTreeMap::new();
    for given in gifts.all().await? {
        *areas.entry(given.area).or_default() += 1;
    }
    for (area, count) in &areas {
        println!("{count:>6}  {area}");
    }
    println!("{:>6}  in all, in {}", areas.values().sum::<usize>(), folder.display());
    Ok(ExitCode::SUCCESS)
}

/// The photos that people gave, to judge models by. Without a database there are none, and none is made.
pub(super) async fn test_photos(config: &Config) -> anyhow::Result<Vec<TestPhoto>> {
    let Some(folder) = config.gifts.as_ref().filter(|_| config.database.exists()) else { return Ok(Vec::new()) };
    let store = super::store(config).await?;
    let gifts = Gifts::new(store.clone(), folder, Vec::new(), Arc::new(SystemClock));
    let all = gifts.all().await?;
    store.close().await;
    let photo = |given: crate::collect::gifts::Given| TestPhoto {
        place: grid_cell(given.at),
        area: given.area,
        position: Some(given.at),
        credit: None,
        origin: Origin::File(given.path),
    };
    Ok(all.into_iter().map(photo).collect())
}
