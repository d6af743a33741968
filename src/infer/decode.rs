//! Hostile bytes to upright RGB pixels: every limit is checked before anything is decoded.

use std::io::Cursor;

use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, RgbImage};
use thiserror::Error;

use super::jpeg;
use super::preprocess::centre_square;

/// Version of the pixels that [`decode_square`] gives: higher with each change of any, so that nothing is used that was
/// remembered of others ([`super::cache`]).
pub const PIXELS: u32 = 2;

/// What a photo may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, bytes.
    pub max_bytes: usize,
    /// Most pixels, width times height.
    pub max_pixels: u64,
    /// Most memory that the decoder may hold at once, bytes.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    /// Telegram's largest download (20 MiB), 16 megapixels, 64 MiB.
    fn default() -> Self {
        Self { max_bytes: 20 << 20, max_pixels: 16_000_000, max_decoded_bytes: 64 << 20 }
    }
}

/// Why a photo cannot be read. Each kind has its own sentence in [`crate::chat::text`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PhotoError {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// More bytes than [`Limits::max_bytes`].
    #[error("the file has {bytes} bytes, the limit is {limit}")]
    TooManyBytes {
        /// Size of the file.
        bytes: usize,
        /// [`Limits::max_bytes`].
        limit: usize,
    },
    /// More pixels than [`Limits::max_pixels`], or more memory than [`Limits::max_decoded_bytes`].
    #[error("the picture measures {width}x{height} pixels, the limit is {limit} pixels")]
    TooManyPixels {
        /// Width that the header claims.
        width: u32,
        /// Height that the header claims.
        height: u32,
        /// The most pixels that a picture of this format may have.
        limit: u64,
    },
    /// A side of 0 pixels.
    #[error("the picture has no pixels")]
    NoPixels,
    /// The bytes are no picture that we know.
    #[error("the file is not a picture")]
    NotAPicture,
    /// A picture format that we recognise and cannot decode.
    #[error("{format} pictures cannot be read")]
    UnsupportedFormat {
        /// Name of the format: `HEIC`.
        format: &'static str,
    },
    /// The file ends too early.
    #[error("the file is incomplete")]
    Truncated,
    /// The file is damaged in another way.
    #[error("the file is damaged: {detail}")]
    Damaged {
        /// The decoder's own words, for the log.
        detail: String,
    },
}

impl PhotoError {
    /// Stable name for the API and for logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooManyBytes { .. } => "too-many-bytes",
            Self::TooManyPixels { .. } => "too-many-pixels",
            Self::NoPixels => "no-pixels",
            Self::NotAPicture => "not-a-picture",
            Self::UnsupportedFormat { .. } => "unsupported-format",
            Self::Truncated => "truncated",
            Self::Damaged { .. } => "damaged",
        }
    }
}

/// Decodes a JPEG (baseline or progressive; grey, RGB or CMYK), PNG, WebP or the first frame of a GIF, and
/// turns it upright by its EXIF orientation. The name and declared type of a file are ignored: only its
/// bytes count. Transparent pixels are laid over white.
///
/// Returns RGB pixels, 8 bits a channel, rows from the top.
///
/// # Errors
/// See [`PhotoError`]; sizes are checked on the header alone.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage, PhotoError> {
    let format = sniff(bytes, limits)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut image_limits = image::Limits::no_limits();
    image_limits.max_alloc = Some(limits.max_decoded_bytes);
    reader.limits(image_limits);
    let mut decoder = reader.into_decoder().map_err(|error| translate(error, bytes, format))?;
    check_size(&decoder, bytes, format, limits)?;
    // Damaged EXIF must not cost anybody their answer: the picture is then taken as it lies.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(PhotoError::Truncated);
    }
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| translate(error, bytes, format))?;
    picture.apply_orientation(orientation);
    Ok(flatten(picture))
}

/// The centre square of a photo, upright, resized to `side` x `side` pixels (1 or more): what a network sees, in training
/// and when it answers. The errors are those of [`decode`]; so is the picture, to a few of 255 levels, but baseline JPEGs
/// are only decoded as far as the square needs them ([`jpeg`]).
///
/// # Errors
/// See [`PhotoError`]; sizes are checked on the header alone.
#[inline(never)] // profiles find it by its name
pub fn decode_square(bytes: &[u8], limits: &Limits, side: u32) -> Result<RgbImage, PhotoError> {
    if sniff(bytes, limits)? == ImageFormat::Jpeg
        && let Some(square) = jpeg_square(bytes, limits, side)
    {
        return Ok(square);
    }
    Ok(centre_square(&decode(bytes, limits)?, side))
}

