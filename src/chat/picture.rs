//! Pictures: the heatmap of an answer, those of the quiz and what a judgement shows, drawn as SVG with the bundled font.

pub mod atlas;
pub mod board;
pub mod contact;
pub mod grid;
pub mod guess;
pub mod heat;
pub mod judged;
mod panel;
pub mod plan_map;
pub mod reveal;
pub mod shown;
pub mod similar;
mod svg;
pub mod versus;
