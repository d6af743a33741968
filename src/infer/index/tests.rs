//! The index against a naive one, and against hostile files.

use proptest::prelude::*;

use super::*;

/// SHA-256 of some network.
pub(crate) const MODEL: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A drawn photo of a town.
pub(crate) fn entry(label: usize, town: &str, position: Option<Coordinate>) -> Entry {
    let credit = Credit { source: "kokodoko".to_owned(), licence: "CC0-1.0".to_owned(), url: None };
    let photo = Photo::Drawn { panorama: town.to_owned(), heading: 90.0, fov: 75.0, pitch: 0.0 };
    Entry { label, town: town.to_owned(), position, credit, photo }
}

fn kept(sha256: &str, format: &str) -> Photo {
    Photo::Kept { sha256: sha256.to_owned(), format: format.to_owned(), link: Some("https://example.org/1".to_owned()) }
}

fn index(rows: &[(usize, Vec<f32>)]) -> Index {
    let photos: Vec<(Entry, Vec<f32>)> =
        rows.iter().map(|(town, features)| (entry(town % 3, &town.to_string(), None), features.clone())).collect();
    Index::of_photos(&photos, MODEL).expect("sound features")
}

/// The same by sorting all rows, in float64.
fn naive(index: &Index, features: &[f32], count: usize, spread: Spread) -> Vec<usize> {
    let length = features.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    let cosine = |row: usize| {
        let codes: Vec<f64> = index.codes(row).iter().map(|code| f64::from(*code as i8)).collect();
        let norm = codes.iter().map(|code| code * code).sum::<f64>().sqrt();
        codes.iter().zip(features).map(|(code, value)| code * (f64::from(*value) / length)).sum::<f64>() / norm
    };
    let mut rows: Vec<(usize, f64)> = (0..index.len()).map(|row| (row, cosine(row))).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut towns = std::collections::HashSet::new();
    rows.retain(|(row, _)| spread == Spread::Any || towns.insert(index.town(*row)));
    rows.into_iter().take(count).map(|(row, _)| row).collect()
}