/// `None` for what [`decode`] is to decode, or to refuse in its words.
fn jpeg_square(bytes: &[u8], limits: &Limits, side: u32) -> Option<RgbImage> {
    let header = jpeg::header(bytes)?;
    let limit = limits.max_pixels.min(limits.max_decoded_bytes / 4);
    let is_small = u64::from(header.width) * u64::from(header.height) <= limit;
    // From the end, where the marker stands in a sound file.
    let is_complete = || bytes.windows(2).rev().take(bytes.len() - header.scan).any(|pair| pair == END_OF_IMAGE);
    if !is_small || !is_complete() {
        return None;
    }
    let mut square = DynamicImage::ImageRgb8(jpeg::square(bytes, &header, side)?);
    square.apply_orientation(header.orientation);
    Some(square.into_rgb8())
}

/// The format by its first bytes.
fn sniff(bytes: &[u8], limits: &Limits) -> Result<ImageFormat, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    if bytes.len() > limits.max_bytes {
        return Err(PhotoError::TooManyBytes { bytes: bytes.len(), limit: limits.max_bytes });
    }
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Gif)) => Ok(format),
        Ok(other) => Err(PhotoError::UnsupportedFormat { format: known_name(other) }),
        Err(_) => Err(unknown(bytes)),
    }
}

fn known_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Avif => "AVIF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Ico => "ICO",
        _ => "such",
    }
}

/// Formats that `image` does not know by their first bytes.
fn unknown(bytes: &[u8]) -> PhotoError {
    // ISO base media file format, ISO/IEC 14496-12: box size, `ftyp`, major brand.
    let brand = bytes.get(4..8).filter(|b| *b == b"ftyp").and_then(|_| bytes.get(8..12));
    match brand {
        Some(b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1") => {
            PhotoError::UnsupportedFormat { format: "HEIC" }
        }
        Some(b"avif" | b"avis") => PhotoError::UnsupportedFormat { format: "AVIF" },
        Some(_) => PhotoError::UnsupportedFormat { format: "video" },
        None if bytes.starts_with(b"%PDF-") => PhotoError::UnsupportedFormat { format: "PDF" },
        None if b"\x89PNG\r\n\x1a\n".starts_with(bytes) || b"\xff\xd8\xff".starts_with(bytes) => PhotoError::Truncated,
        None => PhotoError::NotAPicture,
    }
}

fn check_size(
    decoder: &impl ImageDecoder,
    bytes: &[u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<(), PhotoError> {
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PhotoError::NoPixels);
    }
    let limit = limits.max_pixels.min(limits.max_decoded_bytes / bytes_per_pixel(decoder, bytes, format));
    if u64::from(width) * u64::from(height) > limit {
        return Err(PhotoError::TooManyPixels { width, height, limit });
    }
    Ok(())
}

/// Memory that decoding one pixel takes, the conversion to RGB included.
fn bytes_per_pixel(decoder: &impl ImageDecoder, bytes: &[u8], format: ImageFormat) -> u64 {
    let own = u64::from(decoder.color_type().bytes_per_pixel());
    let converted = if decoder.color_type() == image::ColorType::Rgb8 { 0 } else { 3 };
    // A progressive JPEG keeps all its coefficients, 16 bits each, until the last scan.
    let coefficients = if format == ImageFormat::Jpeg && jpeg_is_progressive(bytes) { 6 } else { 0 };
    own + converted + coefficients
}

fn translate(error: ImageError, bytes: &[u8], format: ImageFormat) -> PhotoError {
    match error {
        ImageError::Limits(limit) if matches!(limit.kind(), LimitErrorKind::InsufficientMemory) => {
            PhotoError::Damaged { detail: "its header asks for more memory than its pixels need".to_owned() }
        }
        _ if claims_no_pixels(bytes, format) => PhotoError::NoPixels,
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => PhotoError::Truncated,
        _ if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) => PhotoError::Truncated,
        ImageError::Decoding(error) if ends_early(&error.to_string()) => PhotoError::Truncated,
        other => PhotoError::Damaged { detail: other.to_string() },
    }
}

