//! Rows of the pictures that lie in the dataset's folder.

use jiff::Timestamp;
use sqlx::{Connection as _, Sqlite, Transaction};

use super::row::named;
use super::sightings::Place;
use super::spend::{item, look_key, settle_one};
use super::{Store, StoreError, moment, ms, relax};
use crate::domain::imagery::Sighting;
use crate::domain::spend::{Item, PurchaseId, RunId, Settlement};
use crate::domain::{Coordinate, Split};

/// A picture, by its number in the database: later ones have larger numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageId(pub i64);

/// A picture whose file is in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImage {
    /// SHA-256 of the file, lower-case hexadecimal digits.
    pub sha256: String,
    /// End of the file's name: `jpg`, `png` or `webp`.
    pub format: String,
    /// What it is a picture of; its sighting was noted before.
    pub item: Item,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// The run that fetched it.
    pub run: RunId,
    /// The reservation that it was bought by, which is settled as billed along with it.
    pub purchase: Option<PurchaseId>,
}

/// What became of a new picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is in the dataset now.
    New(ImageId),
    /// The dataset had a picture of the same item.
    Known,
    /// The dataset had the very same file of another item.
    Same,
}

/// A picture in the dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredImage {
    /// Its number.
    pub id: ImageId,
    /// SHA-256 of the file, lower-case hexadecimal digits.
    pub sha256: String,
    /// End of the file's name: `jpg`, `png` or `webp`.
    pub format: String,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// What it is a picture of.
    pub item: Item,
    /// What its source says.
    pub sighting: Sighting,
    /// Where it was taken.
    pub place: Place,
    /// The split of the place.
    pub split: Split,
    /// When it was collected.
    pub collected_at: Timestamp,
    /// The run that collected it.
    pub run: RunId,
}

impl StoredImage {
    /// Compass direction of the picture, degrees, 0 to 360, where it is known.
    #[must_use]
    pub fn heading(&self) -> Option<f32> {
        self.item.look.map(|look| f32::from(look.heading)).or(self.sighting.heading)
    }
}

/// How many pictures there are of a town and month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSum {
    /// The town.
    pub place: Place,
    /// Its split.
    pub split: Split,
    /// Month of capture, `2024-05`; empty when the source does not say.
    pub month: String,
    /// Pictures.
    pub images: u64,
    /// Their files together, bytes.
    pub bytes: u64,
}

impl Store {
    /// Keeps rows of pictures, and settles their purchases as billed, in one transaction that is on the disk before
    /// this returns.
    ///
    /// # Errors
    /// When the database fails, and for an item that was never seen; then nothing is kept.
    pub async fn keep_images(&self, new: &[NewImage], now: Timestamp) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(new.len());
        let mut db = self.durable().await?;
        let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
        for image in new {
            kept.push(keep_one(&mut tx, image, ms(now)).await?);
            if let Some(purchase) = image.purchase {
                settle_one(&mut tx, purchase, Settlement::Billed, ms(now)).await?;
            }
        }
        tx.commit().await?;
        relax(&mut db).await?;
        Ok(kept)
    }

    /// Up to `count` pictures with larger numbers than `after`, in their order: page through with the last one's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn images_after(&self, after: Option<ImageId>, count: u32) -> Result<Vec<StoredImage>, StoreError> {
        let after = after.map_or(i64::MIN, |id| id.0);
        let rows = sqlx::query_as!(
            ImageRow,
            "SELECT i.id, i.sha256, i.format, i.source, i.image, i.look, i.bytes, i.width, i.height, i.collected_at,
                    i.run_id, s.lat, s.lng, s.captured, s.heading, s.attribution, s.licence, s.link,
                    p.area, p.town, p.split
             FROM images AS i JOIN sightings AS s ON s.source = i.source AND s.id = i.image
                  JOIN places AS p ON p.id = s.place_id
             WHERE i.id > ? ORDER BY i.id LIMIT ?",
            after,
            count
        );
        rows.fetch_all(&self.reader).await?.into_iter().map(ImageRow::into_image).collect()
    }

    /// Number, hash and end of name of the pictures whose hashes begin so, by hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn images_of_shard(&self, prefix: &str) -> Result<Vec<(ImageId, String, String)>, StoreError> {
        // `g` follows the last hexadecimal digit.
        let end = format!("{prefix}g");
        let rows = sqlx::query!(
            "SELECT id, sha256, format FROM images WHERE sha256 >= ? AND sha256 < ? ORDER BY sha256",
            prefix,
            end
        );
        let rows = rows.fetch_all(&self.reader).await?;
        Ok(rows.into_iter().map(|row| (ImageId(row.id), row.sha256, row.format)).collect())
    }

    /// Removes the row of a picture whose file is gone or damaged. What was paid for stays paid for, and is not bought
    /// again before [`Store::buy_gone_again`]; what was free may be fetched again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_image(&self, id: ImageId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        // The first two conditions follow from the others: they are those of the index, which SQLite takes only so.
        let gone = sqlx::query!(
            "UPDATE purchases SET gone = CASE price WHEN 0 THEN 2 ELSE 1 END
             WHERE (source, image, look) = (SELECT source, image, look FROM images WHERE id = ?)
                   AND state <> 'free' AND gone < 2 AND state = 'billed' AND gone = 0",
            id.0
        );
        gone.execute(&mut *tx).await?;
        sqlx::query!("DELETE FROM images WHERE id = ?", id.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// How many pictures there are, by area, town and month, in this order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn image_sums(&self) -> Result<Vec<ImageSum>, StoreError> {
        let rows = sqlx::query!(
            "SELECT p.area, p.town, p.split, n.month, n.images, n.bytes
             FROM image_sums AS n JOIN places AS p ON p.id = n.place_id
             WHERE n.images > 0 ORDER BY p.area, p.town, n.month"
        );
        let sum = |area, town, split: &str, month, images: i64, bytes: i64| {
            let (images, bytes) = (images.unsigned_abs(), bytes.unsigned_abs());
            Ok(ImageSum { place: Place { area, town }, split: named(split)?, month, images, bytes })
        };
        let rows = rows.fetch_all(&self.reader).await?.into_iter();
        rows.map(|row| sum(row.area, row.town, &row.split, row.month, row.images, row.bytes)).collect()
    }
}

