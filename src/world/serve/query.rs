//! Query strings, as all services read them.

use axum::extract::Query;
use axum::http::Uri;

/// Decoded pairs of a query string. Of a name that comes twice the first counts; an empty value is no value.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query of a request; an unreadable one counts as empty.
    pub fn of(uri: &Uri) -> Self {
        Self(Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The first of `names` that has a value.
    pub fn any_of<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.get(name).is_some())
    }
}

/// A decimal number without the spellings (`inf`, `nan`) that only programming languages have.
pub fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let params = Params::of(&Uri::from_static("/x?location=35.6%2C139.7&a=%E8%B5%A4+%E5%9D%82&size=&a=2"));
        assert_eq!(params.get("location"), Some("35.6,139.7"));
        assert_eq!(params.get("a"), Some("赤 坂"));
        assert_eq!(params.get("size"), None, "empty");
        assert_eq!(params.any_of(&["size", "a"]), Some("a"));
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number(" -7.5"), Some(-7.5));
        assert_eq!(number("nan"), None);
        assert_eq!(number("1e999"), None);
        assert_eq!(number("12px"), None);
    }
}
