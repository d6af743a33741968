//! Google's Street View Static API: metadata, which are free, then pictures, which are billed.
//!
//! What is billed, by Google's documentation: a picture that is delivered, the grey "no imagery" tile included; not
//! metadata, not refusals (4xx), not failures of the service (5xx).

pub(super) mod answer;

use std::sync::Arc;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::collect::picture::{Picture, check};
use crate::collect::trouble::{Fetched, NoPicture, Stop, Trouble, quote};
use crate::collect::wire::{Answer, Ask, Fault, Kind, Repeat, Verdict, Wire, judge_status};
use crate::domain::imagery::{Look, Sighting};
use crate::domain::spend::Settlement;
use crate::domain::{Coordinate, SigningSecret};
use crate::infer::decode::Limits;
use answer::{Metadata, Status};

/// Name in messages.
const SERVICE: &str = "Street View";
/// Most bytes of a metadata answer.
const METADATA_BYTES: usize = 64 << 10;
/// Most bytes of a picture of 640 by 640 pixels.
const PICTURE_BYTES: usize = 4 << 20;
/// What the terms of the pictures are called, for want of a licence.
const LICENCE: &str = "Google Maps Platform Terms of Service";

/// Where and as whom to ask.
#[derive(Clone, Debug)]
pub struct Access {
    /// Base URL: `https://maps.googleapis.com`.
    pub base: Url,
    /// The API key.
    pub key: SecretString,
    /// The secret that signs requests; `None` leaves them unsigned.
    pub signing: Option<SigningSecret>,
}

/// A client of the service.
pub struct StreetView {
    wire: Arc<Wire>,
    access: Access,
}

impl StreetView {
    /// Asks over `wire`.
    #[must_use]
    pub fn new(wire: Arc<Wire>, access: Access) -> Self {
        Self { wire, access }
    }

    /// The outdoor panorama nearest to a place, at most `radius_m` metres away.
    ///
    /// # Errors
    /// When the service does not answer, or nothing more can be had of it.
    pub async fn near(&self, at: Coordinate, radius_m: u32) -> Result<Option<Sighting>, Trouble> {
        let Coordinate { lat, lng } = at;
        let location = format!("{lat:.7},{lng:.7}");
        let radius = radius_m.to_string();
        let params = [("location", location.as_str()), ("radius", &radius), ("source", "outdoor")];
        let request = self.wire.get(self.url("/metadata", &params));
        let ask = Ask { kind: Kind::Question, request, max_bytes: METADATA_BYTES, repeat: Repeat::Free };
        let answer = self.wire.ask(ask, judge_metadata).await.map_err(|fault| later(&fault))?;
        let Some(metadata) = Metadata::parse(&answer) else { return Err(self.refused(&answer)) };
        match metadata.status {
            Status::Ok => metadata.sighting().map(Some).ok_or_else(|| not_understood("metadata without a panorama")),
            Status::ZeroResults | Status::NotFound => Ok(None),
            Status::OverQueryLimit => Err(Stop::StreetViewQuota { said: self.said(&metadata) }.into()),
            Status::RequestDenied => Err(Stop::StreetViewDenied { said: self.said(&metadata) }.into()),
            Status::InvalidRequest => Err(Stop::Misunderstood { service: SERVICE, said: self.said(&metadata) }.into()),
            Status::UnknownError | Status::Other => Err(not_understood("its metadata answer is an error")),
        }
    }

    /// A look at a panorama. Never asks twice for what may have been billed.
    pub async fn picture(&self, panorama: &str, look: Look) -> Fetched<Picture> {
        let Look { heading, fov, pitch, width, height } = look;
        let (size, heading, fov, pitch) =
            (format!("{width}x{height}"), heading.to_string(), fov.to_string(), pitch.to_string());
        let url = self.url(
            "",
            &[
                ("pano", panorama),
                ("size", &size),
                ("heading", &heading),
                ("fov", &fov),
                ("pitch", &pitch),
                ("return_error_code", "true"),
            ],
        );
        let request = self.wire.get(url);
        let ask = Ask { kind: Kind::Picture, request, max_bytes: PICTURE_BYTES, repeat: Repeat::Unbilled };
        match self.wire.ask(ask, |answer| judge_status(answer.status, Repeat::Unbilled)).await {
            Ok(answer) if answer.status.as_u16() == 200 => delivered(answer, look).await,
            Ok(answer) => self.not_delivered(&answer),
            Err(fault) => lost(&fault),
        }
    }

    fn not_delivered(&self, answer: &Answer) -> Fetched<Picture> {
        let picture = match answer.status.as_u16() {
            404 => NoPicture::Gone,
            _ => self.refused(answer).into(),
        };
        // Gateways answer 502 and 504 for a server that may have delivered.
        let bill = if matches!(answer.status.as_u16(), 502 | 504..) { Settlement::Lost } else { Settlement::Free };
        Fetched { bill, picture: Err(picture) }
    }

