//! The Street View client against the stand-in.

use std::sync::Arc;

use kokodoko::collect::picture::{BadPicture, check, is_blank};
use kokodoko::collect::trouble::{NoPicture, Stop};
use kokodoko::domain::imagery::{Look, Source};
use kokodoko::domain::spend::Settlement;
use kokodoko::domain::{Coordinate, SigningSecret};
use kokodoko::infer::decode::Limits;
use kokodoko::world::render::render;
use kokodoko::world::{Panorama, View};

use super::{patient, streetview, streetview_with};
use crate::support::JumpingClock;
use crate::wire::{Service, WORLD};

const SEA: Coordinate = Coordinate { lat: 35.0, lng: 140.5 };
const LOOK: Look = Look { heading: 271, fov: 75, pitch: -5, width: 96, height: 64 };

fn outdoor() -> &'static Panorama {
    WORLD.panoramas(1).iter().find(|panorama| !panorama.indoor).expect("港区 has outdoor panoramas")
}

#[tokio::test]
async fn the_nearest_outdoor_panorama_is_sighted() {
    let service = Service::start().await;
    let client = streetview(&service.base, patient(), JumpingClock::start());
    let panorama = outdoor();
    let sighting = client.near(panorama.position, 50).await.expect("answered").expect("there is one");
    let (year, month) = panorama.captured;
    assert_eq!((sighting.source, sighting.id.as_str()), (Source::StreetView, panorama.id.as_str()));
    assert_eq!((sighting.position, sighting.heading), (panorama.position, None));
    assert_eq!(sighting.captured, Some(format!("{year:04}-{month:02}")));
    assert_eq!(sighting.attribution, "© Drawn World");

    let is_nearest = |p: &&Panorama| p.indoor && WORLD.nearest(p.position, 50.0, false) == Some(*p);
    let indoor = (0..7).flat_map(|area| WORLD.panoramas(area)).find(is_nearest).expect("3 % are indoors");
    let found = client.near(indoor.position, 500).await.expect("answered").expect("there is one within 500 m");
    assert!(!WORLD.by_id(&found.id).expect("it exists").indoor);
    assert_eq!(client.near(SEA, 50).await, Ok(None));
    assert_eq!(service.books().await.streetview.metadata, 3);
}

#[tokio::test]
async fn a_picture_is_bought_once_as_it_was_asked_for() {
    let service = Service::start().await;
    let client = streetview(&service.base, patient(), JumpingClock::start());
    let id = &outdoor().id;
    let fetched = client.picture(id, LOOK).await;
    let picture = fetched.picture.expect("a picture");
    assert_eq!((fetched.bill, picture.width, picture.height), (Settlement::Billed, 96, 64));
    let gone = client.picture("tu510ie_z4ptBZYo2BGEJg", LOOK).await;
    assert_eq!((gone.bill, gone.picture), (Settlement::Free, Err(NoPicture::Gone)));
    let books = service.books().await.streetview;
    assert_eq!((books.images_billed, books.images_not_found, books.grey_tiles), (1, 1, 0));
    assert_eq!(books.images[&format!("{id} heading=271 fov=75 pitch=-5 size=96x64")], 1);
}

#[tokio::test]
async fn a_refused_key_and_a_used_up_quota_stop_the_run() {
    let service = Service::start_with(|options| {
        options.image_quota = Some(0);
        options.metadata_quota = Some(0);
    })
    .await;
    let id = &outdoor().id;
    let mut told = Vec::new();
    for key in ["guessed", "drawn-world"] {
        let client = streetview_with(&service.base, patient(), JumpingClock::start(), key, None);
        told.push(client.near(SEA, 50).await.expect_err("refused").to_string());
        let fetched = client.picture(id, LOOK).await;
        assert_eq!(fetched.bill, Settlement::Free);
        told.push(fetched.picture.expect_err("refused").to_string());
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn signed_requests_are_accepted_and_unsigned_ones_stop_the_run() {
    let secret = || SigningSecret::parse("vNIXE0xscrmjlyV-12Nj_BvUPaw=").expect("Google's own");
    let service = Service::start_with(|options| options.google_signing_secret = Some(secret())).await;
    let client = |signing| streetview_with(&service.base, patient(), JumpingClock::start(), "drawn-world", signing);
    let signed = client(Some(secret()));
    assert!(signed.near(outdoor().position, 50).await.is_ok_and(|found| found.is_some()));
    assert!(signed.picture(&outdoor().id, LOOK).await.picture.is_ok());
    let unsigned = client(None).near(SEA, 50).await.expect_err("refused");
    assert!(matches!(unsigned, kokodoko::collect::trouble::Trouble::Stop(Stop::StreetViewDenied { .. })), "{unsigned}");
}

#[tokio::test]
async fn the_grey_tile_is_known_by_its_looks() {
    let service = Service::start().await;
    for size in ["64x64", "96x64", "320x200", "640x640"] {
        let path = format!("/maps/api/streetview?size={size}&location=35.0,140.5&key=drawn-world");
        let tile = service.get(&path).await.body;
        assert_eq!(check("image/jpeg", tile, &Limits::default()), Err(BadPicture::Blank), "{size}");
    }
}

/// Snow, fog and walls are streets all the same.
#[test]
fn no_drawn_street_is_taken_for_a_tile() {
    let world = Arc::clone(&WORLD);
    for area in 0..7 {
        for panorama in world.panoramas(area).iter().step_by(211).filter(|panorama| !panorama.indoor) {
            for heading in [0.0, 90.0, 180.0, 270.0] {
                let view = View { heading, fov: 90.0, pitch: 0.0, width: 64, height: 64 };
                let image = render(&world, panorama, &view).image;
                assert!(!is_blank(&image), "{} {heading}", panorama.id);
            }
        }
    }
}
