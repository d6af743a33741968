//! Signed URLs: HMAC-SHA1 over path and query, as URL-safe base64.

use std::fmt;

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::digest::InvalidLength;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::world::serve::query::Params;

/// A URL signing secret; its `Debug` hides it.
#[derive(Clone)]
pub struct SigningSecret(Hmac<Sha1>);

/// The text is not URL-safe base64 with padding, as Google's console shows secrets.
#[derive(Debug, thiserror::Error)]
pub enum BadSecret {
    /// Not base64.
    #[error("a signing secret is URL-safe base64: {0}")]
    NotBase64(#[from] base64::DecodeError),
    /// Not a length that HMAC takes.
    #[error("a signing secret has another length: {0}")]
    Length(#[from] InvalidLength),
}

impl SigningSecret {
    /// Decodes a secret.
    ///
    /// # Errors
    /// When the text is not URL-safe base64.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        Ok(Self(Hmac::new_from_slice(&URL_SAFE.decode(text)?)?))
    }

    /// The signature of a path with its query, as Google documents it.
    ///
    /// ```
    /// use kokodoko::world::serve::SigningSecret;
    ///
    /// let secret = SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPaw=")?;
    /// let signature = secret.sign("/maps/api/geocode/json?address=New+York&client=clientID");
    /// assert_eq!(signature, "chaRF2hTJKOScPr-RQCEhZbSzIE=");
    /// # Ok::<_, kokodoko::world::serve::BadSecret>(())
    /// ```
    #[must_use]
    pub fn sign(&self, path_and_query: &str) -> String {
        URL_SAFE.encode(self.mac(path_and_query).finalize().into_bytes())
    }

    /// Whether a request carries the right `signature` for the rest of its path and query.
    pub(in crate::world::serve) fn verifies(&self, uri: &Uri) -> bool {
        let given = Params::of(uri).get("signature").and_then(|text| URL_SAFE.decode(text).ok());
        given.is_some_and(|given| self.mac(&without_signature(uri)).verify_slice(&given).is_ok())
    }

    fn mac(&self, path_and_query: &str) -> Hmac<Sha1> {
        self.0.clone().chain_update(path_and_query)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(hidden)")
    }
}

/// Path and query as they came over the wire, only the signature taken out.
fn without_signature(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("signature="));
    format!("{}?{}", uri.path(), pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn googles_secret() -> SigningSecret {
        SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPaw=").unwrap()
    }

    #[test]
    fn googles_own_example_holds() {
        let signature = googles_secret().sign("/maps/api/geocode/json?address=New+York&client=clientID");
        assert_eq!(signature, "chaRF2hTJKOScPr-RQCEhZbSzIE=");
    }

    /// The signatures come from Python's hmac module.
    #[test]
    fn the_bytes_on_the_wire_are_signed_not_their_meaning() {
        let plain = "/maps/api/streetview/metadata?location=35.6586,139.7454&key=drawn-world";
        let encoded = "/maps/api/streetview/metadata?location=35.6586%2C139.7454&key=drawn-world";
        for (url, signature) in [(plain, "95FhoFIjiIuAFuxk0sZQVxenTs4="), (encoded, "DzM9UoEXZIUY11gLT74kMmH6YbM=")] {
            let verifies = |url: String| googles_secret().verifies(&url.parse().unwrap());
            assert!(verifies(format!("{url}&signature={signature}")));
            assert!(verifies(format!("{url}&signature={}", signature.replace('=', "%3D"))));
            assert!(!verifies(format!("{url}0&signature={signature}")), "changed");
            assert!(!verifies(url.to_owned()), "unsigned");
        }
    }

    #[test]
    fn secrets_do_not_show_and_must_be_base64() {
        assert_eq!(format!("{:?}", googles_secret()), "SigningSecret(hidden)");
        assert!(matches!(SigningSecret::parse("not base64!"), Err(BadSecret::NotBase64(_))));
    }
}
