//! `data …`: the collected set, and what it cost.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use unicode_width::UnicodeWidthStr;

use crate::chat::picture::contact::{self, ContactRow};
use crate::cli::data::{Data, Reconcile, Stats as StatsOptions};
use crate::clock::{SystemClock, WallClock};
use crate::collect::check::{check, repair};
use crate::collect::dataset::Dataset;
use crate::collect::export::export;
use crate::collect::showcase::showcase;
use crate::collect::stats::Stats;
use crate::config::Config;
use crate::domain::Split;
use crate::domain::imagery::Source;
use crate::domain::spend::{Period, RunId, Spent};
use crate::store::{Doubt, Store};

/// Photos of each area on a contact sheet.
const SHOWN: usize = 6;
/// Most purchases in doubt that are listed one by one.
const LISTED: usize = 20;

/// Runs a command on the collected set.
pub(super) async fn run(config: Config, command: Data) -> anyhow::Result<ExitCode> {
    let store = super::store(&config).await?;
    let dataset = Dataset::new(store.clone(), &config.collect.data_folder, Arc::new(SystemClock));
    let currency = &config.collect.money.currency;
    let code = match command {
        Data::Check { repair, buy_again } => check_files(&dataset, currency, repair, buy_again).await?,
        Data::Stats(options) => stats(&dataset, &options).await?,
        Data::Export { out } => write_export(&dataset, &out).await?,
        Data::Spend { json } => spend(&store, currency, json).await?,
        Data::Gifts { withdraw } => super::gifts::show(&config, &store, withdraw).await?,
        Data::Reconcile(options) => reconcile(&store, currency, &options).await?,
    };
    store.close().await;
    Ok(code)
}

