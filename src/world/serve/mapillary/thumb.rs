//! Links to files, which carry their end and a hash, and the files.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::catalogue::Shot;
use crate::world::serve::query::Params;
use crate::world::serve::{Options, Services, Shared};

/// Widths that links name; an original is named `original`.
const WIDTHS: [u32; 3] = [256, 1_024, 2_048];
const ORIGINAL: &str = "original";
/// Guards links against change. Whoever reads this can forge one, and gains a drawing.
const KEY: &[u8] = b"drawn world";

/// A link to an image at a width (`None` is the original) that works for the lifetime in the options.
pub fn link(shot: &Shot, width: Option<u32>, options: &Options) -> String {
    let name = width.map_or_else(|| ORIGINAL.to_owned(), |width| width.to_string());
    let path = format!("/mapillary/cdn/{}/{name}.jpg", shot.id);
    let end = options.unix_now() + options.thumb_lifetime.as_secs();
    let hash = encode_hex(&mac(&path, end).finalize().into_bytes()[..HASH_BYTES]);
    format!("{}{path}?oh={hash}&oe={end:X}", options.base_url)
}

/// Bytes of the hash that a link carries.
const HASH_BYTES: usize = 16;

fn mac(path: &str, end: u64) -> Hmac<Sha256> {
    let keyed = <Hmac<Sha256> as Mac>::new_from_slice(KEY).expect("HMAC takes keys of any length");
    keyed.chain_update(path).chain_update(end.to_be_bytes())
}

fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let byte = |i| text.get(i..i + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Whether a link is ours and still good.
fn check(uri: &Uri, now: u64) -> Result<(), &'static str> {
    let params = Params::of(uri);
    let end = params.get("oe").and_then(|text| u64::from_str_radix(text, 16).ok());
    let hash = params.get("oh").and_then(decode_hex).filter(|hash| hash.len() == HASH_BYTES);
    let (Some(end), Some(hash)) = (end, hash) else { return Err("Bad URL hash") };
    mac(uri.path(), end).verify_truncated_left(&hash).map_err(|_| "URL signature mismatch")?;
    if now < end { Ok(()) } else { Err("URL signature expired") }
}

/// Serves the file behind a link.
pub async fn file(State(services): Shared, Path((id, file)): Path<(String, String)>, uri: Uri) -> Response {
    if let Err(why) = check(&uri, services.options.unix_now()) {
        services.books.write(|ledger| ledger.mapillary.denied += 1);
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let shot = services.catalogue.find(&services.world, &id);
    match shot.and_then(|shot| Some((width(&file, &shot)?, shot))) {
        Some((width, shot)) => jpeg(&services, shot, width).await,
        None => (StatusCode::NOT_FOUND, "Not Found").into_response(),
    }
}

/// The width that a file name asks for.
fn width(file: &str, shot: &Shot) -> Option<u32> {
    match file.strip_suffix(".jpg")? {
        ORIGINAL => Some(shot.camera.size.0),
        width => width.parse().ok().filter(|width| WIDTHS.contains(width)),
    }
}

async fn jpeg(services: &Services, shot: Shot, width: u32) -> Response {
    let item = format!("{} width={width}", shot.id);
    let books = services.books.clone();
    let sold = move || books.write(|ledger| *ledger.mapillary.thumbs.entry(item).or_default() += 1);
    let picture = shot.picture(width);
    match services.studio.draw(shot.panorama, picture, sold).await {
        Ok(jpeg) => ([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response(),
        Err(error) => {
            tracing::error!(%error, "no Mapillary picture");
            services.books.write(|ledger| ledger.mapillary.failed += 1);
            (StatusCode::INTERNAL_SERVER_ERROR, "The drawn world could not draw this picture.").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_comes_back() {
        assert_eq!(decode_hex(&encode_hex(&[0, 10, 255])), Some(vec![0, 10, 255]));
        assert_eq!(decode_hex("0"), None);
        assert_eq!(decode_hex("zz"), None);
        assert_eq!(decode_hex("あ"), None);
    }
}