/// Whether the header gives a side of 0 pixels, which decoders call damage.
fn claims_no_pixels(bytes: &[u8], format: ImageFormat) -> bool {
    let zero = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|side| side.iter().all(|byte| *byte == 0));
    match format {
        ImageFormat::Png => zero(16..20) || zero(20..24), // IHDR
        ImageFormat::Gif => zero(6..8) || zero(8..10),    // logical screen descriptor
        ImageFormat::Jpeg => {
            // Start of frame 0 to 2: length (2), precision (1), height (2), width (2).
            let frame = jpeg_frame(bytes);
            frame.is_some_and(|start| zero(start + 3..start + 5) || zero(start + 5..start + 7))
        }
        _ => false,
    }
}

/// Decoders that report an early end only in words.
fn ends_early(words: &str) -> bool {
    let words = words.to_lowercase();
    ["unexpected end", "unexpected eof", "premature", "truncated", "failed to fill", "exhausted"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// The marker at the end of a JPEG.
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// JPEG segments (ITU-T T.81, annex B): the marker, and where its length and the next segment begin.
fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, std::ops::Range<usize>)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        let header = bytes.get(at..at + 4)?;
        if header[0] != 0xff {
            return None;
        }
        let (marker, start) = (header[1], at + 2);
        at = start + usize::from(u16::from_be_bytes([header[2], header[3]]));
        Some((marker, start..at))
    })
}

/// Where the frame header's length begins.
fn jpeg_frame(bytes: &[u8]) -> Option<usize> {
    jpeg_segments(bytes).find(|(marker, _)| (0xc0..=0xc2).contains(marker)).map(|(_, segment)| segment.start)
}

fn jpeg_is_progressive(bytes: &[u8]) -> bool {
    jpeg_segments(bytes).take_while(|(marker, _)| *marker != 0xda).any(|(marker, _)| marker == 0xc2)
}

/// Whether an end-of-image marker follows the first scan. The decoder itself fills what is missing with
/// grey, on which the model would then guess.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let scan = jpeg_segments(bytes).find(|(marker, _)| *marker == 0xda);
    scan.and_then(|(_, segment)| bytes.get(segment.end..))
        .is_some_and(|data| data.windows(2).any(|pair| pair == END_OF_IMAGE))
}

