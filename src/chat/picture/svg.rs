//! A sheet to draw on: shapes and text as SVG, rendered with the bundled font alone, so that a picture looks the same
//! on every machine.

use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage, imageops};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use unicode_width::UnicodeWidthChar;

/// More of a sentence fits than [`Sheet::text`] takes letters to need.
pub(super) const SENTENCE: f32 = 1.2;
/// Paper.
pub(super) const PAPER: &str = "#fbf8f2";
/// [`PAPER`] as pixels.
const GROUND: image::Rgb<u8> = image::Rgb([0xfb, 0xf8, 0xf2]);
/// Text.
pub(super) const INK: &str = "#22303c";
/// Text of less weight.
pub(super) const MUTED: &str = "#5d6b78";
/// Lines and empty bars.
pub(super) const LINE: &str = "#e4ddd0";
/// People. With [`MODEL`] a pair that colour-blind people can tell apart (Okabe and Ito 2008).
pub(super) const PEOPLE: &str = "#0072b2";
/// The model.
pub(super) const MODEL: &str = "#c75000";
/// Width of most Latin letters, share of the font size.
const NARROW: f32 = 0.58;
/// Width of the widest of them.
const BROAD: f32 = 0.9;
/// Shown for a name that leaves nothing to draw.
const NAMELESS: &str = "—";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("font/medium.ttf").to_vec());
    fonts.load_font_data(include_bytes!("font/bold.ttf").to_vec());
    Arc::new(fonts)
});

/// How a text stands at its position.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Height of the letters, pixels.
    pub(super) size: f32,
    /// Bold or medium.
    pub(super) bold: bool,
    /// Colour.
    pub(super) fill: &'static str,
    /// How it stands.
    pub(super) anchor: Anchor,
}

/// Medium ink from the start.
pub(super) fn plain(size: f32) -> Style {
    Style { size, bold: false, fill: INK, anchor: Anchor::Start }
}

/// Bold ink from the start.
pub(super) fn bold(size: f32) -> Style {
    Style { bold: true, ..plain(size) }
}

/// A sheet of so many pixels, with photos below what is drawn.
pub(super) struct Sheet {
    ground: RgbImage,
    body: String,
}

