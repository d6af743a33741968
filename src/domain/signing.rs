//! Signed URLs of Google's map services: HMAC-SHA1 over path and query, as URL-safe base64.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::digest::InvalidLength;
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// A URL signing secret; its `Debug` hides it.
#[derive(Clone)]
pub struct SigningSecret(Hmac<Sha1>);

/// The text is not URL-safe base64 with padding, as Google's console shows secrets.
#[derive(Debug, thiserror::Error)]
pub enum BadSecret {
    /// Not base64. What it is instead stays untold: it may be most of the secret.
    #[error("a signing secret is URL-safe base64, as Google's console shows it")]
    NotBase64,
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
        let bytes = URL_SAFE.decode(text).map_err(|_| BadSecret::NotBase64)?;
        Ok(Self(Hmac::new_from_slice(&bytes)?))
    }

    /// The signature of a path with its query, as Google documents it
    /// (<https://developers.google.com/maps/documentation/streetview/digital-signature>, whose example this is).
    ///
    /// ```
    /// use kokodoko::domain::SigningSecret;
    ///
    /// let secret = SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPaw=")?;
    /// let signature = secret.sign("/maps/api/geocode/json?address=New+York&client=clientID");
    /// assert_eq!(signature, "chaRF2hTJKOScPr-RQCEhZbSzIE=");
    /// # Ok::<_, kokodoko::domain::signing::BadSecret>(())
    /// ```
    #[must_use]
    pub fn sign(&self, path_and_query: &str) -> String {
        URL_SAFE.encode(self.mac(path_and_query).finalize().into_bytes())
    }

    /// Whether this is the signature of that path with its query; takes as long for a wrong one.
    #[must_use]
    pub fn verifies(&self, path_and_query: &str, signature: &str) -> bool {
        let given = URL_SAFE.decode(signature);
        given.is_ok_and(|given| self.mac(path_and_query).verify_slice(&given).is_ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    const GOOGLES: &str = "vNIXE0xscrmjlyV-12Nj_BvUPaw=";

    #[test]
    fn googles_own_example_holds() {
        let signature = SigningSecret::parse(GOOGLES).unwrap();
        let signature = signature.sign("/maps/api/geocode/json?address=New+York&client=clientID");
        assert_eq!(signature, "chaRF2hTJKOScPr-RQCEhZbSzIE=");
    }

    #[test]
    fn secrets_do_not_show_and_must_be_base64() {
        assert_eq!(format!("{:?}", SigningSecret::parse(GOOGLES).unwrap()), "SigningSecret(hidden)");
        let refused = SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPa!=").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("vNIX"), "{refused:?}");
    }
}
