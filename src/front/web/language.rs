//! Which language a browser wants.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;

use crate::chat::Lang;

/// The reader's language: `?lang=` before `Accept-Language` before English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Language(pub(super) Lang);

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Language {
    pub(super) fn of(parts: &Parts) -> Self {
        let asked = parts.uri.query().and_then(asked);
        let header = || parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(preferred);
        Self(asked.or_else(header).unwrap_or(Lang::En))
    }
}

/// `lang=ja` among the parameters.
fn asked(query: &str) -> Option<Lang> {
    query.split('&').find_map(|pair| pair.strip_prefix("lang=")).map(Lang::from_tag)
}

/// The first of the most wanted languages that we speak (RFC 9110, section 12.5.4).
fn preferred(header: &str) -> Option<Lang> {
    let wishes = header.split(',').filter_map(|wish| {
        let (tag, weight) = wish.split_once(';').unwrap_or((wish, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        spoken(tag.trim()).filter(|_| weight > 0.0).map(|lang| (lang, weight))
    });
    let best = wishes.reduce(|best, wish| if wish.1 > best.1 { wish } else { best });
    best.map(|(lang, _)| lang)
}

fn spoken(tag: &str) -> Option<Lang> {
    let primary = tag.split('-').next().unwrap_or_default();
    Lang::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.tag()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn language(uri: &str, header: &str) -> Lang {
        let request = Request::builder().uri(uri).header(ACCEPT_LANGUAGE, header).body(());
        Language::of(&request.expect("a request").into_parts().0).0
    }

    #[test]
    fn the_address_wins_over_the_browser() {
        assert_eq!(language("/?lang=ja", "en"), Lang::Ja);
        assert_eq!(language("/?top=2&lang=en", "ja"), Lang::En);
        assert_eq!(language("/?slang=en", "ja"), Lang::Ja);
    }

    #[test]
    fn the_most_wanted_language_that_we_speak() {
        assert_eq!(language("/", "ja,en-US;q=0.7,en;q=0.3"), Lang::Ja);
        assert_eq!(language("/", "fr, en;q=0.5, ja;q=0.8"), Lang::Ja);
        assert_eq!(language("/", "JA-jp;q=0.4 , en-GB;q=0.9"), Lang::En);
        assert_eq!(language("/", "ja;q=0, de"), Lang::En);
        assert_eq!(language("/", ";;q=,\u{e9}"), Lang::En);
    }
}
