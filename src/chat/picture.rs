//! Pictures: the heatmap of an answer, those of the quiz and the diagrams of a judgement, drawn as SVG with the bundled font.

pub mod board;
pub mod contact;
pub mod grid;
pub mod judged;
pub mod plan_map;
pub mod reveal;
mod svg;
pub mod versus;

use super::message::Picture;
use crate::infer::explain::Explanation;

/// The heatmap for `label`, drawn and encoded on a thread for blocking work. `number` counts the photos of a
/// message from 1; `alt` says what the picture shows.
///
/// `None` when drawing panics: the words of the answer go out all the same.
pub async fn heatmap(explanation: Explanation, label: usize, number: usize, alt: String) -> Option<Picture> {
    let drawn = tokio::task::spawn_blocking(move || explanation.heatmap_jpeg(label)).await;
    let bytes = drawn.inspect_err(|error| tracing::error!(%error, "the heatmap could not be drawn")).ok()?;
    Some(Picture { name: format!("heatmap-{number}.jpg"), bytes, alt })
}
