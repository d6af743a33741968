//! A plan of collecting as it is shown: words, and a picture with map and table.

use super::message::{Picture, Reply};
use super::picture::plan_map::{self, MapArea, MapRow, PlanPicture};
use super::text::{Lang, collect, short_area};
use crate::collect::estimate::Estimate;
use crate::collect::plan::{AreaPlan, Plan};

/// Words and picture. The picture is drawn on a thread for blocking work; should that fail, the words go out alone.
pub async fn reply(lang: Lang, plan: Plan, estimate: &Estimate) -> Reply {
    let words = collect::plan(lang, estimate);
    let picture = picture(lang, plan, estimate);
    let drawn = tokio::task::spawn_blocking(move || plan_map::plan_map(&picture)).await;
    match drawn {
        Ok(bytes) => {
            let alt = collect::plan_alt(lang, estimate);
            Reply::picture(words, Picture { name: "plan.png".to_owned(), bytes, alt })
        }
        Err(error) => {
            tracing::error!(%error, "the plan could not be drawn");
            Reply::words(words)
        }
    }
}

/// What the picture shows.
#[must_use]
pub fn picture(lang: Lang, plan: Plan, estimate: &Estimate) -> PlanPicture {
    let rows = estimate.areas.iter().map(|area| MapRow {
        name: collect::name(lang, &area.area),
        cells: collect::cells(lang, &area.sums, estimate),
    });
    let area = |area: AreaPlan| MapArea {
        // `Minato, Tokyo` is long for a map, and the table has it.
        name: short_area(lang, &area.area).to_owned(),
        border: area.border,
        towns: area.towns.iter().flat_map(|town| town.discs.iter().map(|disc| disc.center)).collect(),
        points: area.towns.into_iter().flat_map(|town| town.points).collect(),
    };
    let hidden = estimate.areas.len().saturating_sub(plan_map::ROWS);
    PlanPicture {
        title: collect::plan_map_title(lang),
        subtitle: collect::plan_title(lang, estimate),
        areas: plan.areas.into_iter().map(area).collect(),
        legend: collect::plan_legend(lang),
        columns: collect::plan_columns(lang),
        rows: rows.take(plan_map::ROWS).collect(),
        others: (hidden > 0).then(|| collect::plan_others(lang, hidden)),
        total: MapRow { name: collect::plan_total(lang), cells: collect::cells(lang, &estimate.total(), estimate) },
        notes: collect::plan_notes(lang, estimate),
    }
}
