//! What EXIF says of a photo (Exif 2.32). Files are hostile: whatever cannot be read or cannot be true is left out.

use std::io::Cursor;

use exif::{Exif as Tags, In, Reader, Tag, Value};

use crate::domain::Coordinate;

/// Longest text that is taken, characters.
const LONGEST: usize = 100;

/// What a photo says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::collect) struct Exif {
    pub(in crate::collect) position: Option<Coordinate>,
    /// `2024-05-17`.
    pub(in crate::collect) captured: Option<String>,
    /// Degrees, 0 to 360.
    pub(in crate::collect) heading: Option<f32>,
    /// Copyright or artist.
    pub(in crate::collect) owner: Option<String>,
}

impl Exif {
    /// Reads the tags of a JPEG, PNG or WebP file.
    pub(in crate::collect) fn read(file: &[u8]) -> Self {
        let mut reader = Reader::new();
        reader.continue_on_error(true);
        let tags =
            reader.read_from_container(&mut Cursor::new(file)).or_else(|error| error.distill_partial_result(|_| {}));
        tags.map_or_else(|_| Self::default(), |tags| Self::of(&tags))
    }

    fn of(tags: &Tags) -> Self {
        let degrees = number(tags, Tag::GPSImgDirection);
        Self {
            position: position(tags),
            captured: text(tags, Tag::DateTimeOriginal).and_then(|text| day(&text)),
            heading: degrees.filter(|degrees| (0.0..=360.0).contains(degrees)).map(|degrees| degrees as f32 % 360.0),
            owner: text(tags, Tag::Copyright).or_else(|| text(tags, Tag::Artist)),
        }
    }
}

/// Cameras without a fix write zeros: the point in the Gulf of Guinea is no position.
fn position(tags: &Tags) -> Option<Coordinate> {
    let lat = angle(tags, Tag::GPSLatitude, Tag::GPSLatitudeRef, [b'N', b'S'])?;
    let lng = angle(tags, Tag::GPSLongitude, Tag::GPSLongitudeRef, [b'E', b'W'])?;
    Coordinate::new(lat, lng).filter(|at| at.lat != 0.0 || at.lng != 0.0)
}

/// Degrees, minutes and seconds with their sign in another tag.
fn angle(tags: &Tags, tag: Tag, sign: Tag, [plus, minus]: [u8; 2]) -> Option<f64> {
    let Value::Rational(parts) = &tags.get_field(tag, In::PRIMARY)?.value else { return None };
    let [degrees, minutes, seconds] =
        <[_; 3]>::try_from(parts.iter().map(|part| part.to_f64()).collect::<Vec<_>>()).ok()?;
    let size = degrees + minutes / 60.0 + seconds / 3_600.0;
    let Value::Ascii(letters) = &tags.get_field(sign, In::PRIMARY)?.value else { return None };
    match letters.first()?.first()?.to_ascii_uppercase() {
        letter if letter == plus => Some(size),
        letter if letter == minus => Some(-size),
        _ => None,
    }
    .filter(|size| size.is_finite())
}

fn number(tags: &Tags, tag: Tag) -> Option<f64> {
    let Value::Rational(parts) = &tags.get_field(tag, In::PRIMARY)?.value else { return None };
    parts.first().map(|part| part.to_f64()).filter(|number| number.is_finite())
}

fn text(tags: &Tags, tag: Tag) -> Option<String> {
    let Value::Ascii(parts) = &tags.get_field(tag, In::PRIMARY)?.value else { return None };
    let text = String::from_utf8_lossy(parts.iter().find(|part| !part.is_empty())?).into_owned();
    let text: String =
        text.chars().filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER).take(LONGEST).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `2024:05:17 12:30:00` as `2024-05-17`.
