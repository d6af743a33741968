//! What camera and development do: blur, grain, white balance, contrast, vignette.

use image::RgbImage;
use tiny_skia::Pixmap;

use super::super::scene::Finish;

/// Turns the painted picture into the one that the camera would have stored.
pub fn develop(pixmap: &Pixmap, finish: &Finish) -> RgbImage {
    let (width, height) = (pixmap.width(), pixmap.height());
    let curves = finish.gain.map(|gain| curve(gain, finish.contrast));
    let mut noise = finish.seed | 1;
    let falloff = |i: u32, n: u32| ((i as f32 + 0.5) / n as f32 * 2.0 - 1.0).powi(2);
    let columns: Vec<f32> = (0..width).map(|x| falloff(x, width)).collect();
    let source = blurred(pixmap, finish.blur);
    let mut out = Vec::with_capacity(source.len() / 4 * 3);
    for (y, row) in source.chunks_exact(width as usize * 4).enumerate() {
        let across = falloff(y as u32, height);
        for (pixel, column) in row.chunks_exact(4).zip(&columns) {
            // xorshift64: grain needs speed, not quality.
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let grain = ((noise >> 40) as f32 / 8_388_608.0 - 1.0) * finish.grain;
            let dim = 1.0 - finish.vignette * (across + column) * 0.5;
            let rgb = [curves[0][pixel[0] as usize], curves[1][pixel[1] as usize], curves[2][pixel[2] as usize]];
            let grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
            out.extend(
                rgb.map(|c| ((grey + (c - grey) * finish.saturation) * dim + grain + 0.5).clamp(0.0, 255.0) as u8),
            );
        }
    }
    RgbImage::from_raw(width, height, out).expect("three bytes were written for each pixel")
}

fn curve(gain: f32, contrast: f32) -> [f32; 256] {
    std::array::from_fn(|i| {
        let value = i as f32 / 255.0 * gain;
        // A shoulder keeps bright skies from clipping to flat white.
        let value = if value > 0.8 { 0.8 + (value - 0.8) / (1.0 + (value - 0.8) * 2.0) } else { value };
        ((value - 0.5) * contrast + 0.5).clamp(0.0, 1.0) * 255.0
    })
}

/// Two passes of a box blur, close to a Gaussian; `share` is the radius relative to the width.
fn blurred(pixmap: &Pixmap, share: f32) -> Vec<u8> {
    let radius = share * pixmap.width() as f32;
    let data = pixmap.data().to_vec();
    if radius < 0.3 {
        return data;
    }
    let (width, height) = (pixmap.width() as usize, pixmap.height() as usize);
    let side = radius.min(1.0) * 0.5;
    let across = smear(&data, width * height, 4, |i| (i % width > 0, i % width + 1 < width), side);
    smear(&across, width * height, width * 4, |i| (i >= width, i + width < width * height), side)
}

/// Mixes each pixel with its two neighbours `stride` bytes away, where it has them.
fn smear(data: &[u8], pixels: usize, stride: usize, neighbours: impl Fn(usize) -> (bool, bool), side: f32) -> Vec<u8> {
    let weight = (side * 128.0) as u32;
    let middle = 256 - 2 * weight;
    let mut out = data.to_vec();
    for i in 0..pixels {
        let (before, after) = neighbours(i);
        for byte in i * 4..i * 4 + 3 {
            let here = u32::from(data[byte]);
            let left = if before { u32::from(data[byte - stride]) } else { here };
            let right = if after { u32::from(data[byte + stride]) } else { here };
            out[byte] = ((here * middle + (left + right) * weight) >> 8) as u8;
        }
    }
    out
}
