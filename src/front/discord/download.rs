//! Attachments from Discord's file servers, and from nowhere else.
//!
//! The link of an attachment arrives in an event. Were it followed blindly, a forged or surprising event could
//! make the bot read addresses inside its own network: hence the fixed hosts and no redirects.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Client, Response, Url, redirect};

use crate::chat::message::{Delivered, DeliveryError};
use crate::infer::decode::PhotoError;

use super::incoming::Photo;

/// Discord's file servers.
const HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];
/// For one photo, from the first byte sent to the last received.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For reaching the server at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Photos of one message that are downloaded at once.
const PARALLEL: usize = 3;

/// Fetches photos.
pub(super) struct Cdn {
    client: Client,
    /// Whose links are followed besides those of [`HOSTS`]: of this scheme, host and port.
    proxy: Option<Url>,
    max_bytes: usize,
}

impl Cdn {
    /// For Discord's own file servers, and for those behind `proxy`. No photo may have more than `max_bytes`.
    ///
    /// # Errors
    /// When `proxy` is no URL or the TLS library fails to start.
    pub(super) fn new(proxy: Option<&str>, max_bytes: usize) -> anyhow::Result<Self> {
        let builder = Client::builder().redirect(redirect::Policy::none());
        let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
        let (builder, proxy) = match proxy {
            None => (builder, None),
            Some(url) => (builder.no_proxy(), Some(url.parse()?)),
        };
        Ok(Self { client: builder.build()?, proxy, max_bytes })
    }

    /// Fetches photos, in their order.
    pub(super) async fn fetch_all(&self, photos: Vec<Photo>) -> Vec<Delivered> {
        let fetches = futures_util::stream::iter(photos).map(|photo| self.fetch(photo));
        fetches.buffered(PARALLEL).collect().await
    }

    async fn fetch(&self, photo: Photo) -> Delivered {
        if !photo.is_picture {
            return Err(PhotoError::NotAPicture.into());
        }
        self.check_size(photo.bytes)?;
        let url = self.trusted(&photo.url)?;
        let response = self.client.get(url).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(DeliveryError::Download(format!("status {}", response.status())));
        }
        self.read(response).await
    }

    fn trusted(&self, url: &str) -> Result<Url, DeliveryError> {
        let url = Url::parse(url).map_err(|error| DeliveryError::Download(format!("no link: {error}")))?;
        let is_discords = url.host_str().is_some_and(|host| HOSTS.contains(&host));
        let discord = url.scheme() == "https" && is_discords && url.port().is_none();
        let behind_proxy = self.proxy.as_ref().is_some_and(|proxy| url.origin() == proxy.origin());
        if discord || behind_proxy {
            Ok(url)
        } else {
            Err(DeliveryError::Download("the link leads away from Discord".to_owned()))
        }
    }

    /// The announced size may be wrong or missing, so that what arrives is counted as well.
    async fn read(&self, response: Response) -> Delivered {
        self.check_size(response.content_length().unwrap_or(0))?;
        let mut bytes = Vec::new();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(failed)?;
            self.check_size(bytes.len().saturating_add(chunk.len()) as u64)?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn check_size(&self, bytes: u64) -> Result<(), DeliveryError> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > self.max_bytes {
            return Err(PhotoError::TooManyBytes { bytes, limit: self.max_bytes }.into());
        }
        Ok(())
    }
}

/// Without the link: its signature would let whoever reads the log fetch the photo.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn failed(error: reqwest::Error) -> DeliveryError {
    let kind = match () {
        () if error.is_timeout() => "timed out",
        () if error.is_connect() => "no connection",
        () => "broken off",
    };
    DeliveryError::Download(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cdn() -> Cdn {
        Cdn::new(None, 1_000).expect("TLS starts")
    }

    #[test]
    fn only_links_to_discord_are_followed() {
        for good in ["https://cdn.discordapp.com/attachments/1/2/a.jpg?ex=1&hm=2", "https://MEDIA.discordapp.net/a"] {
            assert!(cdn().trusted(good).is_ok(), "{good}");
        }
        for bad in [
            "http://cdn.discordapp.com/a.jpg",
            "https://cdn.discordapp.com:8443/a.jpg",
            "https://cdn.discordapp.com@169.254.169.254/a.jpg",
            "https://cdn.discordapp.com.example.org/a.jpg",
            "https://127.0.0.1/a.jpg",
            "file:///etc/passwd",
            "a.jpg",
        ] {
            assert!(cdn().trusted(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_no_picture_or_too_large_is_not_fetched() {
        let url = "https://127.0.0.1/a.jpg".to_owned();
        let video = Photo { url: url.clone(), bytes: 10, is_picture: false, is_own: true };
        let large = Photo { url, bytes: 1_001, is_picture: true, is_own: true };
        let expected: [Delivered; 2] =
            [Err(PhotoError::NotAPicture.into()), Err(PhotoError::TooManyBytes { bytes: 1_001, limit: 1_000 }.into())];
        assert_eq!(cdn().fetch_all(vec![video, large]).await, expected);
    }
}