async fn keep_one(tx: &mut Transaction<'_, Sqlite>, image: &NewImage, now: i64) -> Result<Kept, StoreError> {
    let (source, look, bytes) = (image.item.source.name(), look_key(&image.item), image.bytes.cast_signed());
    let (width, height) = image.size;
    let new = sqlx::query!(
        "INSERT INTO images (sha256, format, source, image, look, bytes, width, height, collected_at, run_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        image.sha256,
        image.format,
        source,
        image.item.image,
        look,
        bytes,
        width,
        height,
        now,
        image.run.0
    );
    let new = new.execute(&mut **tx).await?;
    if new.rows_affected() > 0 {
        return Ok(Kept::New(ImageId(new.last_insert_rowid())));
    }
    let known = sqlx::query_scalar!(
        "SELECT id FROM images WHERE source = ? AND image = ? AND look = ?",
        source,
        image.item.image,
        look
    );
    Ok(if known.fetch_optional(&mut **tx).await?.is_some() { Kept::Known } else { Kept::Same })
}

/// A row of `images` with its sighting and place.
struct ImageRow {
    id: i64,
    sha256: String,
    format: String,
    source: String,
    image: String,
    look: String,
    bytes: i64,
    width: i64,
    height: i64,
    collected_at: i64,
    run_id: i64,
    lat: f64,
    lng: f64,
    captured: Option<String>,
    heading: Option<f64>,
    attribution: String,
    licence: String,
    link: Option<String>,
    area: String,
    town: String,
    split: String,
}

impl ImageRow {
    fn into_image(self) -> Result<StoredImage, StoreError> {
        let item = item(&self.source, self.image, &self.look)?;
        let side =
            |side: i64| u32::try_from(side).map_err(|_| StoreError::Content(format!("a picture {side} pixels wide")));
        let sighting = Sighting {
            source: item.source,
            id: item.image.clone(),
            position: Coordinate { lat: self.lat, lng: self.lng },
            captured: self.captured,
            heading: self.heading.map(|heading| heading as f32),
            attribution: self.attribution,
            licence: self.licence,
            link: self.link,
        };
        Ok(StoredImage {
            id: ImageId(self.id),
            sha256: self.sha256,
            format: self.format,
            bytes: self.bytes.unsigned_abs(),
            size: (side(self.width)?, side(self.height)?),
            item,
            sighting,
            place: Place { area: self.area, town: self.town },
            split: named(&self.split)?,
            collected_at: moment(self.collected_at)?,
            run: RunId(self.run_id),
        })
    }
}
