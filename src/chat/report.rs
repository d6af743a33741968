//! The report on a model: one HTML file that needs nothing else, in both languages, for light and dark screens.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::plot::{self, Plot};
use super::text::report::{self as words, Line, Word, word};
use super::text::{self, Lang, short_area};
use crate::judge::portrait::Figure;
use crate::judge::{Given, Measured, Model, Portrait, Score, Verdict};

/// Everything that the report shows.
#[derive(Clone, Debug)]
pub struct Report {
    /// The language that it opens in.
    pub lang: Lang,
    /// The model.
    pub portrait: Portrait,
    /// Whether it has only ever seen drawings.
    pub drawn_world: bool,
    /// The model that it is compared with.
    pub other: Option<Other>,
    /// Photos that could not be read.
    pub left_out: usize,
    /// The model on photos that people gave, when there are any.
    pub given: Option<Given>,
}

/// The model that a candidate is compared with.
#[derive(Clone, Debug)]
pub struct Other {
    /// Which.
    pub model: Model,
    /// How good it is in naming areas; `None` where the models are compared by distance.
    pub score: Option<Score>,
    /// Whether the candidate is better.
    pub verdict: Verdict,
}

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    let name = escape(&words::name(&report.portrait.model));
    let lang = report.lang.tag();
    let (style, script) = (include_str!("report/style.css"), include_str!("report/script.js"));
    add(&mut page, &format!("<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">"));
    add(&mut page, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    add(&mut page, "<link rel=\"icon\" href=\"data:,\">");
    add(&mut page, &format!("<title>{name}</title><style>{style}</style></head><body>"));
    header(&mut page, report);
    add(&mut page, "<main>");
    figures(&mut page, report);
    given(&mut page, report);
    plots(&mut page, report);
    gallery(&mut page, report);
    add(&mut page, "</main>");
    footer(&mut page, report);
    add(&mut page, &format!("<script>{script}</script></body></html>\n"));
    page
}

fn header(page: &mut String, report: &Report) {
    let other_lang = |lang| word(lang, Word::OtherLang);
    add(page, "<header><div class=\"bar\"><span class=\"brand\">ここどこ?</span>");
    add(page, &format!("<button type=\"button\" id=\"lang\">{}</button>", both(other_lang)));
    add(page, &format!("<button type=\"button\" id=\"theme\">{}</button></div>", both(|lang| word(lang, Word::Theme))));
    add(page, &format!("<h1>{}</h1>", both(|lang| words::title(lang, &report.portrait.model))));
    let score = &report.portrait.score;
    add(page, &format!("<p class=\"lead\">{}</p>", both(|lang| words::photos(lang, score.photos, score.places))));
    let photos = |lang| words::source(lang, &report.portrait.photos);
    add(page, &format!("<p class=\"quiet\">{}</p>", both(photos)));
    if report.left_out > 0 {
        add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| words::left_out(lang, report.left_out))));
    }
    if report.drawn_world {
        add(page, &format!("<p class=\"notice\">{}</p>", both(text::drawn_world)));
    }
    if let Some(Other { verdict, .. }) = &report.other {
        let class = match verdict.decision {
            crate::judge::Decision::Better => "better",
            crate::judge::Decision::NotBetter => "even",
            crate::judge::Decision::Worse => "worse",
        };
        add(page, &format!("<p class=\"verdict {class}\">{}</p>", both(|lang| words::decision(lang, verdict))));
        add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| words::only(lang, verdict))));
    }
    add(page, "</header>");
}

