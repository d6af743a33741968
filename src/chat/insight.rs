//! `/gallery`, `/confusions` and `/atlas`: what makes an area itself to the live model, what it takes for what, and which
//! towns it finds. All of it was kept beside the model when it was judged.

mod atlas;

use super::message::{Picture, Reply};
use super::picture::shown::{OverviewPicture, OverviewRow, ShownPicture, ShownTile, overview, shown};
use super::picture::{atlas as map, judged};
use super::text::insight::{self as words, Word, word};
use super::text::{self, Lang, percent, report, short_area};
use super::wish;
use crate::collect::borders::{self, Grounds};
use crate::domain::{Area, Border};
use crate::infer::manifest::Manifest;
use crate::judge::Portrait;
use crate::judge::portrait::{Figure, MistakeRow, Row};
use crate::models::Portraits;

/// Pairs of areas whose photos `/confusions` shows.
pub const PAIRS: usize = 5;
/// Rows of an overview: a chat shrinks what is higher.
const ROWS: usize = 7;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The photos most like an area, or like each where none is named.
    Gallery(String),
    /// What is taken for what.
    Confusions,
    /// Which towns are found, in one area or, where none is named, in all.
    Atlas(String),
}

/// Shows what was kept of the live model's judgement; clones share it.
#[derive(Clone)]
pub struct Insight {
    portraits: Portraits,
    /// Where borders are from.
    grounds: Grounds,
}

impl Insight {
    /// Shows these portraits, and maps with borders from these grounds.
    #[must_use]
    pub fn new(portraits: Portraits, grounds: Grounds) -> Self {
        Self { portraits, grounds }
    }

    /// The answer: pictures with words, or words that say why there are no pictures. Drawn on a thread for blocking work.
    pub async fn show(&self, lang: Lang, manifest: &Manifest, about: About) -> Reply {
        let (insight, sha256) = (self.clone(), manifest.sha256.clone());
        let drawn = tokio::task::spawn_blocking(move || match insight.portraits.of(&sha256) {
            Ok(portrait) => portrait.map(|portrait| insight.reply(lang, &portrait, &about)),
            Err(error) => {
                tracing::error!(%error, "what was kept of the model's judgement cannot be read");
                Some(Reply::words(word(lang, Word::Failed)))
            }
        });
        match drawn.await {
            Ok(Some(reply)) => reply,
            Ok(None) => none(lang, manifest),
            Err(error) => {
                tracing::error!(%error, "a model's pictures could not be drawn");
                Reply::words(word(lang, Word::Failed))
            }
        }
    }

    fn reply(&self, lang: Lang, portrait: &Portrait, about: &About) -> Reply {
        let areas: Vec<Area> = portrait.score.areas.iter().map(|recall| recall.area.clone()).collect();
        let find = |name: &str| match wish::value(name) {
            "" => Ok(None),
            name => match wish::find(name, &areas) {
                Some(area) => Ok(Some(area)),
                None => Err(words::area_unknown(lang, name, &areas)),
            },
        };
        let reply = match about {
            About::Gallery(name) => find(name).map(|area| gallery(lang, portrait, area)),
            About::Confusions => Ok(confusions(lang, portrait)),
            About::Atlas(name) => find(name).map(|area| self.atlas(lang, portrait, area)),
        };
        reply.unwrap_or_else(Reply::words)
    }

    fn atlas(&self, lang: Lang, portrait: &Portrait, only: Option<usize>) -> Reply {
        let (picture, words) = atlas::atlas(lang, portrait, only, &self.borders(portrait));
        let alt = word(lang, Word::AtlasAlt);
        Reply::picture(words, Picture { name: "atlas.png".to_owned(), bytes: map::atlas(&picture), alt })
    }

    /// The borders of the areas, empty where there is none.
    fn borders(&self, portrait: &Portrait) -> Vec<Border> {
        let areas: Vec<&Area> = portrait.score.areas.iter().map(|recall| &recall.area).collect();
        borders::known(&self.grounds, &areas).unwrap_or_else(|error| {
            tracing::error!(%error, "the map has no borders");
            vec![Border::default(); areas.len()]
        })
    }
}

/// To somebody who asks about a model that was never judged.
pub(super) fn none(lang: Lang, manifest: &Manifest) -> Reply {
    Reply::words(words::none(lang, &manifest.name, &manifest.version))
}

