//! Diagrams of a judgement, as pictures for chats.

use super::svg::{INK, LINE, MODEL, MUTED, PEOPLE, png_of};
use crate::chat::Lang;
use crate::chat::plot::{self, Plot, WIDTH};
use crate::chat::text::report::{self, Word};
use crate::chat::train::Epoch;
use crate::judge::{Judgement, Score, Verdict};

/// Pixels of the picture for one of the diagram.
const SCALE: f32 = 2.0;

/// The coverage-accuracy curve of a model and, with its name, of the one it is compared with; a PNG, 960 pixels wide.
#[must_use]
pub fn curve(lang: Lang, model: (&str, &Score), other: Option<(&str, &Score)>) -> Vec<u8> {
    draw(&plot::curve(lang, model, other))
}

/// The confusion matrix; a PNG, 960 pixels wide.
#[must_use]
pub fn confusion(lang: Lang, score: &Score) -> Vec<u8> {
    draw(&plot::confusion(lang, score))
}

/// Whether the model knows how sure it is; a PNG, 960 pixels wide.
#[must_use]
pub fn reliability(lang: Lang, score: &Score) -> Vec<u8> {
    draw(&plot::reliability(lang, score))
}

/// Recall of each area; a PNG, 960 pixels wide.
#[must_use]
pub fn recall(lang: Lang, score: &Score, other: Option<&Score>) -> Vec<u8> {
    draw(&plot::recall(lang, score, other))
}

/// How a training goes, the epochs done of so many; a PNG, 960 pixels wide.
#[must_use]
pub fn learning(lang: Lang, epochs: &[Epoch], of: usize) -> Vec<u8> {
    draw(&plot::learning(lang, epochs, of))
}

/// How much better one model is than another; a PNG, 960 pixels wide.
#[must_use]
pub fn difference(lang: Lang, verdict: &Verdict) -> Vec<u8> {
    draw(&plot::difference(lang, verdict))
}

/// Every diagram of a judgement with its name and what it shows; PNGs, 960 pixels wide.
#[must_use]
pub fn all(lang: Lang, judgement: &Judgement) -> Vec<(&'static str, Word, Vec<u8>)> {
    let (name, score) = (report::name(&judgement.model), &judgement.score);
    let against = judgement.against.as_ref();
    let theirs = against.and_then(|other| Some((report::name(&other.model), other.score.as_ref()?)));
    let other = theirs.as_ref().map(|(name, score)| (name.as_str(), *score));
    let difference = against.map(|other| ("difference", Word::Difference, difference(lang, &other.verdict)));
    let alone = [
        ("curve", Word::Curve, curve(lang, (&name, score), other)),
        ("confusion", Word::Confusion, confusion(lang, score)),
        ("recall", Word::Recall, recall(lang, score, other.map(|(_, score)| score))),
        ("reliability", Word::Reliability, reliability(lang, score)),
    ];
    difference.into_iter().chain(alone).collect()
}

fn draw(plot: &Plot) -> Vec<u8> {
    png_of(&plot.svg("", Some(&style())), (WIDTH, plot.height), SCALE)
}

fn style() -> String {
    format!(
        "text{{font-family:'Rounded Mplus 1c'}}\
         .ink{{fill:{INK}}}.muted{{fill:{MUTED}}}.over{{fill:#fff}}\
         .grid{{stroke:{LINE}}}.axis{{stroke:{MUTED};stroke-width:1.5}}.dashed{{stroke-dasharray:5 5}}\
         .a{{fill:{PEOPLE}}}.b{{fill:{MODEL}}}.soft{{fill-opacity:.6}}\
         .line{{fill:none;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}}\
         .line.a{{stroke:{PEOPLE}}}.line.b{{stroke:{MODEL}}}.thick{{stroke-width:5}}\
         .ring{{fill:none;stroke-width:3}}.ring.a{{stroke:{PEOPLE}}}.ring.b{{stroke:{MODEL}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    #[test]
    fn every_picture_has_ink_in_both_languages() {
        let (score, verdict) = (sample::score(), sample::verdict());
        for lang in Lang::ALL {
            let other = Some(("b 2", &score));
            let pictures = [
                curve(lang, ("a 1", &score), other),
                confusion(lang, &score),
                reliability(lang, &score),
                recall(lang, &score, Some(&score)),
                difference(lang, &verdict),
                difference(lang, &sample::by_distance()),
                learning(lang, &sample::epochs(), 6),
            ];
            for (i, png) in pictures.iter().enumerate() {
                let picture = image::load_from_memory(png).expect("a PNG").to_rgb8();
                assert_eq!(picture.width(), 960);
                let dark = picture.pixels().filter(|pixel| pixel.0.iter().all(|c| *c < 110)).count();
                let coloured = picture.pixels().filter(|p| p.0[0].abs_diff(p.0[2]) > 60).count();
                assert!(dark > 300 && coloured > 300, "picture {i}: {dark} dark, {coloured} coloured pixels");
            }
        }
    }
}
