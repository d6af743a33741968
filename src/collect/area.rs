//! What can be covered: municipalities by their names, and regions by their polygons.

use std::path::PathBuf;

use crate::domain::Area;

/// The 47 prefectures, in the order of their codes (JIS X 0401).
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];
/// `(full name, English name)` of the municipalities whose borders are built in.
const ENGLISH: [(&str, &str); 7] = [
    ("東京都中央区", "Chuo, Tokyo"),
    ("東京都港区", "Minato, Tokyo"),
    ("東京都新宿区", "Shinjuku, Tokyo"),
    ("東京都渋谷区", "Shibuya, Tokyo"),
    ("東京都江東区", "Koto, Tokyo"),
    ("東京都千代田区", "Chiyoda, Tokyo"),
    ("北海道旭川市", "Asahikawa, Hokkaido"),
];

/// A municipality of Japan, by the name that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Municipality(Area);

impl Municipality {
    /// The municipality of a full name, prefecture first. Its English name is the given one, else a known one, else
    /// the Japanese.
    ///
    /// Whether there is such a municipality shows when its towns are asked for. `None` when the name begins with no
    /// prefecture or ends after it.
    ///
    /// ```
    /// use kokodoko::collect::area::Municipality;
    /// let minato = Municipality::parse("東京都港区", None).unwrap();
    /// assert_eq!(minato.area().name_en, "Minato, Tokyo");
    /// assert!(Municipality::parse("港区", None).is_none(), "東京 and 大阪 have one each");
    /// ```
    #[must_use]
    pub fn parse(name: &str, name_en: Option<&str>) -> Option<Self> {
        let name = name.trim();
        let prefecture = PREFECTURES.into_iter().find(|prefecture| name.starts_with(prefecture))?;
        let municipality = name[prefecture.len()..].trim();
        let full = format!("{prefecture}{municipality}");
        let known = ENGLISH.iter().find(|(known, _)| *known == full).map(|(_, english)| *english);
        let name_en = name_en.or(known).unwrap_or(&full);
        (!municipality.is_empty()).then(|| Self(Area::new(prefecture, municipality, name_en)))
    }

    /// Whether people may call it so: by its name with or without the prefecture, or in English.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        let Area { area, municipality, name_en, .. } = &self.0;
        is_name(word, [area, municipality, name_en])
    }

    /// Its names.
    #[must_use]
    pub fn area(&self) -> &Area {
        &self.0
    }
}

/// A region of one's own, in Japan or elsewhere: a polygon with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name; the label of what is collected there.
    pub name: String,
    /// Its name for readers of English.
    pub name_en: String,
    /// GeoJSON file with its polygon or polygons.
    pub file: PathBuf,
}

impl Region {
    /// Whether people may call it so.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        is_name(word, [&self.name, &self.name, &self.name_en])
    }

    /// Its names as those of an area. A region lies in no prefecture: that part is empty.
    #[must_use]
    pub fn area(&self) -> Area {
        Area::new("", &self.name, &self.name_en)
    }
}

/// Whether a word is one of the names, the last of which is English and may be cut at its comma.
fn is_name(word: &str, [full, short, english]: [&str; 3]) -> bool {
    let word = word.trim();
    let city = english.split(',').next().unwrap_or(english);
    [full, short].contains(&word) || [english, city].iter().any(|name| name.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_after_the_prefecture() {
        let split = |name| {
            let found = Municipality::parse(name, None)?;
            Some((found.area().prefecture.clone(), found.area().municipality.clone()))
        };
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(split("東京都港区"), pair("東京都", "港区"));
        assert_eq!(split("神奈川県横浜市西区"), pair("神奈川県", "横浜市西区"));
        assert_eq!(split("京都府京都市東山区"), pair("京都府", "京都市東山区"));
        assert_eq!(split(" 北海道 上川郡鷹栖町 "), pair("北海道", "上川郡鷹栖町"));
        assert_eq!(["港区", "東京都", "Minato, Tokyo", ""].map(split), [None, None, None, None]);
    }

    #[test]
    fn the_english_name_is_given_known_or_japanese() {
        let english = |name, given| Municipality::parse(name, given).map(|found| found.area().name_en.clone());
        assert_eq!(english("東京都港区", Some("Minato City")).as_deref(), Some("Minato City"));
        assert_eq!(english("東京都港区", None).as_deref(), Some("Minato, Tokyo"));
        assert_eq!(english("東京都 港区", None).as_deref(), Some("Minato, Tokyo"));
        assert_eq!(english("沖縄県那覇市", None).as_deref(), Some("沖縄県那覇市"));
    }
}
