//! Pictures: the heatmap of an answer, those of the quiz and the diagrams of a judgement, drawn as SVG with the bundled font.

pub mod board;
pub mod contact;
pub mod grid;
pub mod heat;
pub mod judged;
pub mod plan_map;
pub mod reveal;
mod svg;
pub mod versus;