impl Sheet {
    /// An empty sheet of [`PAPER`].
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { ground: RgbImage::from_pixel(width, height, GROUND), body: String::new() }
    }

    /// A square photo, scaled to a side; one that cannot be read leaves its place empty.
    pub(super) fn photo(&mut self, jpeg: &[u8], x: u32, y: u32, side: u32) {
        let Ok(photo) = image::load_from_memory(jpeg) else { return };
        let photo = photo.resize_to_fill(side, side, imageops::FilterType::CatmullRom).to_rgb8();
        imageops::replace(&mut self.ground, &photo, i64::from(x), i64::from(y));
    }

    /// A picture, as it is.
    pub(super) fn picture(&mut self, picture: &RgbImage, x: u32, y: u32) {
        imageops::replace(&mut self.ground, picture, i64::from(x), i64::from(y));
    }

    /// A box with round corners.
    pub(super) fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, radius: f32, fill: &str) {
        let width = width.max(0.0);
        let shape =
            format_args!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}"/>"#);
        self.push(shape);
    }

    /// A line.
    pub(super) fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, stroke: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(
            r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="{width}" stroke-linecap="round"/>"#
        ));
    }

    /// A disc.
    pub(super) fn disc(&mut self, x: f32, y: f32, radius: f32, fill: &str) {
        self.push(format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>"#));
    }

    /// Text whose baseline begins, is centred or ends at a point, cut to a width.
    pub(super) fn text(&mut self, x: f32, y: f32, style: Style, room: f32, words: &str) {
        let Style { size, bold, fill, anchor } = style;
        let drawable = tidy(words);
        let drawable = if drawable.trim().is_empty() && !words.is_empty() { NAMELESS } else { &drawable };
        let words = escape(&fit(drawable, room / size));
        // Each file of the font is a family of its own.
        let family = if bold { "'Rounded Mplus 1c Bold'" } else { "'Rounded Mplus 1c'" };
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{size}" font-family="{family}" fill="{fill}" text-anchor="{anchor}">{words}</text>"#
        ));
    }

    /// Text with a rim of [`PAPER`], to be read on a map.
    pub(super) fn label(&mut self, x: f32, y: f32, style: Style, room: f32, words: &str) {
        let width = style.size / 4.0;
        self.push(format_args!(
            r#"<g stroke="{PAPER}" stroke-width="{width}" stroke-linejoin="round" paint-order="stroke">"#
        ));
        self.text(x, y, style, room, words);
        self.push(format_args!("</g>"));
    }

    /// A shape of closed rings, even-odd: filled thinly, with an outline.
    pub(super) fn shape(&mut self, rings: &[Vec<(f32, f32)>], colour: &str) {
        let path = path(rings);
        self.push(format_args!(
            r#"<path d="{path}" fill="{colour}" fill-opacity="0.12" fill-rule="evenodd" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>"#
        ));
    }

    /// Closed rings, even-odd, in a colour of this opacity (0 to 1), with an outline.
    pub(super) fn tinted(&mut self, rings: &[Vec<(f32, f32)>], fill: &str, opacity: f32, stroke: &str) {
        let path = path(rings);
        self.push(format_args!(
            r#"<path d="{path}" fill="{fill}" fill-opacity="{opacity}" fill-rule="evenodd" stroke="{stroke}" stroke-width="1.5" stroke-linejoin="round"/>"#
        ));
    }

    /// A circle.
    pub(super) fn circle(&mut self, x: f32, y: f32, radius: f32, width: f32, stroke: &str) {
        self.push(format_args!(
            r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="{stroke}" stroke-width="{width}"/>"#
        ));
    }

    /// Draws only within a box with round corners.
    pub(super) fn within(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), draw: impl FnOnce(&mut Self)) {
        // Each box has a name of its own: what is drawn only grows.
        let name = self.body.len();
        self.push(format_args!(
            r#"<clipPath id="b{name}"><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="14"/></clipPath><g clip-path="url(#b{name})">"#
        ));
        draw(self);
        self.push(format_args!("</g>"));
    }

    /// Coloured pieces within closed rings, even-odd, thin lines between them and a thick one around all.
    pub(super) fn mosaic(&mut self, rings: &[Vec<(f32, f32)>], pieces: &[(Vec<(f32, f32)>, String)]) {
        let around = path(rings);
        // Each mosaic has a name of its own: what is drawn only grows.
        let name = self.body.len();
        self.push(format_args!(
            r#"<clipPath id="c{name}"><path d="{around}" clip-rule="evenodd"/></clipPath><g clip-path="url(#c{name})" stroke="{PAPER}" stroke-width="0.5">"#
        ));
        for (ring, fill) in pieces {
            let piece = path(std::slice::from_ref(ring));
            self.push(format_args!(r#"<path d="{piece}" fill="{fill}"/>"#));
        }
        self.push(format_args!(
            r#"</g><path d="{around}" fill="none" stroke="{INK}" stroke-width="2" stroke-linejoin="round"/>"#
        ));
    }

    /// What is drawn so far, as SVG.
    #[cfg(test)]
    pub(super) fn drawn(&self) -> &str {
        &self.body
    }

    fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        self.body.write_fmt(shape).expect("a string takes everything");
    }

    fn svg(&self) -> String {
        let (width, height) = self.ground.dimensions();
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{}</svg>"#, self.body)
    }

    /// The sheet with everything on it.
    ///
    /// # Panics
    /// When the SVG is not well-formed, which a property test rules out.
    fn render(self) -> RgbImage {
        overlay(&self.svg(), self.ground, 1.0)
    }

    /// As JPEG, for sheets with photos.
    pub(super) fn jpeg(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 88);
        self.render().write_with_encoder(encoder).expect("memory takes a picture");
        bytes
    }

    /// As PNG, for charts.
    pub(super) fn png(self) -> Vec<u8> {
        png(&self.render())
    }
}

/// An SVG on [`PAPER`] as PNG, `scale` pixels for one of its own.
///
/// # Panics
/// When the SVG is not well-formed.
pub(super) fn png_of(svg: &str, size: (f32, f32), scale: f32) -> Vec<u8> {
    let (width, height) = ((size.0 * scale).ceil() as u32, (size.1 * scale).ceil() as u32);
    png(&overlay(svg, RgbImage::from_pixel(width, height, GROUND), scale))
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("memory takes a picture");
    bytes.into_inner()
}