async fn check_files(dataset: &Dataset, currency: &str, set_right: bool, buy_again: bool) -> anyhow::Result<ExitCode> {
    let report = check(dataset).await?;
    for fault in &report.faults {
        println!("{fault}");
    }
    println!("{} pictures, {} read, {} faults", report.pictures, megabytes(report.bytes), report.faults.len());
    if !report.faults.is_empty() && !set_right {
        println!("`kokodoko data check --repair` sets it right");
        return Ok(ExitCode::FAILURE);
    }
    if !report.faults.is_empty() {
        repair(dataset, &report.faults).await?;
        println!("set right; what was moved aside is in {}", dataset.folder().join("aside").display());
    }
    let (gone, paid) = dataset.store().gone().await?;
    if gone > 0 && buy_again {
        let again = dataset.store().buy_gone_again().await?;
        println!("{again} pictures that were paid for ({paid} {currency}) may be bought again by the next run");
    } else if gone > 0 {
        println!(
            "{gone} pictures that were paid for ({paid} {currency}) are gone and are not bought again; \
             `kokodoko data check --repair --buy-again` lets the next run do so, within the caps"
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn stats(dataset: &Dataset, options: &StatsOptions) -> anyhow::Result<ExitCode> {
    let stats = Stats::new(&dataset.store().image_sums().await?);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&stats)?);
    } else {
        print_stats(&stats, options.towns);
    }
    if let Some(out) = &options.sheet {
        write_sheet(dataset, out).await?;
        if !options.json {
            println!("contact sheet: {}", out.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_stats(stats: &Stats, towns: bool) {
    let line = |name: &str, images: u64, splits: &std::collections::BTreeMap<&'static str, u64>| {
        let counts: Vec<String> = Split::ALL.iter().map(|split| format!("{:>12}", splits[split.name()])).collect();
        println!("{}{images:>8}{}", padded(name), counts.concat());
    };
    println!("{}{:>8}{:>12}{:>12}{:>12}{:>12}", padded("area"), "images", "train", "validation", "test", "quiz");
    for area in &stats.areas {
        line(&area.area, area.images, &area.splits);
        for town in area.towns.iter().filter(|_| towns) {
            println!("{}{:>8}  {}", padded(&format!("  {}", town.town)), town.images, town.split);
        }
    }
    line("all", stats.images, &stats.splits);
    println!("\n{}{:>8}", padded("month of capture"), "images");
    for (month, images) in &stats.months {
        println!("{}{images:>8}", padded(month));
    }
    println!("\n{} in {} areas", megabytes(stats.bytes), stats.areas.len());
}

/// Padded for a terminal, where Japanese letters are two columns wide.
fn padded(name: &str) -> String {
    format!("{name}{}", " ".repeat(28_usize.saturating_sub(name.width())))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

async fn write_sheet(dataset: &Dataset, out: &Path) -> anyhow::Result<()> {
    let rows = showcase(dataset, SHOWN).await?;
    let drawn = tokio::task::spawn_blocking(move || {
        let row = |shown: crate::collect::showcase::Shown| ContactRow {
            area: shown.area,
            images: shown.images,
            // A picture that cannot be read leaves its place empty; `data check` says why.
            photos: shown
                .photos
                .into_iter()
                .map(|(path, town)| (std::fs::read(path).unwrap_or_default(), town))
                .collect(),
        };
        contact::contact(&rows.into_iter().map(row).collect::<Vec<_>>())
    });
    std::fs::write(out, drawn.await?).with_context(|| format!("cannot write {}", out.display()))
}

async fn write_export(dataset: &Dataset, out: &Path) -> anyhow::Result<ExitCode> {
    let done = export(dataset, out).await?;
    let how = if done.copied == 0 { "linked".to_owned() } else { format!("{} of them copied", done.copied) };
    println!(
        "{} pictures in {} ({how}), all that is known of them in {}",
        done.images,
        out.display(),
        done.table.display()
    );
    Ok(ExitCode::SUCCESS)
}

async fn spend(store: &Store, currency: &str, json: bool) -> anyhow::Result<ExitCode> {
    let today = jiff::tz::TimeZone::UTC.to_datetime(SystemClock.now()).date();
    let periods = [Period::Day(today), Period::Month(today), Period::All];
    let mut sums = Vec::new();
    for period in periods {
        sums.push((period, store.spent(period, None).await?));
    }
    let mut doubts = Vec::new();
    for source in Source::ALL {
        doubts.extend(store.in_doubt(source).await?);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&ledger_json(currency, &sums, &doubts))?);
        return Ok(ExitCode::SUCCESS);
    }
    for (period, spent) in &sums {
        println!("{:<12}{}", period.to_string(), spent_words(spent, currency));
    }
    if !doubts.is_empty() {
        println!("\nin doubt (being bought now, or left by a kill):");
    }
    for doubt in doubts.iter().take(LISTED) {
        let look = doubt.item.look.map(|look| format!(" {look}")).unwrap_or_default();
        let (source, image) = (doubt.item.source.name(), &doubt.item.image);
        println!("  run {} {} {source} {image}{look} {} {currency}", doubt.run.0, doubt.reserved_at, doubt.price);
    }
    if doubts.len() > LISTED {
        println!("  and {} more (--json lists all)", doubts.len() - LISTED);
    }
    Ok(ExitCode::SUCCESS)
}

fn spent_words(spent: &Spent, currency: &str) -> String {
    let Spent { billed, in_doubt, images_billed, images_in_doubt } = spent;
    format!("{billed} {currency} for {images_billed} images; in doubt {in_doubt} {currency} for {images_in_doubt}")
}

fn ledger_json(currency: &str, sums: &[(Period, Spent)], doubts: &[Doubt]) -> serde_json::Value {
    let sum = |(period, spent): &(Period, Spent)| {
        serde_json::json!({
            "period": period.to_string(),
            "images_billed": spent.images_billed, "images_in_doubt": spent.images_in_doubt,
            "billed": spent.billed.to_string(), "in_doubt": spent.in_doubt.to_string(),
        })
    };
    let doubt = |doubt: &Doubt| {
        serde_json::json!({
            "run": doubt.run.0, "source": doubt.item.source.name(), "image": doubt.item.image,
            "look": doubt.item.look.map(|look| look.to_string()), "price": doubt.price.to_string(),
            "day": doubt.day.to_string(), "reserved_at": doubt.reserved_at.to_string(), "lost": doubt.lost,
        })
    };
    serde_json::json!({
        "currency": currency,
        "sums": sums.iter().map(sum).collect::<Vec<_>>(),
        "in_doubt": doubts.iter().map(doubt).collect::<Vec<_>>(),
    })
}

async fn reconcile(store: &Store, currency: &str, options: &Reconcile) -> anyhow::Result<ExitCode> {
    let period = match (options.run, options.day, options.month) {
        (Some(run), ..) => Period::Run(RunId(run)),
        (_, Some(day), _) => Period::Day(day),
        (.., Some(month)) => Period::Month(month),
        _ => Period::All,
    };
    let _alone = store.nobody_collects()?;
    let done = store.reconcile(options.source, period, options.billed, SystemClock.now()).await??;
    println!("of what was in doubt {} images were billed and {} were not", done.billed, done.not_billed);
    let spent = store.spent(period, Some(options.source)).await?;
    println!("{period}: {}", spent_words(&spent, currency));
    Ok(ExitCode::SUCCESS)
}
