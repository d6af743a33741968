//! Checks signed URLs.

use axum::http::Uri;

use crate::domain::SigningSecret;
use crate::world::serve::query::Params;

/// Whether a request carries the right `signature` for the rest of its path and query.
pub fn verifies(secret: &SigningSecret, uri: &Uri) -> bool {
    Params::of(uri).get("signature").is_some_and(|given| secret.verifies(&without_signature(uri), given))
}

/// Path and query as they came over the wire, only the signature taken out.
fn without_signature(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("signature="));
    format!("{}?{}", uri.path(), pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signatures come from Python's hmac module.
    #[test]
    fn the_bytes_on_the_wire_are_signed_not_their_meaning() {
        let secret = SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPaw=").unwrap();
        let plain = "/maps/api/streetview/metadata?location=35.6586,139.7454&key=drawn-world";
        let encoded = "/maps/api/streetview/metadata?location=35.6586%2C139.7454&key=drawn-world";
        for (url, signature) in [(plain, "95FhoFIjiIuAFuxk0sZQVxenTs4="), (encoded, "DzM9UoEXZIUY11gLT74kMmH6YbM=")] {
            let verifies = |url: String| verifies(&secret, &url.parse().unwrap());
            assert!(verifies(format!("{url}&signature={signature}")));
            assert!(verifies(format!("{url}&signature={}", signature.replace('=', "%3D"))));
            assert!(!verifies(format!("{url}0&signature={signature}")), "changed");
            assert!(!verifies(url.to_owned()), "unsigned");
        }
    }
}
