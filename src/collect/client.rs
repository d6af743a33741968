//! The source that a run asks.

use std::path::Path;

use reqwest::Url;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::collect::folder::{self, Folder};
use crate::collect::mapillary::{self, Mapillary};
use crate::collect::offer::Offer;
use crate::collect::picture::Picture;
use crate::collect::settings::{NotReady, Settings};
use crate::collect::streetview::{self, StreetView};
use crate::collect::trouble::{Fetched, NoPicture, Trouble};
use crate::collect::wire::{self, Jitter, Wire};
use crate::domain::imagery::{Look, Source};
use crate::domain::signing::BadSecret;
use crate::domain::spend::{Item, Settlement};
use crate::domain::{Coordinate, SigningSecret};

/// One of the sources.
pub enum Client {
    /// Google's.
    StreetView(StreetView),
    /// Mapillary's.
    Mapillary(Mapillary),
    /// The admin's own photos.
    Folder(Folder),
}

/// A source cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// By what the configuration says.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The secret that signs requests is none.
    #[error("`streetview.signing_secret`: {0}")]
    Signing(#[from] BadSecret),
    /// TLS does not start.
    #[error("the TLS library does not start: {0}")]
    Tls(#[from] reqwest::Error),
}

impl Client {
    /// The client of the source as configured; `areas` are the names that folders may have. Once `stop` is cancelled it
    /// sends nothing more.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(
        settings: &Settings,
        areas: impl IntoIterator<Item = String>,
        clock: SharedClock,
        jitter: Jitter,
        stop: CancellationToken,
    ) -> Result<Self, ClientError> {
        let source = settings.source;
        settings.ready(source)?;
        let wire = |base: &Url| Wire::new(base, options(settings), clock, jitter, stop);
        match source {
            Source::StreetView => {
                let given = &settings.streetview;
                let base = given.api_url.clone();
                let missing = NotReady::SecretMissing { key: "streetview.key", variable: "KOKODOKO_STREETVIEW__KEY" };
                let key = given.key.clone().ok_or(missing)?;
                let signing = given.signing_secret.as_ref().map(|secret| SigningSecret::parse(secret.expose_secret()));
                let access = streetview::Access { base, key, signing: signing.transpose()? };
                Ok(Self::StreetView(StreetView::new(wire(&access.base)?, access)))
            }
            Source::Mapillary => {
                let given = &settings.mapillary;
                let base = given.api_url.clone();
                let missing = NotReady::SecretMissing { key: "mapillary.token", variable: "KOKODOKO_MAPILLARY__TOKEN" };
                let token = given.token.clone().ok_or(missing)?;
                let size = mapillary::Size::for_width(settings.density.width);
                let access = mapillary::Access { base, token, size };
                Ok(Self::Mapillary(Mapillary::new(wire(&access.base)?, access)))
            }
            Source::Folder => {
                let root = settings.folder.clone().ok_or(NotReady::FolderMissing)?;
                Ok(Self::Folder(Folder::new(root, areas)))
            }
        }
    }

    /// Which source it is.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::StreetView(_) => Source::StreetView,
            Self::Mapillary(_) => Source::Mapillary,
            Self::Folder(_) => Source::Folder,
        }
    }

    /// What there is at most `radius_m` metres from a place, the best first. Free of charge.
    ///
    /// # Errors
    /// When the service does not answer, or nothing more can be had of it.
    pub async fn near(&self, at: Coordinate, radius_m: u32) -> Result<Vec<Offer>, Trouble> {
        match self {
            Self::StreetView(service) => Ok(service.near(at, radius_m).await?.map(Offer::from).into_iter().collect()),
            Self::Mapillary(service) => service.near(at, radius_m).await,
            Self::Folder(_) => Ok(Vec::new()),
        }
    }

    /// Notes that an offer was taken.
    pub fn took(&self, offer: &Offer) {
        if let Self::Mapillary(service) = self {
            service.took(offer);
        }
    }

    /// A picture; `file` is where it lies, as its offer said.
    pub async fn picture(&self, item: &Item, file: Option<&str>) -> Fetched<Picture> {
        match self {
            Self::StreetView(service) => match item.look {
                Some(look) => service.picture(&item.image, look).await,
                None => Fetched { bill: Settlement::Free, picture: Err(NoPicture::Gone) },
            },
            Self::Mapillary(service) => service.picture(&item.image, file).await,
            Self::Folder(_) => Fetched { bill: Settlement::Free, picture: photo(file).await },
        }
    }

    /// The looks that an image is fetched in: those planned for a panorama, one for an image with a direction.
    pub fn looks(&self, planned: impl FnOnce() -> Vec<Look>) -> Vec<Option<Look>> {
        match self {
            Self::StreetView(_) => planned().into_iter().map(Some).collect(),
            Self::Mapillary(_) | Self::Folder(_) => vec![None],
        }
    }
}

async fn photo(file: Option<&str>) -> Result<Picture, NoPicture> {
    let Some(file) = file.map(str::to_owned) else { return Err(NoPicture::Gone) };
    let read = tokio::task::spawn_blocking(move || folder::picture(Path::new(&file))).await;
    let panicked = |why: tokio::task::JoinError| Trouble::Later { service: "The photo folder", why: why.to_string() };
    read.map_err(panicked)?
}

fn options(settings: &Settings) -> wire::Options {
    let pace = &settings.pace;
    wire::Options {
        per_second: pace.requests_per_second,
        concurrent: pace.concurrency,
        connect_timeout: pace.connect_timeout,
        read_timeout: pace.read_timeout,
        timeout: pace.read_timeout,
        tally: settings.meters.of(settings.source.name()),
        ..wire::Options::default()
    }
}