fn values(length: usize) -> impl Strategy<Value = Vec<f32>> {
    // Small whole numbers make many ties; the others are as pooled features are.
    let value = prop_oneof![(-3_i8..4).prop_map(f32::from), 0.0..2.0_f32];
    prop::collection::vec(value, length).prop_filter("a direction", |row| row.iter().any(|value| *value != 0.0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_nearest_are_found_exactly(
        (rows, query) in (1_usize..70).prop_flat_map(|length| {
            (prop::collection::vec((0_usize..12, values(length)), 1..60), values(length))
        }),
        count in 1_usize..8,
    ) {
        let index = index(&rows);
        for spread in [Spread::Any, Spread::Towns] {
            let found: Vec<usize> = index.nearest(&query, count, spread).iter().map(|found| found.row).collect();
            prop_assert_eq!(found, naive(&index, &query, count, spread));
        }
    }

    #[test]
    fn what_is_stored_is_what_was_given_to_half_a_step(row in values(40)) {
        let index = index(&[(0, row.clone())]);
        let step = row.iter().map(|value| value.abs()).fold(0.0, f32::max) / 127.0;
        for (code, value) in index.codes(0).iter().zip(&row) {
            prop_assert!((f32::from(*code as i8) * step - value).abs() <= step * 0.5001);
        }
    }

    #[test]
    fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..200, byte: u8) {
        drop(Index::read(bytes.into(), MODEL));
        let mut damaged = index(&[(0, vec![1.0, 2.0]), (1, vec![0.5, 0.0])]).bytes().to_vec();
        let place = at % damaged.len();
        damaged[place] = byte;
        if let Ok(read) = Index::read(damaged.into(), MODEL) {
            drop(read.nearest(&[1.0, 1.0], 3, Spread::Towns));
            (0..read.len()).for_each(|row| drop(read.entry(row)));
        }
    }
}

#[test]
fn long_rows_do_not_overflow_and_stay_exact() {
    // The longest rows and queries that there are, all of one sign: the sums are as large as they can be.
    let length = 16_384;
    let rows: Vec<(usize, Vec<f32>)> =
        (0..4).map(|row| (row, (0..length).map(|i| if i % 97 == row { 0.9 } else { 1.0 }).collect())).collect();
    let index = index(&rows);
    let query: Vec<f32> = (0..length).map(|i| if i % 97 == 2 { 0.95 } else { 1.0 }).collect();
    let found: Vec<usize> = index.nearest(&query, 4, Spread::Any).iter().map(|found| found.row).collect();
    assert_eq!(found, naive(&index, &query, 4, Spread::Any));
    assert_eq!(found[0], 2);
}

#[test]
fn rows_come_back_with_all_that_is_known_of_them() {
    let minato = Coordinate { lat: 35.6581, lng: 139.7514 };
    let mut photo = entry(1, "芝公園四丁目", Some(minato));
    photo.photo = kept(&"ab".repeat(32), "jpg");
    photo.credit.url = Some("https://example.org/1".to_owned());
    let other = entry(1, "芝公園四丁目", Some(minato.offset_m(0.0, 200.0)));
    let photos = [(photo.clone(), vec![1.0, 0.0]), (other, vec![0.0, 1.0]), (entry(0, "x", None), vec![1.0, 1.0])];
    let index = Index::of_photos(&photos, MODEL).unwrap();
    let read = Index::read(index.bytes().to_vec().into(), MODEL).unwrap();
    assert_eq!((read.len(), read.dimensions(), read.label(0), read.label(2)), (3, 2, 1, 0));
    assert_eq!(read.entry(0), photo);
    assert!((read.middle(1).unwrap().distance_m(minato) - 100.0).abs() < 0.2);
    assert_eq!((read.middle(0), read.middle(9)), (None, None));
    assert!(read.nearest(&[1.0], 3, Spread::Any).is_empty(), "features of another network");
    assert!(
        read.nearest(&[0.0, 0.0], 3, Spread::Any).is_empty()
            && read.nearest(&[f32::NAN, 1.0], 3, Spread::Any).is_empty()
    );
    let far = read.nearest(&[1.0, 0.1], 5, Spread::Any);
    assert_eq!(far.iter().map(|found| found.row).collect::<Vec<_>>(), [0, 2, 1]);
    assert!((far[2].similarity - 0.1 / 1.01_f64.sqrt()).abs() < 1e-6);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let sound = index(&[(0, vec![1.0, 2.0]), (1, vec![0.5, 0.0])]).bytes().to_vec();
    let said = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        Index::read(bytes.into(), MODEL).unwrap_err().to_string()
    };
    let json = |from: &str, to: &str| {
        let text = String::from_utf8(sound[HEAD_AND_ROWS..].to_vec()).unwrap();
        assert!(text.contains(from), "{text}");
        let text = text.replacen(from, to, 1);
        said(&|bytes| {
            bytes.truncate(HEAD_AND_ROWS);
            bytes[20..24].copy_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        })
    };
    const HEAD_AND_ROWS: usize = 64 + 4;
    let all = [
        said(&|bytes| bytes.truncate(30)),
        said(&|bytes| bytes.truncate(bytes.len() - 1)),
        said(&|bytes| bytes[0] = b'x'),
        said(&|bytes| bytes[8] = 9),
        said(&|bytes| bytes[12..16].fill(0xff)),
        said(&|bytes| bytes[16..20].fill(0xff)),
        said(&|bytes| bytes[30] ^= 1),
        said(&|bytes| bytes[64..66].fill(0)),
        json("\"credits\":[[", "\"credits\":["),
        json("90.0", "900.0"),
        json(":\"0\"", ":\"0\",\"x\":1"),
        json("[[0,\"0\"]", "[[70000,\"0\"]"),
        json("\"rows\":[[0", "\"rows\":[[7"),
        json("\"rows\":[[0", "\"rows\":[[0,0,null,{}],[0"),
    ];
    insta::assert_snapshot!(all.join("\n"));
    assert!(Index::read(sound.clone().into(), &"f".repeat(64)).is_err());
}

#[test]
fn a_hash_cannot_lead_out_of_the_folder() {
    for photo in [kept("../../etc/passwd", "jpg"), kept(&"ab".repeat(32), "../x"), kept(&"AB".repeat(32), "jpg")] {
        let mut entry = entry(0, "x", None);
        entry.photo = photo;
        assert!(matches!(Index::of_photos(&[(entry, vec![1.0])], MODEL), Err(IndexError::Catalogue(_))));
    }
}

#[test]
fn features_that_are_none_are_refused() {
    for features in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0], vec![1.0]] {
        let photos = [(entry(0, "x", None), vec![1.0, 1.0]), (entry(0, "x", None), features)];
        assert!(matches!(Index::of_photos(&photos, MODEL), Err(IndexError::Features(1))));
    }
    assert!(matches!(Index::of_photos(&[], MODEL), Err(IndexError::Size { .. })), "no photo has no length");
}
