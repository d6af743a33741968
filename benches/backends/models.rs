//! Networks and photos to measure with.

use std::path::Path;

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use kokodoko::domain::Area;
use kokodoko::domain::Split;
use kokodoko::infer::manifest::{Manifest, Metrics, ModelFiles, Provenance, sha256_hex};
use kokodoko::infer::preprocess::Preprocess;
use kokodoko::train::export::Precision;
use kokodoko::train::reference::reference;
use kokodoko::train::resnet::Arch;
use kokodoko::world::World;
use kokodoko::world::photo::photos;
use rayon::prelude::*;

/// The built-in model, and ResNet-50 with random weights at 224 pixels, by name.
pub fn all() -> Vec<(&'static str, ModelFiles)> {
    let built_in = ModelFiles::built_in().expect("the built-in model is sound");
    vec![("resnet18@128", built_in), ("resnet50@224", resnet50())]
}

fn resnet50() -> ModelFiles {
    let onnx = reference(Arch::ResNet50, Precision::F32, Some(224)).onnx;
    let manifest = Manifest {
        name: "random".to_owned(),
        version: "0".to_owned(),
        output_stride: 32,
        arch: Arch::ResNet50.name().to_owned(),
        sha256: sha256_hex(&onnx),
        temperature: 1.0,
        abstain_below: 0.0,
        provenance: Provenance {
            data: "noise".to_owned(),
            command: String::new(),
            licence: "MIT".to_owned(),
            attribution: Vec::new(),
        },
        input: Preprocess::imagenet(224),
        metrics: Metrics::default(),
        index: None,
        street: None,
        labels: (0..7).map(|label| Area::new("県", &label.to_string(), "")).collect(),
    };
    ModelFiles { manifest, onnx, index: None }
}

/// Sizes of the photos, Street View's, a service's preview and a phone's of 12 megapixels, and how many of each.
const SIZES: [(u32, u32, usize); 3] = [(640, 640, 64), (1280, 720, 32), (4032, 3024, 16)];
/// Quality of the JPEGs, 1 to 100.
const QUALITY: u8 = 88;

/// Draws the photos into a folder.
pub fn draw(folder: &Path) {
    let world = World::load();
    for (width, height, count) in SIZES {
        let specs: Vec<_> = photos(&world, 7, &[Split::Test], count.div_ceil(7)).take(count).collect();
        let bytes: Vec<usize> = (specs.into_par_iter().enumerate())
            .map(|(i, spec)| {
                let mut picture = spec.sized(width, height).render(&world).image;
                grain(&mut picture, i as u32);
                let jpeg = encode(&picture);
                std::fs::write(folder.join(format!("{width}x{height}.{i}.jpg")), &jpeg).expect("a photo is written");
                jpeg.len()
            })
            .collect();
        let pixels = bytes.len() as f64 * f64::from(width) * f64::from(height);
        eprintln!("{width}x{height}: {:.2} bits a pixel", bytes.iter().sum::<usize>() as f64 * 8.0 / pixels);
    }
}

/// The photos of such a folder by their size.
pub fn read(folder: &Path) -> Vec<(String, Vec<Vec<u8>>)> {
    let photo = |name: String| std::fs::read(folder.join(name)).expect("the photos were drawn");
    let of_size = |(width, height, count): (u32, u32, usize)| {
        let photos = (0..count).map(|i| photo(format!("{width}x{height}.{i}.jpg"))).collect();
        (format!("{width}x{height}"), photos)
    };
    SIZES.into_iter().map(of_size).collect()
}

/// A JPEG as phones write them: colour in half of the resolution.
fn encode(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).expect("memory takes it");
    bytes
}

/// A sensor's noise, without which drawings would decode faster than photos: phones' JPEGs have 2 to 3 bits a pixel.
fn grain(picture: &mut RgbImage, seed: u32) {
    let mut state = seed.wrapping_mul(2_654_435_769) | 1;
    for value in picture.iter_mut() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *value = value.saturating_add_signed((state % 15) as i8 - 7);
    }
}