/// RGB over white.
fn flatten(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let (width, height) = picture.dimensions();
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(width, height, |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0;
        let over = |c: u8| ((u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use image::{ImageBuffer, Luma, Rgba};
    use proptest::prelude::*;

    fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("the test picture is encoded");
        bytes.into_inner()
    }

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> DynamicImage {
        let colour = |x| if x < width / 2 { image::Rgb([255, 0, 0]) } else { image::Rgb([0, 0, 255]) };
        DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| colour(x)))
    }

    /// Where this fails, raise [`PIXELS`] and write down what the pixels are now.
    #[test]
    fn these_are_the_pixels_of_this_version() {
        let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds/photo");
        let mut pixels = Vec::new();
        for name in ["rgb.jpg", "grey.jpg", "turned.jpg", "rgba.png"] {
            let photo = std::fs::read(seeds.join(name)).expect("a seed");
            for side in [3, 8, 24] {
                pixels.extend(decode_square(&photo, &Limits::default(), side).expect("decodes").into_raw());
            }
        }
        let digest = crate::infer::manifest::sha256_hex(&pixels);
        assert_eq!((PIXELS, &digest[..16]), (2, "3c681d0b582a5aa6"));
    }

    fn code(bytes: &[u8]) -> &'static str {
        decode(bytes, &Limits::default()).expect_err("the photo is bad").code()
    }

    /// An APP1 segment with an EXIF orientation (Exif 2.32, tag 0x0112).
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        with_app1(jpeg, &exif)
    }

    fn with_app1(jpeg: &[u8], data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len() + 2).expect("a short segment").to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, data, &jpeg[2..]].concat()
    }

    fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut crc = 0xffff_ffff_u32;
        for byte in kind.iter().chain(data) {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &(!crc).to_be_bytes()].concat()
    }

    /// A PNG that claims a size; its pixels are whatever `idat` says.
    fn png_claiming(width: u32, height: u32, idat: &[u8]) -> Vec<u8> {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
        let chunks = [png_chunk(b"IHDR", &header), png_chunk(b"IDAT", idat), png_chunk(b"IEND", &[])].concat();
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks].concat()
    }

    fn no_height(jpeg: &[u8]) -> Vec<u8> {
        let frame = jpeg_frame(jpeg).expect("a JPEG has a frame");
        let mut jpeg = jpeg.to_vec();
        jpeg[frame + 3..frame + 5].fill(0);
        jpeg
    }

    #[test]
    fn every_format_gives_the_same_picture() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
            let picture = decode(&encode(&halves(32, 16), format), &Limits::default()).expect("decodes");
            assert_eq!(picture.dimensions(), (32, 16), "{format:?}");
            let (left, right) = (picture.get_pixel(4, 8).0, picture.get_pixel(28, 8).0);
            assert!(left[0] > 240 && left[2] < 20 && right[2] > 240 && right[0] < 20, "{format:?}: {left:?} {right:?}");
        }
    }

    #[test]
    fn grey_sixteen_bit_and_transparent_pictures_become_rgb() {
        let grey = DynamicImage::ImageLuma8(ImageBuffer::from_pixel(8, 8, Luma([90])));
        let deep = DynamicImage::ImageLuma16(ImageBuffer::from_pixel(8, 8, Luma([90 * 257])));
        for (picture, format) in [(&grey, ImageFormat::Jpeg), (&grey, ImageFormat::Png), (&deep, ImageFormat::Png)] {
            let decoded = decode(&encode(picture, format), &Limits::default()).expect("decodes");
            assert_eq!(decoded.get_pixel(3, 3).0, [90; 3]);
        }
        let glass = DynamicImage::ImageRgba8(ImageBuffer::from_pixel(8, 8, Rgba([0, 0, 0, 51])));
        let decoded = decode(&encode(&glass, ImageFormat::Png), &Limits::default()).expect("decodes");
        assert_eq!(decoded.get_pixel(3, 3).0, [204; 3], "a fifth of black over white");
    }

    #[test]
    fn exif_turns_the_picture_upright() {
        let jpeg = encode(&halves(32, 16), ImageFormat::Jpeg);
        let turned = decode(&with_orientation(&jpeg, 6), &Limits::default()).expect("decodes");
        assert_eq!(turned.dimensions(), (16, 32));
        assert!(turned.get_pixel(8, 4).0[0] > 240, "what was left is on top");
    }

    #[test]
    fn garbage_in_exif_is_no_obstacle() {
        let jpeg = encode(&halves(32, 16), ImageFormat::Jpeg);
        for garbage in [&b"Exif\0\0MM\0\x2a\xff\xff\xff\xff"[..], b"Exif\0\0", &[0xff; 300]] {
            let picture = decode(&with_app1(&jpeg, garbage), &Limits::default()).expect("decodes");
            assert_eq!(picture.dimensions(), (32, 16));
        }
        assert!(decode(&with_orientation(&jpeg, 99), &Limits::default()).is_ok());
    }

    #[test]
    fn each_fault_has_its_code() {
        let jpeg = encode(&halves(64, 64), ImageFormat::Jpeg);
        let png = encode(&halves(64, 64), ImageFormat::Png);
        let big_limit = Limits { max_bytes: jpeg.len() - 1, ..Limits::default() };
        assert_eq!(code(b""), "empty");
        assert_eq!(decode(&jpeg, &big_limit).expect_err("too large").code(), "too-many-bytes");
        assert_eq!(code(b"hello, is this a picture?"), "not-a-picture");
        assert_eq!(code(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "unsupported-format");
        assert_eq!(code(b"%PDF-1.7 ..."), "unsupported-format");
        assert_eq!(code(b"BM\0\0\0\0"), "unsupported-format");
        assert_eq!(code(&jpeg[..jpeg.len() / 2]), "truncated");
        assert_eq!(code(&jpeg[..40]), "truncated");
        assert_eq!(code(&png[..png.len() / 2]), "truncated");
        assert_eq!(code(&png[..4]), "truncated");
        assert_eq!(code(&png_claiming(0, 9, &[])), "no-pixels");
        assert_eq!(code(&no_height(&jpeg)), "no-pixels");
        assert_eq!(code(&png_claiming(30_000, 30_000, &[])), "too-many-pixels");
        assert_eq!(code(&png_claiming(16, 16, b"no zlib stream at all")), "damaged");
    }

    #[test]
    fn a_small_square_is_that_of_the_whole_picture() {
        let jpeg = encode(&halves(320, 240), ImageFormat::Jpeg);
        for orientation in 1..=8 {
            let turned = with_orientation(&jpeg, orientation);
            let limits = Limits::default();
            let small = decode_square(&turned, &limits, 40).expect("decodes");
            assert!(jpeg_square(&turned, &limits, 40).is_some(), "the quick way is taken");
            let whole = centre_square(&decode(&turned, &limits).expect("decodes"), 40);
            let worst = small.as_raw().iter().zip(whole.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
            // Where the halves meet, one filter is not the other.
            let near = small.as_raw().iter().zip(whole.as_raw()).filter(|(a, b)| a.abs_diff(**b) > 6).count();
            assert!(near <= 3 * 2 * 40, "orientation {orientation}: {near} values differ, by {worst:?} at most");
        }
    }

    #[test]
    fn a_small_square_is_refused_as_the_whole_picture_is() {
        let jpeg = encode(&halves(320, 240), ImageFormat::Jpeg);
        let refused = |bytes: &[u8], limits: &Limits| {
            let error = decode_square(bytes, limits, 40).expect_err("it cannot be read");
            assert_eq!(error, decode(bytes, limits).expect_err("nor as a whole"));
            error.code()
        };
        let limits = Limits::default();
        assert_eq!(refused(&jpeg[..jpeg.len() / 2], &limits), "truncated");
        assert_eq!(refused(&no_height(&jpeg), &limits), "no-pixels");
        assert_eq!(refused(b"hello, is this a picture?", &limits), "not-a-picture");
        assert_eq!(refused(&jpeg, &Limits { max_pixels: 319 * 240, ..limits }), "too-many-pixels");
        assert_eq!(refused(&jpeg, &Limits { max_bytes: jpeg.len() - 1, ..limits }), "too-many-bytes");
    }

    #[test]
    fn a_zip_bomb_is_refused_by_its_header() {
        // Ancillary text chunks are not inflated, and pixels beyond the header's count are not read.
        let huge = png_claiming(u32::MAX / 2, u32::MAX / 2, &[0x78, 0x9c]);
        assert!(["too-many-pixels", "damaged"].contains(&code(&huge)), "{}", code(&huge));
    }

    #[test]
    fn an_animation_gives_its_first_frame() {
        use image::codecs::gif::GifEncoder;
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for colour in [[255, 0, 0, 255], [0, 255, 0, 255]] {
            encoder.encode_frame(image::Frame::new(ImageBuffer::from_pixel(8, 8, Rgba(colour)))).expect("encodes");
        }
        drop(encoder);
        assert_eq!(decode(&bytes, &Limits::default()).expect("decodes").get_pixel(2, 2).0, [255, 0, 0]);
    }

    #[test]
    fn a_cmyk_jpeg_is_read() {
        // The encoder of `image` writes no CMYK; this file of 16 x 16 cyan pixels was made with Pillow 13.
        let cmyk = include_bytes!("decode/cmyk.jpg");
        let [r, g, b] = decode(cmyk, &Limits::default()).expect("decodes").get_pixel(8, 8).0;
        assert!(r < 40 && g > 200 && b > 200, "{r} {g} {b}");
    }

    #[test]
    fn a_progressive_jpeg_is_read_within_a_tighter_limit() {
        // The encoder of `image` writes no progressive JPEG; this one was made with Pillow 13.
        let progressive = include_bytes!("decode/progressive.jpg");
        assert_eq!(decode(progressive, &Limits::default()).expect("decodes").dimensions(), (48, 32));
        let tight = Limits { max_decoded_bytes: 48 * 32 * 5, ..Limits::default() };
        assert_eq!(decode(progressive, &tight).expect_err("too large").code(), "too-many-pixels");
    }

    proptest! {
        #[test]
        fn damaged_pictures_never_panic(at in 0.0..1.0_f64, byte: u8, cut in 0.1..1.0_f64, jpeg: bool) {
            let format = if jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
            let mut bytes = encode(&halves(24, 24), format);
            let index = ((bytes.len() - 1) as f64 * at) as usize;
            bytes[index] = byte;
            bytes.truncate((bytes.len() as f64 * cut) as usize);
            let small = Limits { max_decoded_bytes: 4 << 20, ..Limits::default() };
            let _ = decode(&bytes, &small);
        }

        #[test]
        fn quality_does_not_change_the_size(quality in 1_u8..=100, w in 1_u32..40, h in 1_u32..40) {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&halves(w, h)).expect("encodes");
            prop_assert_eq!(decode(&bytes, &Limits::default()).expect("decodes").dimensions(), (w, h));
        }
    }
}
