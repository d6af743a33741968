//! Hostile bytes to upright RGB pixels: every limit is checked before anything is decoded.

use std::io::Cursor;

use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, RgbImage};
use thiserror::Error;

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
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => PhotoError::Truncated,
        _ if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) => PhotoError::Truncated,
        ImageError::Decoding(error) if ends_early(&error.to_string()) => PhotoError::Truncated,
        other => PhotoError::Damaged { detail: other.to_string() },
    }
}

/// Decoders that report an early end only in words.
fn ends_early(words: &str) -> bool {
    let words = words.to_lowercase();
    ["unexpected end", "unexpected eof", "premature", "truncated", "failed to fill", "exhausted"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// JPEG segments (ITU-T T.81, annex B): the marker and the segment's bytes after its length.
fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        let header = bytes.get(at..at + 4)?;
        if header[0] != 0xff {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        at += 2 + length;
        Some((header[1], at))
    })
}

fn jpeg_is_progressive(bytes: &[u8]) -> bool {
    jpeg_segments(bytes).take_while(|(marker, _)| *marker != 0xda).any(|(marker, _)| marker == 0xc2)
}

/// Whether an end-of-image marker follows the first scan. The decoder itself fills what is missing with
/// grey, on which the model would then guess.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let scan = jpeg_segments(bytes).find(|(marker, _)| *marker == 0xda);
    scan.and_then(|(_, start)| bytes.get(start..)).is_some_and(|data| data.windows(2).any(|pair| pair == [0xff, 0xd9]))
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
