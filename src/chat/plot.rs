//! Diagrams of a judgement, as SVG that names no colour and no font: the page and the pictures each bring a style.
//!
//! Classes: `ink` and `muted` (text), `grid`, `axis`, `a` (the model, or the one it is about), `b` (what it is compared
//! with), `line` (a stroke), `ring`, `cell`. Lengths are pixels of a sheet [`WIDTH`] wide.

mod confusion;
mod curve;
mod forest;
mod learning;
mod reliability;

use std::fmt::Write as _;

pub use confusion::confusion;
pub use curve::curve;
pub use forest::{difference, recall};
pub use learning::learning;
pub use reliability::reliability;

/// Width of every diagram.
pub const WIDTH: f32 = 480.0;
/// Size of text.
const TEXT: f32 = 14.0;

/// A diagram.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Its height, pixels.
    pub height: f32,
    body: String,
}

/// How a text stands at its position.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

impl Plot {
    fn new(height: f32) -> Self {
        Self { height, body: String::new() }
    }

    /// The SVG, its description for those who cannot see it, and, for a picture of its own, a style.
    #[must_use]
    pub fn svg(&self, alt: &str, style: Option<&str>) -> String {
        let (alt, height) = (escape(alt), self.height);
        let style = style.map(|style| format!("<style>{style}</style>")).unwrap_or_default();
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{alt}">{style}{}</svg>"#,
            self.body
        )
    }

    fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        self.body.write_fmt(shape).expect("a string takes everything");
    }

    fn line(&mut self, class: &str, from: (f32, f32), to: (f32, f32)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#));
    }

    fn path(&mut self, class: &str, points: &[(f32, f32)]) {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' }).expect("a string takes everything");
        }
        self.push(format_args!(r#"<path class="{class}" d="{d}"/>"#));
    }

    fn disc(&mut self, class: &str, at: (f32, f32), radius: f32) {
        let (x, y) = at;
        self.push(format_args!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"/>"#));
    }

    /// A box; `strength` of 0 to 1 says how much of its colour shows.
    fn cell(&mut self, class: &str, at: (f32, f32), size: (f32, f32), strength: f32) {
        let ((x, y), (width, height)) = (at, size);
        self.push(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="3" fill-opacity="{strength:.2}"/>"#
        ));
    }

    fn text(&mut self, class: &str, at: (f32, f32), anchor: Anchor, words: &str) {
        self.sized(class, at, anchor, TEXT, words);
    }

    fn sized(&mut self, class: &str, at: (f32, f32), anchor: Anchor, size: f32, words: &str) {
        let ((x, y), anchor, words) = (at, anchor.name(), escape(words));
        self.push(format_args!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}">{words}</text>"#
        ));
    }

    /// Text that climbs by `degrees` from its beginning.
    fn turned(&mut self, class: &str, at: (f32, f32), anchor: Anchor, degrees: f32, words: &str) {
        let ((x, y), anchor, words) = (at, anchor.name(), escape(words));
        self.push(format_args!(
            r#"<text class="{class}" transform="translate({x:.1} {y:.1}) rotate({})" font-size="{TEXT}" text-anchor="{anchor}">{words}</text>"#,
            -degrees
        ));
    }
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A field with two axes of shares.
struct Field {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
    /// Shares at the ends of the horizontal axis.
    x: (f64, f64),
    /// Shares at the ends of the vertical axis.
    y: (f64, f64),
}

impl Field {
    fn x(&self, share: f64) -> f32 {
        self.left + self.width * ((share - self.x.0) / (self.x.1 - self.x.0)).clamp(0.0, 1.0) as f32
    }

    fn y(&self, share: f64) -> f32 {
        self.top + self.height * (1.0 - ((share - self.y.0) / (self.y.1 - self.y.0)).clamp(0.0, 1.0) as f32)
    }

    fn at(&self, x: f64, y: f64) -> (f32, f32) {
        (self.x(x), self.y(y))
    }

    /// Grid, numbers in per cent and the names of the axes.
    fn draw(&self, plot: &mut Plot, x_name: &str, y_name: &str) {
        let (bottom, right) = (self.top + self.height, self.left + self.width);
        for share in ticks(self.x) {
            plot.line("grid", (self.x(share), self.top), (self.x(share), bottom));
            plot.text("muted", (self.x(share), bottom + 20.0), Anchor::Middle, &percent(share));
        }
        for share in ticks(self.y) {
            plot.line("grid", (self.left, self.y(share)), (right, self.y(share)));
            plot.text("muted", (self.left - 8.0, self.y(share) + 5.0), Anchor::End, &percent(share));
        }
        plot.line("axis", (self.left, bottom), (right, bottom));
        plot.line("axis", (self.left, self.top), (self.left, bottom));
        plot.text("ink", (self.left + self.width / 2.0, bottom + 42.0), Anchor::Middle, x_name);
        plot.text("ink", (self.left - 44.0, self.top - 14.0), Anchor::Start, y_name);
    }
}

/// Round shares in a range: at most six of them.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5].into_iter().find(|step| (high - low) / step <= 5.01);
    let step = step.unwrap_or(1.0);
    let first = (low / step - 1e-9).ceil() as i64;
    (first..).map(|i| i as f64 * step).take_while(|share| *share <= high + 1e-9).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let all: Vec<String> = ticks((0.0, 1.0)).into_iter().map(percent).collect();
        assert_eq!(all, ["0%", "20%", "40%", "60%", "80%", "100%"]);
        let near = ticks((0.85, 1.0));
        assert_eq!(near.len(), 4);
        assert!((near[0] - 0.85).abs() < 1e-9 && (near[3] - 1.0).abs() < 1e-9, "{near:?}");
        assert_eq!(ticks((-0.3, 0.3)).len(), 3, "steps of a fifth around 0");
    }

    #[test]
    fn words_cannot_leave_their_place() {
        let mut plot = Plot::new(10.0);
        plot.text("ink", (0.0, 0.0), Anchor::Start, "<b>&\"");
        let svg = plot.svg("\"><script>", None);
        assert!(svg.contains("&lt;b&gt;&amp;&quot;") && !svg.contains("<script>"), "{svg}");
    }
}