/// The table, and where the models are compared by distance, that of both below.
fn figures(page: &mut String, report: &Report) {
    let score = &report.portrait.score;
    let theirs = report.other.as_ref().and_then(|other| other.score.as_ref());
    let by = report.other.as_ref().and_then(|other| match &other.verdict.measured {
        Measured::Distance(by) => Some((&other.verdict, by)),
        Measured::Names(_) => None,
    });
    let lines = if by.is_some() { words::named_table } else { words::table };
    add(page, "<section>");
    table(page, report, &|lang| lines(lang, score), theirs.map(|theirs| move |lang| lines(lang, theirs)));
    add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| word(lang, Word::IntervalsNote))));
    let Some((verdict, by)) = by else {
        if let Some(distances) = &score.distances {
            add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| words::distances_note(lang, distances))));
        }
        return add(page, "</section>");
    };
    add(page, "</section><section id=\"by-distance\">");
    add(page, &format!("<h2>{}</h2>", both(|lang| word(lang, Word::ByDistance))));
    add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| words::by_distance_note(lang, verdict))));
    let [ours, theirs] =
        [&by.candidate_distances, &by.live_distances].map(|distances| move |lang| words::far_off(lang, distances));
    table(page, report, &ours, Some(theirs));
    add(page, "</section>");
}

/// The few figures of photos that people gave.
fn given(page: &mut String, report: &Report) {
    let Some(Given { score, against, left_out }) = &report.given else { return };
    add(page, &format!("<section><h2>{}</h2>", both(|lang| word(lang, Word::Given))));
    add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| words::given(lang, score.photos, score.places))));
    let theirs = against.as_ref().map(|theirs| move |lang| words::short_table(lang, theirs));
    table(page, report, &|lang| words::short_table(lang, score), theirs);
    if *left_out > 0 {
        add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| words::left_out(lang, *left_out))));
    }
    add(page, "</section>");
}

/// The figures of the model, and beside them those of the other.
fn table(
    page: &mut String,
    report: &Report,
    own: &dyn Fn(Lang) -> Vec<Line>,
    theirs: Option<impl Fn(Lang) -> Vec<Line>>,
) {
    let other = report.other.as_ref().map(|other| &other.model);
    let name = |model: &Model| escape(&words::name(model));
    add(page, "<div class=\"scroll\"><table><thead><tr>");
    add(page, &format!("<th scope=\"col\">{}</th>", both(|lang| word(lang, Word::Figure))));
    for model in [Some(&report.portrait.model), other.filter(|_| theirs.is_some())].into_iter().flatten() {
        add(page, &format!("<th scope=\"col\">{}</th>", name(model)));
        add(page, &format!("<th scope=\"col\">{}</th>", both(|lang| word(lang, Word::Interval))));
    }
    add(page, "</tr></thead><tbody>");
    let tables = |lines: &dyn Fn(Lang) -> Vec<Line>| [Lang::Ja, Lang::En].map(lines);
    let (own, theirs) = (tables(own), theirs.map(|theirs| tables(&theirs)));
    for i in 0..own[0].len() {
        let cells = |lines: &[Vec<Line>; 2]| {
            // One of the models may have no distances.
            if lines[0].len() <= i {
                return "<td></td><td></td>".to_owned();
            }
            let interval = |line: &Line| line.interval.clone().unwrap_or_default();
            let intervals = pair(&interval(&lines[0][i]), &interval(&lines[1][i]));
            format!(
                "<td class=\"number\">{}</td><td class=\"number quiet\">{intervals}</td>",
                escape(&lines[0][i].value)
            )
        };
        let head = pair(&own[0][i].figure, &own[1][i].figure);
        let theirs = theirs.as_ref().map(&cells).unwrap_or_default();
        add(page, &format!("<tr><th scope=\"row\">{head}</th>{}{theirs}</tr>", cells(&own)));
    }
    add(page, "</tbody></table></div>");
}

fn plots(page: &mut String, report: &Report) {
    let (score, other) = (&report.portrait.score, report.other.as_ref());
    add(page, "<section class=\"plots\">");
    if let Some(Other { verdict, .. }) = other {
        let note = |lang| words::difference_note(lang, verdict);
        plot(page, Word::Difference, note, |lang| plot::difference(lang, verdict));
    }
    let (own, theirs) = (words::name(&report.portrait.model), other.map(|other| words::name(&other.model)));
    let rival = other.and_then(|other| other.score.as_ref());
    let compared = || theirs.as_deref().zip(rival);
    let note = |of: Word| move |lang| word(lang, of);
    plot(page, Word::Recall, note(Word::RecallNote), |lang| plot::recall(lang, score, rival));
    plot(page, Word::Curve, note(Word::CurveNote), |lang| plot::curve(lang, (&own, score), compared()));
    plot(page, Word::Reliability, note(Word::ReliabilityNote), |lang| plot::reliability(lang, score));
    plot(page, Word::Confusion, note(Word::ConfusionNote), |lang| plot::confusion(lang, score));
    add(page, "</section>");
}