/// The photos most like an area beside their heatmaps, or an overview of all areas.
fn gallery(lang: Lang, portrait: &Portrait, area: Option<usize>) -> Reply {
    let row = area.and_then(|area| portrait.like(&portrait.score.areas[area].area.area));
    let Some(row) = row else {
        let example = portrait.most_like.first().map(|row| words::overview_how(lang, &row.area));
        let lines = [word(lang, Word::Overview), words::of(lang, portrait), String::new()].into_iter();
        let lines = lines.chain([word(lang, Word::OverviewNote)]).chain(example).collect::<Vec<_>>();
        return Reply::picture(lines.join("\n"), most_like(lang, portrait));
    };
    let (title, of) = (words::gallery_title(lang, &row.area), words::of(lang, portrait));
    let note = words::gallery_note(lang, &row.area);
    let said = words::photos(lang, &title, &of, &row.photos, &note);
    let picture =
        ShownPicture { title, subtitle: of, tiles: tiles(lang, &row.photos), notes: notes(lang, portrait, &note) };
    let alt = words::gallery_alt(lang, &row.area);
    Reply::picture(said, Picture { name: "gallery.jpg".to_owned(), bytes: shown(&picture), alt })
}

/// The matrix, and the photos of the most frequent mistakes.
fn confusions(lang: Lang, portrait: &Portrait) -> Reply {
    let matrix = Picture {
        name: "confusion.png".to_owned(),
        bytes: judged::confusion(lang, &portrait.score),
        alt: report::word(lang, report::Word::Confusion),
    };
    let said = words::confusions(lang, portrait, PAIRS);
    let pairs = portrait.mistakes.iter().take(PAIRS).enumerate();
    let pairs: Vec<Picture> = pairs.map(|(index, row)| pair(lang, portrait, row, index + 1)).collect();
    if pairs.is_empty() {
        return Reply::picture(said, matrix);
    }
    Reply { album: std::iter::once(matrix).chain(pairs).collect(), ..Reply::words(said) }
}

/// Photos of one area that are taken for another.
fn pair(lang: Lang, portrait: &Portrait, row: &MistakeRow, number: usize) -> Picture {
    let picture = ShownPicture {
        title: report::mistake(lang, &row.truth, &row.answer),
        subtitle: format!("{} · {}", report::count(lang, row.count), report::name(&portrait.model)),
        // That each was taken elsewhere is what the title says.
        tiles: row.photos.iter().map(|figure| ShownTile { elsewhere: None, ..tile(lang, figure) }).collect(),
        notes: notes(lang, portrait, &word(lang, Word::MistakesNote)),
    };
    let alt = words::mistake_alt(lang, &row.truth, &row.answer);
    Picture { name: format!("mistake-{number}.jpg"), bytes: shown(&picture), alt }
}

fn tiles(lang: Lang, figures: &[Figure]) -> Vec<ShownTile> {
    figures.iter().map(|figure| tile(lang, figure)).collect()
}

fn tile(lang: Lang, figure: &Figure) -> ShownTile {
    ShownTile {
        photo: figure.shown.photo().to_vec(),
        heatmap: figure.shown.heatmap(),
        share: percent(figure.probability),
        elsewhere: figure.is_elsewhere().then(|| short_area(lang, &figure.truth).to_owned()),
        place: figure.place.clone(),
        credit: figure.credit.clone().unwrap_or_default(),
    }
}

/// How to read a picture, a sentence a line, and where its photos are from.
fn notes(lang: Lang, portrait: &Portrait, note: &str) -> Vec<String> {
    let sentences = note.split_inclusive(['。', '.']).map(str::trim).filter(|sentence| !sentence.is_empty());
    sentences.map(str::to_owned).chain([report::source(lang, &portrait.photos)]).collect()
}

/// The photos most like each area and those of the most frequent mistakes, one picture each; no second one where
/// nothing is mistaken.
#[must_use]
pub fn overviews(lang: Lang, portrait: &Portrait) -> Vec<Picture> {
    let mut pictures = vec![most_like(lang, portrait)];
    if !portrait.mistakes.is_empty() {
        let row = |row: &MistakeRow| OverviewRow {
            name: report::mistake(lang, &row.truth, &row.answer),
            count: report::count(lang, row.count),
            tiles: row.photos.iter().map(|figure| (figure.shown.heatmap(), false)).collect(),
        };
        let rows = portrait.mistakes.iter().map(row).collect();
        let texts = [Word::Mistakes, Word::MistakesNote, Word::MistakesAlt];
        pictures.push(rows_of(lang, portrait, "mistakes.jpg", rows, texts));
    }
    pictures
}

