//! Mapillary's Graph API, version 4: images in a box, then their files, all free.

pub(super) mod answer;
mod boxes;
mod drives;
mod size;

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::collect::offer::Offer;
use crate::collect::picture::{Picture, check};
use crate::collect::trouble::{Fetched, NoPicture, Stop, Trouble, quote};
use crate::collect::wire::{Answer, Ask, Fault, Kind, Repeat, Verdict, Wire, judge_status};
use crate::domain::Coordinate;
use crate::domain::spend::Settlement;
use crate::infer::decode::Limits;
use answer::{GraphError, Image, Images};
use boxes::Area;
use drives::Drives;
pub use size::Size;

/// Name in messages.
const SERVICE: &str = "Mapillary";
/// Most images that one search gives; there are no pages.
const LARGEST_LIMIT: usize = 2_000;
/// Most bytes of that many images' fields.
const SEARCH_BYTES: usize = 8 << 20;
/// Most bytes of a picture 2,048 pixels wide.
const PICTURE_BYTES: usize = 8 << 20;
/// Fields of a search, beside the link to the picture.
const FIELDS: &str = "id,geometry,computed_geometry,compass_angle,computed_compass_angle,captured_at,is_pano,sequence,\
                      creator";

/// Where and as whom to ask.
#[derive(Clone, Debug)]
pub struct Access {
    /// Base URL: `https://graph.mapillary.com`.
    pub base: Url,
    /// The access token, sent in a header and to this server only.
    pub token: SecretString,
    /// How large pictures are wanted.
    pub size: Size,
}

/// A client of the service.
pub struct Mapillary {
    wire: Arc<Wire>,
    access: Access,
    drives: Drives,
}

/// Why the Graph API did not give what it was asked for.
enum Refusal {
    /// The box holds more than the service likes to look through.
    TooMuch,
    /// There is no such image.
    Gone,
    Trouble(Trouble),
}

impl Mapillary {
    /// Asks over `wire`.
    #[must_use]
    pub fn new(wire: Arc<Wire>, access: Access) -> Self {
        Self { wire, access, drives: Drives::default() }
    }

    /// Images at most `radius_m` metres from a place: the nearest one of each drive, those of drives that were used
    /// least first. 360° strips are left out, and so are drives that have given enough.
    ///
    /// # Errors
    /// When the service does not answer, or nothing more can be had of it.
    pub async fn near(&self, at: Coordinate, radius_m: u32) -> Result<Vec<Offer>, Trouble> {
        let mut offers = Vec::new();
        let mut areas = vec![Area::around(at, radius_m.into())];
        while let Some(area) = areas.pop() {
            match self.search(&area).await {
                Ok(images) if images.len() < LARGEST_LIMIT => {
                    offers.extend(images.into_iter().filter_map(Image::offer))
                }
                // A box too small to be split is taken as it is: its images are all beside each other.
                Ok(images) => match area.quarters() {
                    Some(quarters) => areas.extend(quarters),
                    None => offers.extend(images.into_iter().filter_map(Image::offer)),
                },
                Err(Refusal::TooMuch) => match area.quarters() {
                    Some(quarters) => areas.extend(quarters),
                    None => return Err(later("it cannot look through a box of some metres")),
                },
                Err(Refusal::Gone) => return Err(later("it knows no images in boxes any more")),
                Err(Refusal::Trouble(trouble)) => return Err(trouble),
            }
        }
        offers.retain(|offer| offer.sighting.position.distance_m(at) <= f64::from(radius_m));
        Ok(self.drives.choose(offers, at))
    }

    /// Notes that an offer was taken, so that its drive comes later next time.
    pub fn took(&self, offer: &Offer) {
        self.drives.took(offer);
    }

    /// The file of an image, from the link of its offer where there is one; links expire and are then asked for anew.
    pub async fn picture(&self, id: &str, link: Option<&str>) -> Fetched<Picture> {
        Fetched { bill: Settlement::Free, picture: self.file(id, link).await }
    }

    async fn file(&self, id: &str, link: Option<&str>) -> Result<Picture, NoPicture> {
        if let Some(link) = link {
            match self.download(link).await? {
                answer if answer.status.is_success() => return picture(answer).await,
                answer if answer.status.is_server_error() => return Err(status(&answer).into()),
                _ => {}
            }
        }
        let link = self.link(id).await?;
        match self.download(&link).await? {
            answer if answer.status.is_success() => picture(answer).await,
            answer if matches!(answer.status.as_u16(), 404 | 410) => Err(NoPicture::Gone),
            answer => Err(status(&answer).into()),
        }
    }

    async fn search(&self, area: &Area) -> Result<Vec<Image>, Refusal> {
        let (bbox, limit) = (area.to_string(), LARGEST_LIMIT.to_string());
        let fields = format!("{FIELDS},{}", self.access.size.field());
        let params = [("bbox", bbox.as_str()), ("fields", &fields), ("limit", &limit), ("is_pano", "false")];
        self.graph::<Images>("images", &params).await.map(|images| images.data)
    }

    async fn link(&self, id: &str) -> Result<String, NoPicture> {
        let fields = format!("id,{}", self.access.size.field());
        match self.graph::<Image>(id, &[("fields", &fields)]).await {
            Ok(image) => image.thumb.ok_or(NoPicture::Gone),
            Err(Refusal::Gone) => Err(NoPicture::Gone),
            Err(Refusal::TooMuch) => Err(later("it cannot look up an image").into()),
            Err(Refusal::Trouble(trouble)) => Err(trouble.into()),
        }
    }

