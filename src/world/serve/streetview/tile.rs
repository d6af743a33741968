//! The grey tile that stands for a missing picture.

use image::{Rgb, RgbImage};

const BACKGROUND: Rgb<u8> = Rgb([228, 227, 223]);
const INK: Rgb<u8> = Rgb([117, 117, 117]);
const LINES: [&str; 2] = ["Sorry, we have", "no imagery here."];

/// Pixels of a letter's grid: columns, rows, and the distances from letter to letter and line to line.
const COLUMNS: u32 = 5;
const ROWS: u32 = 9;
const STEP: u32 = 6;
const LEADING: u32 = 12;

/// The letters of the sentence; a row's highest of five bits is its left pixel, the last two rows hang below the line.
const LETTERS: [(char, [u8; ROWS as usize]); 15] = [
    ('S', [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110, 0, 0]),
    ('a', [0, 0, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111, 0, 0]),
    ('e', [0, 0, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110, 0, 0]),
    ('g', [0, 0, 0b01111, 0b10001, 0b10001, 0b10001, 0b01111, 0b00001, 0b01110]),
    ('h', [0b10000, 0b10000, 0b10110, 0b11001, 0b10001, 0b10001, 0b10001, 0, 0]),
    ('i', [0b00100, 0, 0b01100, 0b00100, 0b00100, 0b00100, 0b01110, 0, 0]),
    ('m', [0, 0, 0b11010, 0b10101, 0b10101, 0b10101, 0b10101, 0, 0]),
    ('n', [0, 0, 0b10110, 0b11001, 0b10001, 0b10001, 0b10001, 0, 0]),
    ('o', [0, 0, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110, 0, 0]),
    ('r', [0, 0, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000, 0, 0]),
    ('v', [0, 0, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100, 0, 0]),
    ('w', [0, 0, 0b10001, 0b10001, 0b10101, 0b10101, 0b01010, 0, 0]),
    ('y', [0, 0, 0b10001, 0b10001, 0b10001, 0b10001, 0b01111, 0b00001, 0b01110]),
    (',', [0, 0, 0, 0, 0, 0, 0b00100, 0b00100, 0b01000]),
    ('.', [0, 0, 0, 0, 0, 0, 0b00100, 0, 0]),
];

/// "Sorry, we have no imagery here." in the middle of grey, as large as fits.
pub fn no_imagery(width: u32, height: u32) -> RgbImage {
    let mut tile = RgbImage::from_pixel(width, height, BACKGROUND);
    let longest = LINES.iter().map(|line| line.len() as u32).max().unwrap_or(1);
    let scale = (width * 2 / 3 / (longest * STEP)).clamp(1, 3);
    let top = (height / 2).saturating_sub(LEADING * scale);
    for (line, y) in LINES.iter().zip((top..).step_by((LEADING * scale) as usize)) {
        let left = (width / 2).saturating_sub(line.len() as u32 * STEP * scale / 2);
        for (letter, x) in line.chars().zip((left..).step_by((STEP * scale) as usize)) {
            stamp(&mut tile, letter, (x, y), scale);
        }
    }
    tile
}

/// Draws a letter with its top left corner at `(x, y)`; what lies outside the tile is left out.
fn stamp(tile: &mut RgbImage, letter: char, (x, y): (u32, u32), scale: u32) {
    let Some((_, rows)) = LETTERS.iter().find(|(known, _)| *known == letter) else { return };
    for dy in 0..ROWS * scale {
        for dx in 0..COLUMNS * scale {
            let inked = rows[(dy / scale) as usize] >> (COLUMNS - 1 - dx / scale) & 1 == 1;
            if let Some(pixel) = tile.get_pixel_mut_checked(x + dx, y + dy).filter(|_| inked) {
                *pixel = INK;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_sentence_is_known() {
        let unknown = LINES.join(" ").chars().find(|c| *c != ' ' && LETTERS.iter().all(|(known, _)| known != c));
        assert_eq!(unknown, None);
    }

    #[test]
    fn the_tile_is_mostly_grey_and_fits_any_size() {
        let tile = no_imagery(640, 640);
        let inked = tile.pixels().filter(|pixel| **pixel == INK).count();
        assert!((500..20_000).contains(&inked), "{inked}");
        assert_eq!(no_imagery(1, 1).dimensions(), (1, 1));
    }
}