fn day(text: &str) -> Option<String> {
    let date = text.get(..10)?.replace(':', "-").parse::<jiff::civil::Date>().ok()?;
    (1990..2100).contains(&date.year()).then(|| date.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use exif::{Field, Rational};
    use proptest::prelude::*;

    fn field(tag: Tag, value: Value) -> Field {
        Field { tag, ifd_num: In::PRIMARY, value }
    }

    fn ascii(text: &str) -> Value {
        Value::Ascii(vec![text.as_bytes().to_vec()])
    }

    fn rationals(parts: &[(u32, u32)]) -> Value {
        Value::Rational(parts.iter().map(|&(num, denom)| Rational { num, denom }).collect())
    }

    /// A JPEG of nothing but an APP1 segment with these tags.
    fn jpeg(fields: &[Field]) -> Vec<u8> {
        let mut writer = exif::experimental::Writer::new();
        fields.iter().for_each(|field| writer.push_field(field));
        let mut tiff = Cursor::new(Vec::new());
        writer.write(&mut tiff, false).unwrap();
        let exif = [b"Exif\0\0".to_vec(), tiff.into_inner()].concat();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&[0xff, 0xd8, 0xff, 0xe1][..], &length, &exif, &[0xff, 0xda, 0, 2, 0xff, 0xd9]].concat()
    }

    /// What [`super::super::gifts`] and the chats are tested with: a real picture whose file says where it was taken.
    pub(crate) fn jpeg_at(at: Coordinate) -> Vec<u8> {
        let part = |degrees: f64| rationals(&[((degrees.abs() * 1e6).round() as u32, 1_000_000), (0, 1), (0, 1)]);
        let fields = [
            field(Tag::GPSLatitudeRef, ascii(if at.lat < 0.0 { "S" } else { "N" })),
            field(Tag::GPSLatitude, part(at.lat)),
            field(Tag::GPSLongitudeRef, ascii(if at.lng < 0.0 { "W" } else { "E" })),
            field(Tag::GPSLongitude, part(at.lng)),
        ];
        let tags = jpeg(&fields);
        // The tags take the place of the picture's first two bytes; their own last six end a picture.
        [&tags[..tags.len() - 6], &jpeg_without()[2..]].concat()
    }

    /// A picture of one colour as a JPEG.
    pub(crate) fn plain(colour: [u8; 3]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(16, 16, image::Rgb(colour));
        picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    /// The same picture without a word of its place.
    pub(crate) fn jpeg_without() -> Vec<u8> {
        plain([255, 0, 0])
    }

    fn tokyo_tower() -> Vec<Field> {
        vec![
            field(Tag::GPSLatitudeRef, ascii("N")),
            field(Tag::GPSLatitude, rationals(&[(35, 1), (39, 1), (3096, 100)])),
            field(Tag::GPSLongitudeRef, ascii("E")),
            field(Tag::GPSLongitude, rationals(&[(139, 1), (44, 1), (4344, 100)])),
            field(Tag::GPSImgDirection, rationals(&[(27_150, 100)])),
            field(Tag::DateTimeOriginal, ascii("2024:05:17 12:30:00")),
            field(Tag::Artist, ascii(" Some\u{7}one ")),
        ]
    }

    #[test]
    fn a_photo_tells_where_when_and_whose() {
        let told = Exif::read(&jpeg(&tokyo_tower()));
        let at = told.position.unwrap();
        assert!(at.distance_m(Coordinate { lat: 35.6586, lng: 139.7454 }) < 1.0, "{at:?}");
        assert_eq!((told.heading, told.captured.as_deref()), (Some(271.5), Some("2024-05-17")));
        assert_eq!(told.owner.as_deref(), Some("Someone"));
    }

    #[test]
    fn the_south_and_the_west_are_negative_and_nonsense_is_nowhere() {
        let with = |tag, value: Value| {
            let mut fields = tokyo_tower();
            fields.iter_mut().filter(|field| field.tag == tag).for_each(|field| field.value = value.clone());
            Exif::read(&jpeg(&fields)).position
        };
        assert!(with(Tag::GPSLatitudeRef, ascii("S")).unwrap().lat < -35.0);
        assert!(with(Tag::GPSLongitudeRef, ascii("w")).unwrap().lng < -139.0);
        assert_eq!(with(Tag::GPSLatitudeRef, ascii("?")), None);
        assert_eq!(with(Tag::GPSLatitude, rationals(&[(91, 1), (0, 1), (0, 1)])), None);
        assert_eq!(with(Tag::GPSLatitude, rationals(&[(35, 0), (0, 0), (0, 1)])), None, "0/0");
        assert_eq!(with(Tag::GPSLatitude, rationals(&[(35, 1)])), None);
        let mut zeros = tokyo_tower();
        for field in &mut zeros {
            if matches!(field.tag, Tag::GPSLatitude | Tag::GPSLongitude) {
                field.value = rationals(&[(0, 1), (0, 1), (0, 1)]);
            }
        }
        assert_eq!(Exif::read(&jpeg(&zeros)).position, None);
        assert_eq!(Exif::read(b"no photo"), Exif::default());
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_never_gives_an_impossible_position(
            at in 0..400_usize, byte: u8, cut in 0..400_usize,
        ) {
            let mut file = jpeg(&tokyo_tower());
            let index = at % file.len();
            file[index] = byte;
            file.truncate(file.len() - cut % file.len());
            if let Some(Coordinate { lat, lng }) = Exif::read(&file).position {
                prop_assert!(Coordinate::new(lat, lng).is_some());
            }
        }
    }
}
