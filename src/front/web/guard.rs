//! What keeps other sites away from the page, and the page from loading anything else.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{self, HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::Shared;
use super::language::Language;
use super::problem::Problem;

/// Sent with every response.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // A page that tells where a photo was taken has no business asking the browser where it is.
    (HeaderName::from_static("permissions-policy"), "geolocation=(), camera=(), microphone=()"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// Refuses requests that reach us under a foreign name: a site whose name is made to resolve to this machine
/// (DNS rebinding) could otherwise read the answers. Refuses requests of other sites' pages as well.
pub(super) async fn check(State(site): Shared, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let own = authority(&parts.uri, &parts.headers);
    let problem = match &own {
        Some(own) if is_allowed(own.host(), &site.allowed_hosts) => {
            is_foreign(own, &parts.headers).then_some(Problem::Origin)
        }
        other => Some(Problem::Host(other.as_ref().map(|own| own.host().to_owned()).unwrap_or_default())),
    };
    match problem {
        Some(problem) => problem.response(Language::of(&parts).0),
        None => next.run(Request::from_parts(parts, body)).await,
    }
}

/// Adds [`HEADERS`].
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Who the client thinks that we are.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    uri.authority().cloned().or_else(|| headers.get(HOST)?.to_str().ok()?.parse().ok())
}

/// An IP address needs no name to be resolved, so that nobody can make it point elsewhere.
fn is_allowed(host: &str, allowed: &[String]) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    host.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
}

/// Whether a browser says that another site's page asks. Programs other than browsers send no `Origin`.
fn is_foreign(own: &Authority, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    origin.as_ref().and_then(Uri::authority) != Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_are_answered() {
        let allowed = ["bot.example".to_owned()];
        for host in ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "192.168.1.5", "Bot.Example"] {
            assert!(is_allowed(host, &allowed), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "bot.example.evil"] {
            assert!(!is_allowed(host, &allowed), "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_and_of_other_ports_are_foreign() {
        let own = Authority::from_static("localhost:8080");
        let foreign = |origin: &'static str| {
            is_foreign(&own, &HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))]))
        };
        assert!(!foreign("http://localhost:8080"));
        assert!(!foreign("https://localhost:8080"), "a proxy may end TLS before us");
        assert!(foreign("http://localhost:9090") && foreign("http://evil.example") && foreign("null"));
        assert!(!is_foreign(&own, &HeaderMap::new()));
    }
}