    /// What a status other than 200 means.
    fn refused(&self, answer: &Answer) -> Trouble {
        let said = || quote(&String::from_utf8_lossy(&answer.body), self.access.key.expose_secret());
        match answer.status.as_u16() {
            401 | 403 => Stop::StreetViewDenied { said: said() }.into(),
            429 => Stop::StreetViewQuota { said: said() }.into(),
            400..500 => Stop::Misunderstood { service: SERVICE, said: said() }.into(),
            200 => not_understood("its answer is no metadata"),
            status => Trouble::Later { service: SERVICE, why: format!("status {status}") },
        }
    }

    fn said(&self, metadata: &Metadata) -> String {
        quote(metadata.error_message.as_deref().unwrap_or_default(), self.access.key.expose_secret())
    }

    /// The URL of a request with its key and, where there is a secret, its signature: last, over all that precedes.
    fn url(&self, path: &str, params: &[(&str, &str)]) -> Url {
        let mut url = self.access.base.clone();
        url.set_path(&format!("{}/maps/api/streetview{path}", url.path().trim_end_matches('/')));
        url.query_pairs_mut().clear().extend_pairs(params).append_pair("key", self.access.key.expose_secret());
        if let Some(secret) = &self.access.signing {
            let signature = secret.sign(&format!("{}?{}", url.path(), url.query().unwrap_or_default()));
            url.query_pairs_mut().append_pair("signature", &signature);
        }
        url
    }
}

/// `UNKNOWN_ERROR` is a failure of the server, and `OVER_QUERY_LIMIT` may be that of one second only.
fn judge_metadata(answer: &Answer) -> Verdict {
    match Metadata::parse(answer).map(|metadata| metadata.status) {
        Some(Status::UnknownError | Status::Other) => Verdict::Again,
        Some(Status::OverQueryLimit) => Verdict::Slower,
        Some(_) => Verdict::Final,
        None if answer.status.is_success() => Verdict::Again,
        None => judge_status(answer.status, Repeat::Free),
    }
}

/// A delivered picture is billed, whatever it shows.
async fn delivered(answer: Answer, look: Look) -> Fetched<Picture> {
    let size = (look.width, look.height);
    let checked = tokio::task::spawn_blocking(move || {
        let limits = Limits { max_bytes: PICTURE_BYTES, ..Limits::default() };
        check(&answer.media_type, answer.body, &limits)
    });
    let picture = match checked.await {
        Ok(Ok(picture)) if (picture.width, picture.height) == size => Ok(picture),
        Ok(Ok(_)) => Err(not_understood("the picture has another size").into()),
        Ok(Err(bad)) => Err(bad.into()),
        Err(panicked) => Err(not_understood(&format!("the picture could not be checked: {panicked}")).into()),
    };
    Fetched { bill: Settlement::Billed, picture }
}

fn lost(fault: &Fault) -> Fetched<Picture> {
    let bill = if fault.delivered { Settlement::Lost } else { Settlement::Free };
    Fetched { bill, picture: Err(later(fault).into()) }
}

fn later(fault: &Fault) -> Trouble {
    Trouble::Later { service: SERVICE, why: fault.to_string() }
}

fn not_understood(why: &str) -> Trouble {
    Trouble::Later { service: SERVICE, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::collect::wire::{Options, system_jitter};
    use tokio_util::sync::CancellationToken;

    fn service(base: &str, signing: Option<&str>) -> StreetView {
        let base: Url = base.parse().unwrap();
        let signing = signing.map(|secret| SigningSecret::parse(secret).unwrap());
        let clock = Arc::new(SystemClock);
        let wire = Wire::new(&base, Options::default(), clock, system_jitter(), CancellationToken::new()).unwrap();
        StreetView::new(wire, Access { base, key: "drawn-world".into(), signing })
    }

    /// The signature comes from Python's hmac module, as that of the stand-in's own test does.
    #[test]
    fn requests_are_signed_with_all_that_they_carry() {
        let unsigned =
            service("https://maps.googleapis.com", None).url("/metadata", &[("location", "35.6586,139.7454")]);
        assert_eq!(
            unsigned.as_str(),
            "https://maps.googleapis.com/maps/api/streetview/metadata?location=35.6586%2C139.7454&key=drawn-world"
        );
        let secret = Some("vNIXE0xscrmjlyV-12Nj_BvUPaw=");
        let signed =
            service("https://maps.googleapis.com", secret).url("/metadata", &[("location", "35.6586,139.7454")]);
        assert_eq!(signed.as_str(), format!("{unsigned}&signature=DzM9UoEXZIUY11gLT74kMmH6YbM%3D"));
    }

    #[test]
    fn a_base_url_may_have_a_path_and_a_slash() {
        for base in ["http://127.0.0.1:1/google", "http://127.0.0.1:1/google/"] {
            assert_eq!(service(base, None).url("", &[]).path(), "/google/maps/api/streetview");
        }
    }
}
