//! What a camera with a receiver writes into its files: the position, as EXIF (Exif 2.32, section 4.6.6).

use crate::domain::Coordinate;

/// Parts of a second of arc that are written: three centimetres.
const FRACTION: f64 = 1_000.0;
/// Offset of the position's tags from the beginning of the TIFF header, bytes.
const GPS: u32 = 8 + 2 + 12 + 4;
/// Offset of the numbers that do not fit into a tag.
const NUMBERS: u32 = GPS + 2 + 4 * 12 + 4;

/// The same JPEG, whose file says where it was taken. Its pixels are untouched.
///
/// # Panics
/// When the bytes are no JPEG.
#[must_use]
pub fn with_position(jpeg: &[u8], at: Coordinate) -> Vec<u8> {
    assert!(jpeg.starts_with(&[0xff, 0xd8]), "a JPEG begins with its mark");
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08".to_vec();
    exif.extend([0, 1]);
    // One tag: a pointer to the position's own.
    entry(&mut exif, 0x8825, 4, 1, GPS.to_be_bytes());
    exif.extend([0; 4]);
    exif.extend([0, 4]);
    let letter = |letter: u8| [letter, 0, 0, 0];
    entry(&mut exif, 1, 2, 2, letter(if at.lat < 0.0 { b'S' } else { b'N' }));
    entry(&mut exif, 2, 5, 3, NUMBERS.to_be_bytes());
    entry(&mut exif, 3, 2, 2, letter(if at.lng < 0.0 { b'W' } else { b'E' }));
    entry(&mut exif, 4, 5, 3, (NUMBERS + 24).to_be_bytes());
    exif.extend([0; 4]);
    for degrees in [at.lat.abs(), at.lng.abs()] {
        let arc = (degrees * 3_600.0 * FRACTION).round() as u32;
        let (whole, fraction) = (arc / FRACTION as u32, arc % (60 * FRACTION as u32));
        for (above, below) in [(whole / 3_600, 1), (whole / 60 % 60, 1), (fraction, FRACTION as u32)] {
            exif.extend(above.to_be_bytes());
            exif.extend(below.to_be_bytes());
        }
    }
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

/// A tag of a type with a count of values, which stand in it or where it points to.
fn entry(out: &mut Vec<u8>, tag: u16, kind: u16, count: u32, value: [u8; 4]) {
    out.extend(tag.to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(count.to_be_bytes());
    out.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use exif::{In, Reader, Tag};

    #[test]
    fn other_readers_find_the_position_and_the_pixels() {
        let plain = crate::world::photo::encode_jpeg(&image::RgbImage::new(8, 8), 90);
        let tagged = with_position(&plain, Coordinate { lat: -35.658_58, lng: 139.745_43 });
        let found = Reader::new().read_from_container(&mut std::io::Cursor::new(&tagged)).unwrap();
        let said = |tag| found.get_field(tag, In::PRIMARY).unwrap().display_value().to_string();
        assert_eq!((said(Tag::GPSLatitudeRef), said(Tag::GPSLongitudeRef)), ("S".to_owned(), "E".to_owned()));
        assert_eq!(said(Tag::GPSLatitude), "35 deg 39 min 30.888 sec");
        assert_eq!(said(Tag::GPSLongitude), "139 deg 44 min 43.548 sec");
        let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
        assert_eq!(pixels(&tagged), pixels(&plain));
    }
}
