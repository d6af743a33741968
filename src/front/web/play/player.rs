//! Who plays on the page: whoever holds a token drawn at random. The database knows a number made from it, so that a
//! copy of the database lets nobody play as somebody else.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use crate::chat::quiz::TOKEN_LETTERS;
use crate::domain::{ChatRef, Platform, UserRef};

/// The cookie with the token. Scripts cannot read it, and other sites' pages cannot send it.
const COOKIE_NAME: &str = "kokodoko-player";
/// How long a browser keeps it, seconds: a year.
const MAX_AGE: u32 = 365 * 24 * 3_600;

/// A person of the page. They are a chat of their own.
pub(in crate::front::web) struct Player {
    /// The person.
    pub(in crate::front::web) user: UserRef,
    /// Their page.
    pub(in crate::front::web) chat: ChatRef,
    /// The token, while their browser does not have it yet.
    fresh: Option<String>,
}

impl Player {
    /// Whoever the request's cookie names; `None` without one, and for a token that cannot be ours.
    pub(in crate::front::web) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let token = pairs.find(|(name, _)| *name == COOKIE_NAME)?.1;
        let is_token = token.len() == TOKEN_LETTERS && token.bytes().all(|letter| letter.is_ascii_alphanumeric());
        is_token.then(|| Self::known(token, None))
    }

    /// Somebody new.
    pub(in crate::front::web) fn new(token: &str) -> Self {
        Self::known(token, Some(token.to_owned()))
    }

    fn known(token: &str, fresh: Option<String>) -> Self {
        let id = number(token);
        let platform = Platform::Web;
        Self { user: UserRef { platform, id }, chat: ChatRef { platform, id }, fresh }
    }

    /// The header that gives a browser its token, for who is new.
    pub(in crate::front::web) fn cookie(&self) -> Option<HeaderValue> {
        let token = self.fresh.as_ref()?;
        let cookie = format!("{COOKIE_NAME}={token}; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Strict");
        HeaderValue::from_str(&cookie).ok()
    }
}

/// The first 63 bits of the token's SHA-256, at least 1: 0 is the terminal.
fn number(token: &str) -> i64 {
    let digest = Sha256::digest(token);
    let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
    (u64::from_be_bytes(*first) >> 1).cast_signed().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cookie: &str) -> Option<UserRef> {
        let cookie = HeaderValue::from_str(cookie).expect("a header");
        Player::of(&HeaderMap::from_iter([(COOKIE, cookie)])).map(|player| player.user)
    }

    #[test]
    fn a_token_is_a_person() {
        let token = "0123456789ABCDEFGHJKMNPQRS";
        let new = Player::new(token);
        let sent = new.cookie().expect("they are new");
        let pair = sent.to_str().expect("text").split(';').next().expect("a pair").to_owned();
        assert_eq!(of(&format!("a=b; {pair}")), Some(new.user.clone()));
        assert!(new.user.id > 0);
        assert_ne!(of(&pair.replace("RS", "RT")), Some(new.user));
    }

    #[test]
    fn what_cannot_be_a_token_is_nobody() {
        for cookie in ["kokodoko-player=", "kokodoko-player=short", "other=0123456789ABCDEFGHJKMNPQRS", ""] {
            assert_eq!(of(cookie), None, "{cookie}");
        }
        assert!(of(&format!("{COOKIE_NAME}=0123456789ABCDEFGHJKMNPQ;S")).is_none());
    }
}