fn plot(page: &mut String, title: Word, note: impl Fn(Lang) -> String, draw: impl Fn(Lang) -> Plot) {
    let svg = |lang: Lang| draw(lang).svg(&word(lang, title), None);
    add(page, &format!("<figure><figcaption><h2>{}</h2>", both(|lang| word(lang, title))));
    add(page, &format!("<p class=\"quiet\">{}</p></figcaption>", both(note)));
    let of = |lang: Lang| format!("<div lang=\"{}\">{}</div>", lang.tag(), svg(lang));
    add(page, &format!("{}{}</figure>", of(Lang::Ja), of(Lang::En)));
}

fn gallery(page: &mut String, report: &Report) {
    let heading = |page: &mut String, title: Word, note: Word| {
        add(page, &format!("<section><h2>{}</h2>", both(|lang| word(lang, title))));
        add(page, &format!("<p class=\"quiet\">{}</p>", both(|lang| word(lang, note))));
    };
    heading(page, Word::Gallery, Word::GalleryNote);
    for row in &report.portrait.most_like {
        add(page, &format!("<h3>{}</h3>", both(|lang| words::like(lang, &row.area))));
        pictures(page, &row.photos, true);
    }
    add(page, "</section>");
    heading(page, Word::Mistakes, Word::MistakesNote);
    for row in &report.portrait.mistakes {
        let title = both(|lang| words::mistake(lang, &row.truth, &row.answer));
        let count = both(|lang| words::count(lang, row.count));
        add(page, &format!("<h3>{title} <span class=\"quiet\">{count}</span></h3>"));
        pictures(page, &row.photos, false);
    }
    if report.portrait.mistakes.is_empty() {
        add(page, &format!("<p>{}</p>", both(|lang| word(lang, Word::None))));
    }
    add(page, "</section>");
}

/// A row of photos; `marks` those that were taken elsewhere.
fn pictures(page: &mut String, photos: &[Figure], marks: bool) {
    if photos.is_empty() {
        return add(page, &format!("<p>{}</p>", both(|lang| word(lang, Word::None))));
    }
    add(page, "<div class=\"photos\">");
    for photo in photos {
        let elsewhere = marks && photo.is_elsewhere();
        let class = if elsewhere { "photo elsewhere" } else { "photo" };
        add(page, &format!("<figure class=\"{class}\">"));
        let image = |jpeg: &[u8], alt: &dyn Fn(Lang) -> String| {
            let alt = escape(&alt(Lang::Ja).replace('"', "")) + " / " + &escape(&alt(Lang::En));
            let data = STANDARD.encode(jpeg);
            format!(
                "<img loading=\"lazy\" width=\"224\" height=\"224\" alt=\"{alt}\" src=\"data:image/jpeg;base64,{data}\">"
            )
        };
        add(page, &image(photo.shown.photo(), &|lang| words::photo_alt(lang, &photo.truth)));
        add(page, &image(&photo.shown.heatmap(), &|lang| words::heatmap_alt(lang, &photo.about)));
        add(page, &format!("<figcaption><b>{}</b>", text::percent(photo.probability)));
        if elsewhere {
            add(
                page,
                &format!(" <span class=\"cross\">✗ {}</span>", both(|lang| short_area(lang, &photo.truth).to_owned())),
            );
        }
        add(page, &format!("<br>{}", escape(&photo.place)));
        if let Some(credit) = &photo.credit {
            add(page, &format!("<br><small>{}</small>", escape(credit)));
        }
        add(page, "</figcaption></figure>");
    }
    add(page, "</div>");
}