    async fn graph<T: DeserializeOwned>(&self, path: &str, params: &[(&str, &str)]) -> Result<T, Refusal> {
        let mut url = self.access.base.clone();
        url.path_segments_mut()
            .map_err(|()| Refusal::Trouble(later("its base URL has no path")))?
            .pop_if_empty()
            .push(path);
        url.query_pairs_mut().extend_pairs(params);
        let token = format!("OAuth {}", self.access.token.expose_secret());
        let request = self.wire.get(url).header(AUTHORIZATION, token);
        let ask = Ask { kind: Kind::Question, request, max_bytes: SEARCH_BYTES, repeat: Repeat::Free };
        let mut found = None;
        let answer = self.wire.ask(ask, |answer| {
            found = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status.is_success());
            if found.is_some() { Verdict::Final } else { judge(answer) }
        });
        let answer = answer.await.map_err(|fault| Refusal::Trouble(broken(&fault)))?;
        found.ok_or_else(|| self.refused(&answer))
    }

    fn refused(&self, answer: &Answer) -> Refusal {
        let Some(error) = GraphError::parse(answer) else { return Refusal::Trouble(status(answer)) };
        let said = quote(&error.message, self.access.token.expose_secret());
        match error {
            _ if error.wants_less() => Refusal::TooMuch,
            GraphError { error_subcode: Some(33), .. } => Refusal::Gone,
            _ if error.is_rate_limit() => Refusal::Trouble(Stop::MapillaryQuota { said }.into()),
            _ if error.is_about_token() => Refusal::Trouble(Stop::MapillaryDenied { said }.into()),
            _ if error.may_pass() => Refusal::Trouble(later(&said)),
            _ => Refusal::Trouble(Stop::Misunderstood { service: SERVICE, said }.into()),
        }
    }

    /// Fetches a file, without the token: files lie on other servers.
    async fn download(&self, link: &str) -> Result<Answer, Trouble> {
        let url = self.trusted(link).ok_or_else(|| later("the link to a file leads elsewhere"))?;
        let request = self.wire.get(url);
        let ask = Ask { kind: Kind::Picture, request, max_bytes: PICTURE_BYTES, repeat: Repeat::Free };
        let answer = self.wire.ask(ask, |answer| judge_status(answer.status, Repeat::Free));
        answer.await.map_err(|fault| broken(&fault))
    }

    /// Links lead to public file servers, encrypted, or to the very server that was asked. A link into our own network
    /// would let a surprising answer read there.
    fn trusted(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok()?;
        let named = url.domain().is_some_and(|name| HOSTS.iter().any(|host| name.ends_with(host)));
        let public = url.scheme() == "https" && url.port().is_none() && named;
        (public || url.origin() == self.access.base.origin()).then_some(url)
    }
}

/// Ends of the names of Mapillary's file servers.
const HOSTS: [&str; 2] = [".fbcdn.net", ".mapillary.com"];

fn judge(answer: &Answer) -> Verdict {
    match GraphError::parse(answer) {
        Some(error) if error.wants_less() => Verdict::Final,
        Some(error) if error.is_rate_limit() => Verdict::Slower,
        Some(error) if error.may_pass() => Verdict::Again,
        Some(_) => Verdict::Final,
        None if answer.status.is_success() => Verdict::Again,
        None => judge_status(answer.status, Repeat::Free),
    }
}

async fn picture(answer: Answer) -> Result<Picture, NoPicture> {
    let checked = tokio::task::spawn_blocking(move || {
        let limits = Limits { max_bytes: PICTURE_BYTES, ..Limits::default() };
        check(&answer.media_type, answer.body, &limits)
    });
    match checked.await {
        Ok(picture) => Ok(picture?),
        Err(panicked) => Err(later(&format!("the picture could not be checked: {panicked}")).into()),
    }
}

fn status(answer: &Answer) -> Trouble {
    if answer.status.is_success() {
        later("its answer is no JSON")
    } else {
        later(&format!("status {}", answer.status))
    }
}

fn broken(fault: &Fault) -> Trouble {
    later(&fault.to_string())
}

fn later(why: &str) -> Trouble {
    Trouble::Later { service: SERVICE, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::collect::wire::{Options, system_jitter};
    use tokio_util::sync::CancellationToken;

    #[test]
    fn only_links_to_file_servers_are_followed() {
        let base: Url = "http://127.0.0.1:8600/mapillary".parse().unwrap();
        let clock = Arc::new(SystemClock);
        let wire = Wire::new(&base, Options::default(), clock, system_jitter(), CancellationToken::new()).unwrap();
        let service = Mapillary::new(wire, Access { base, token: "t".into(), size: Size::Middle });
        for good in [
            "https://scontent-nrt1-1.xx.fbcdn.net/m1/v/t6/a?oh=1&oe=2",
            "https://images.mapillary.com/a/thumb-1024.jpg",
            "http://127.0.0.1:8600/mapillary/cdn/1/1024.jpg?oh=1",
        ] {
            assert!(service.trusted(good).is_some(), "{good}");
        }
        for bad in [
            "http://scontent.xx.fbcdn.net/a",
            "https://scontent.xx.fbcdn.net:8443/a",
            "https://fbcdn.net.example.org/a",
            "https://evilfbcdn.net/a",
            "http://127.0.0.1:22/a",
            "https://169.254.169.254/a",
            "file:///etc/passwd",
            "a.jpg",
        ] {
            assert!(service.trusted(bad).is_none(), "{bad}");
        }
    }
}