/// The ground with an SVG on it.
fn overlay(svg: &str, mut ground: RgbImage, scale: f32) -> RgbImage {
    let options = Options { fontdb: FONTS.clone(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).expect("shapes and escaped text are well-formed");
    let (width, height) = ground.dimensions();
    let mut layer = Pixmap::new(width, height).expect("a sheet has pixels");
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut layer.as_mut());
    for (below, above) in ground.pixels_mut().zip(layer.pixels()) {
        let rest = 255 - u16::from(above.alpha());
        // The layer's colours are premultiplied with their alpha.
        let blend = |below: u8, above: u8| above.saturating_add((u16::from(below) * rest / 255) as u8);
        let [red, green, blue] = below.0;
        below.0 = [blend(red, above.red()), blend(green, above.green()), blend(blue, above.blue())];
    }
    ground
}

/// Without what the font has no picture of or what would turn the text around: control characters, marks of
/// direction, emoji.
fn tidy(words: &str) -> String {
    let shown = |c: &char| match u32::from(*c) {
        0x2713 | 0x2717 => true,
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x2600..=0x27bf | 0xe000..=0xf8ff | 0xfe00..=0xfe0f => {
            false
        }
        0xfeff | 0xfff0..=0x1_ffff | 0x3_0000.. => false,
        _ => !c.is_control(),
    };
    words.chars().filter(shown).collect()
}

/// Closed rings as the data of an SVG path.
fn path(rings: &[Vec<(f32, f32)>]) -> String {
    let mut path = String::new();
    for ring in rings {
        for (index, (x, y)) in ring.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            write!(path, "{command}{x:.1} {y:.1}").expect("a string takes everything");
        }
        path.push('Z');
    }
    path
}

/// Width of a letter, share of the font size.
fn width(letter: char) -> f32 {
    match letter.width() {
        _ if matches!(letter, '…' | '①'..='⑳') => 1.0,
        _ if letter.is_uppercase() || matches!(letter, 'm' | 'w' | '@' | '%' | 'Ѐ'..='ӿ') => BROAD,
        Some(0) | None => 0.0,
        Some(1) => NARROW,
        Some(_) => 1.0,
    }
}

/// About how long words are, in font sizes.
pub(super) fn length(words: &str) -> f32 {
    words.chars().map(width).sum()
}

/// The beginning of the words that fits, with … where something is left out; `room` in font sizes.
fn fit(words: &str, room: f32) -> String {
    if length(words) <= room {
        return words.to_owned();
    }
    let mut left = room - 1.0;
    let fits = words.chars().take_while(|letter| {
        left -= width(*letter);
        left >= 0.0
    });
    fits.chain(['…']).collect()
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(words: &str) -> RgbImage {
        let mut sheet = Sheet::new(300, 60);
        sheet.text(10.0, 40.0, bold(30.0), 280.0, words);
        sheet.render()
    }

    fn ink(picture: &RgbImage) -> usize {
        picture.pixels().filter(|pixel| pixel.0[0] < 128).count()
    }

    #[test]
    fn both_scripts_and_the_marks_are_in_the_font() {
        for word in ["港", "渋谷区", "Minato", "✓", "✗", "旭川市"] {
            assert!(ink(&drawn(word)) > 20, "{word} leaves no ink");
        }
        assert_ne!(drawn("港"), drawn("渋"), "not the same box for every letter");
        assert_eq!(drawn("🗼\u{202e}\u{7}"), drawn(NAMELESS), "a row is never empty");
        assert_eq!(drawn("港"), drawn("港"), "the same picture each time");
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(fit("東京都千代田区", 4.0), "東京都…");
        assert_eq!(fit("abc", 4.0), "abc");
        assert_eq!(fit("WWWWWW", 4.0), "WWW…");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_name_breaks_the_picture(words in "\\PC{0,40}|[<>&\"';\u{0}-\u{1f}\u{202e}]{0,20}") {
            drawn(&words);
        }
    }
}