fn footer(page: &mut String, report: &Report) {
    add(page, "<footer>");
    for model in [Some(&report.portrait.model), report.other.as_ref().map(|other| &other.model)].into_iter().flatten() {
        let name = escape(&words::name(model));
        add(page, &format!("<p>{name}: {}</p>", both(|lang| words::model(lang, model))));
    }
    if !report.portrait.credits.is_empty() {
        add(page, &format!("<h2>{}</h2><ul>", both(|lang| word(lang, Word::Credits))));
        for credit in &report.portrait.credits {
            add(page, &format!("<li>{}</li>", escape(credit)));
        }
        add(page, "</ul>");
    }
    add(page, "</footer>");
}

/// The same words in both languages; the page shows one.
fn both(words: impl Fn(Lang) -> String) -> String {
    pair(&words(Lang::Ja), &words(Lang::En))
}

fn pair(ja: &str, en: &str) -> String {
    let (ja, en) = (escape(ja), escape(en));
    if ja == en { ja } else { format!("<span lang=\"ja\">{ja}</span><span lang=\"en\">{en}</span>") }
}

fn add(page: &mut String, html: &str) {
    page.write_str(html).expect("a string takes everything");
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;
    use crate::judge::portrait::Source;

    fn report() -> Report {
        let verdict = sample::verdict();
        let mut portrait = sample::portrait();
        portrait.photos = Source::Folder("export".to_owned());
        "赤坂<一丁目>".clone_into(&mut portrait.most_like[0].photos[0].place);
        portrait.most_like[0].photos[0].credit = Some("Aoi & Ren, CC BY-SA 4.0".to_owned());
        Report {
            lang: Lang::Ja,
            portrait,
            drawn_world: true,
            other: Some(Other { model: verdict.live.clone(), score: Some(sample::score()), verdict }),
            left_out: 2,
            given: Some(Given { score: sample::score(), against: Some(sample::score()), left_out: 1 }),
        }
    }

    #[test]
    fn the_page_needs_nothing_else_and_trusts_no_words() {
        let page = html(&report());
        // The namespace of SVG is a name, not an address to load from.
        let rest = page.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http:", "https:", "src=\"/", "url(", "@import"] {
            assert!(!rest.contains(outside), "{outside}");
        }
        assert!(page.contains("赤坂&lt;一丁目&gt;") && page.contains("Aoi &amp; Ren"));
        assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
        assert_eq!(page.matches("<figure").count(), page.matches("</figure>").count());
        assert!(page.contains(&word(Lang::En, Word::Given)));
        assert_eq!(page.matches("elsewhere\"").count(), 1, "one photo was taken elsewhere");
    }

    #[test]
    fn models_whose_areas_differ_share_the_distances_alone() {
        let verdict = sample::by_distance();
        let other = Other { model: verdict.live.clone(), score: None, verdict };
        let report = Report { other: Some(other), given: None, ..report() };
        let page = html(&report);
        let (named, distant) = page.split_once("id=\"by-distance\"").expect("a section of its own");
        let columns = |html: &str| html.split("</thead>").next().map(|head| head.matches("scope=\"col\"").count());
        assert_eq!((columns(named), columns(distant)), (Some(3), Some(5)), "one model, then both");
        assert!(!named.contains("GeoScore, 0 to 5,000") && distant.contains("GeoScore, 0 to 5,000"));
        assert!(named.contains("is not shown to be better") && page.contains("GeoScore, % of 5,000"));
    }

    #[test]
    fn a_report_without_comparison_or_mistakes() {
        let mut report = Report { other: None, given: None, left_out: 0, ..report() };
        report.portrait.mistakes.clear();
        let page = html(&report);
        assert!(!page.contains(&word(Lang::En, Word::Given)), "nobody gave a photo");
        assert!(!page.contains("class=\"verdict") && page.contains("None in these photos."));
    }
}