fn most_like(lang: Lang, portrait: &Portrait) -> Picture {
    let row = |row: &Row| OverviewRow {
        name: text::area(lang, &row.area).to_owned(),
        count: String::new(),
        tiles: row.photos.iter().map(|figure| (figure.shown.heatmap(), figure.is_elsewhere())).collect(),
    };
    let rows = portrait.most_like.iter().map(row).collect();
    rows_of(lang, portrait, "gallery.jpg", rows, [Word::Overview, Word::OverviewNote, Word::OverviewAlt])
}

fn rows_of(
    lang: Lang,
    portrait: &Portrait,
    name: &str,
    mut rows: Vec<OverviewRow>,
    [title, note, alt]: [Word; 3],
) -> Picture {
    let hidden = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let more = (hidden > 0).then(|| words::more(lang, hidden));
    let credits = portrait.most_like.iter().flat_map(|row| &row.photos);
    let credits =
        credits.chain(portrait.mistakes.iter().flat_map(|row| &row.photos)).filter_map(|figure| figure.credit.clone());
    let credits: std::collections::BTreeSet<String> = credits.collect();
    let credits = credits.into_iter().map(|credit| format!("© {credit}"));
    let picture = OverviewPicture {
        title: word(lang, title),
        subtitle: words::of(lang, portrait),
        rows,
        notes: more.into_iter().chain(notes(lang, portrait, &word(lang, note))).chain(credits).collect(),
    };
    Picture { name: name.to_owned(), bytes: overview(&picture), alt: word(lang, alt) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    fn insight() -> Insight {
        let models = crate::models::Settings { folder: "nowhere".into(), configured: None };
        Insight::new(Portraits::new(models), Grounds::default())
    }

    fn reply(lang: Lang, about: &About) -> Reply {
        insight().reply(lang, &sample::portrait(), about)
    }

    #[test]
    fn what_is_said() {
        for lang in Lang::ALL {
            let named = |name: &str| name.to_owned();
            let asked = [
                About::Gallery(named("Minato")),
                About::Gallery(named("area=旭川")),
                About::Gallery(String::new()),
                About::Gallery(named("大阪\u{7}市")),
                About::Confusions,
                About::Atlas(String::new()),
                About::Atlas(named("渋谷区")),
                About::Atlas(named("大阪")),
            ];
            let said = asked.iter().map(|about| {
                let reply = reply(lang, about);
                let pictures: Vec<String> =
                    reply.picture.iter().chain(&reply.album).map(|p| format!("[{}]", p.alt)).collect();
                format!("{}\n{}", reply.text, pictures.join("\n"))
            });
            insta::assert_snapshot!(format!("insight-{}", lang.tag()), said.collect::<Vec<_>>().join("\n----\n"));
        }
    }

    #[test]
    fn without_mistakes_there_is_the_matrix_alone() {
        let mut portrait = sample::portrait();
        assert_eq!(overviews(Lang::Ja, &portrait).len(), 2);
        portrait.mistakes.clear();
        let reply = confusions(Lang::En, &portrait);
        assert!(reply.album.is_empty() && reply.picture.is_some());
        assert!(reply.text.contains("no mistake"), "{}", reply.text);
        assert_eq!(overviews(Lang::Ja, &portrait).len(), 1);
    }

    #[tokio::test]
    async fn the_built_in_model_shows_itself_and_one_that_was_never_judged_says_what_to_do() {
        let built_in = crate::infer::manifest::ModelFiles::built_in().unwrap().manifest;
        let shown = insight().show(Lang::Ja, &built_in, About::Gallery("港区".to_owned())).await;
        assert!(shown.picture.is_some() && shown.text.starts_with("東京都港区らしい写真"), "{}", shown.text);
        let other = insight().show(Lang::En, &sample::manifest(), About::Confusions).await;
        assert_eq!(other, Reply::words(words::none(Lang::En, "drawn-world", "1.0.0")));
        assert!(other.text.contains("kokodoko evaluate"));
    }
}
