//! Planned points that were asked, and the panoramas and images that were seen there.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};

use super::row::named;
use super::{Store, StoreError, ms};
use crate::domain::imagery::{Sighting, Source};
use crate::domain::{Coordinate, Split};

/// A town of an area: what lies in one split.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Full Japanese name of the area.
    pub area: String,
    /// The town (字); empty where the area is not divided.
    pub town: String,
}

/// A planned point.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedPoint {
    /// Who was asked.
    pub source: Source,
    /// Its town.
    pub place: Place,
    /// Its number within the town, from 0.
    pub number: u32,
    /// Where it is.
    pub position: Coordinate,
}

/// What came of asking at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointOutcome {
    /// Imagery that no other point had seen.
    Found,
    /// There is no imagery.
    Nothing,
    /// What there is lies outside the border.
    Outside,
    /// What there is was seen from another point.
    Known,
}

impl PointOutcome {
    const ALL: [Self; 4] = [Self::Found, Self::Nothing, Self::Outside, Self::Known];

    /// Lower-case name, as in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Nothing => "nothing",
            Self::Outside => "outside",
            Self::Known => "known",
        }
    }
}

impl std::str::FromStr for PointOutcome {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == s).ok_or_else(|| format!("`{s}` is no outcome"))
    }
}

/// A panorama or image with the place in which it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What the source says of it.
    pub sighting: Sighting,
    /// Where it was taken, which may be another town than the point's.
    pub place: Place,
}

/// A point that was asked before.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPoint {
    /// Its number within the town, from 0.
    pub number: u32,
    /// Where it was.
    pub position: Coordinate,
    /// What came of it.
    pub outcome: PointOutcome,
    /// What was seen first from there.
    pub seen: Vec<Seen>,
}

/// How many points of an area a source was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaPoints {
    /// Full Japanese name of the area.
    pub area: String,
    /// Points that were asked about.
    pub asked: u64,
    /// Points among them at which imagery was found that no other point had seen.
    pub found: u64,
}

impl Store {
    /// How many points a source was asked about, by area.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn points_by_area(&self, source: Source) -> Result<Vec<AreaPoints>, StoreError> {
        let name = source.name();
        // CROSS JOIN: SQLite then begins with the source's points, and not with all towns there are.
        let rows = sqlx::query!(
            "SELECT p.area, COUNT(*) AS \"asked!: i64\", SUM(n.outcome = 'found') AS \"found!: i64\"
             FROM points AS n CROSS JOIN places AS p ON p.id = n.place_id WHERE n.source = ? GROUP BY p.area",
            name
        );
        let rows = rows.fetch_all(&self.reader).await?.into_iter();
        let points = |area, asked: i64, found: i64| {
            let (asked, found) = (asked.unsigned_abs(), found.unsigned_abs());
            AreaPoints { area, asked, found }
        };
        Ok(rows.map(|row| points(row.area, row.asked, row.found)).collect())
    }

    /// Notes what came of asking at a point. `outcome` is what the answer says by itself; when every one of `seen` was
    /// seen before it is [`PointOutcome::Known`] instead. Returns the outcome that was noted and those of `seen` that
    /// now belong to the point: the others belong to another one and must not be fetched for this.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_point(
        &self,
        point: &AskedPoint,
        outcome: PointOutcome,
        seen: Vec<Seen>,
        now: Timestamp,
    ) -> Result<(PointOutcome, Vec<Seen>), StoreError> {
        let mut tx = self.write().await?;
        let of = place_id(&mut tx, &point.place).await?;
        let mut own = Vec::new();
        for one in seen {
            if claim(&mut tx, &one, Some((of, point.number))).await? {
                own.push(one);
            }
        }
        let outcome = if outcome == PointOutcome::Found && own.is_empty() { PointOutcome::Known } else { outcome };
        let (source, number, outcome_name, now) = (point.source.name(), point.number, outcome.name(), ms(now));
        let note = sqlx::query!(
            "INSERT INTO points (source, place_id, number, lat, lng, outcome, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET lat = excluded.lat, lng = excluded.lng, outcome = excluded.outcome,
                 asked_at = excluded.asked_at",
            source,
            of,
            number,
            point.position.lat,
            point.position.lng,
            outcome_name,
            now
        );
        note.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok((outcome, own))
    }

    /// Notes an image that no point was asked for, as those in folders. Whether it is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_sighting(&self, seen: &Seen) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let new = claim(&mut tx, seen, None).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// The points of a town that a source was asked about, by their numbers, with what was seen first from each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_points(&self, source: Source, place: &Place) -> Result<Vec<KnownPoint>, StoreError> {
        let name = source.name();
        let mut db = self.reader.acquire().await?;
        let id = sqlx::query_scalar!("SELECT id FROM places WHERE area = ? AND town = ?", place.area, place.town);
        let Some(id) = id.fetch_optional(&mut *db).await? else { return Ok(Vec::new()) };
        let rows = sqlx::query!(
            "SELECT number, lat, lng, outcome FROM points WHERE source = ? AND place_id = ? ORDER BY number",
            name,
            id
        );
        let mut points = Vec::new();
        for row in rows.fetch_all(&mut *db).await? {
            points.push(KnownPoint {
                number: u32::try_from(row.number).unwrap_or(0),
                position: Coordinate { lat: row.lat, lng: row.lng },
                outcome: named(&row.outcome)?,
                seen: Vec::new(),
            });
        }
        let rows = sqlx::query!(
            "SELECT s.number AS \"number!\", s.id, s.lat, s.lng, s.captured, s.heading, s.attribution, s.licence, s.link,
                    p.area, p.town
             FROM sightings AS s JOIN places AS p ON p.id = s.place_id
             WHERE s.source = ? AND s.of_place_id = ? AND s.number IS NOT NULL ORDER BY s.number, s.id",
            name,
            id
        );
        for row in rows.fetch_all(&mut *db).await? {
            let number = u32::try_from(row.number).unwrap_or(0);
            let Ok(at) = points.binary_search_by_key(&number, |point| point.number) else { continue };
            let sighting = Sighting {
                source,
                id: row.id,
                position: Coordinate { lat: row.lat, lng: row.lng },
                captured: row.captured,
                heading: row.heading.map(|heading| heading as f32),
                attribution: row.attribution,
                licence: row.licence,
                link: row.link,
            };
            points[at].seen.push(Seen { sighting, place: Place { area: row.area, town: row.town } });
        }
        Ok(points)
    }
}

/// Stores a sighting for the point (its town's number, its own), unless it was seen before from elsewhere. Whether it
/// belongs to the point.
async fn claim(tx: &mut Transaction<'_, Sqlite>, seen: &Seen, of: Option<(i64, u32)>) -> Result<bool, StoreError> {
    let place = place_id(tx, &seen.place).await?;
    let Sighting { source, id, position, captured, heading, attribution, licence, link } = &seen.sighting;
    let (source, of_place, number) = (source.name(), of.map(|of| of.0), of.map(|of| of.1));
    let heading = heading.map(f64::from);
    let new = sqlx::query!(
        "INSERT INTO sightings (source, id, place_id, of_place_id, number, lat, lng, captured, heading, attribution,
             licence, link)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        source,
        id,
        place,
        of_place,
        number,
        position.lat,
        position.lng,
        captured,
        heading,
        attribution,
        licence,
        link
    );
    if new.execute(&mut **tx).await?.rows_affected() > 0 {
        return Ok(true);
    }
    let owner = sqlx::query!("SELECT of_place_id, number FROM sightings WHERE source = ? AND id = ?", source, id);
    let owner = owner.fetch_one(&mut **tx).await?;
    // A point that is asked again keeps what it had.
    Ok(of_place.is_some() && owner.of_place_id == of_place && owner.number == number.map(i64::from))
}

/// The number of a place; a new one gets its split, for ever.
async fn place_id(tx: &mut Transaction<'_, Sqlite>, place: &Place) -> Result<i64, StoreError> {
    let found = sqlx::query_scalar!("SELECT id FROM places WHERE area = ? AND town = ?", place.area, place.town);
    if let Some(id) = found.fetch_optional(&mut **tx).await? {
        return Ok(id);
    }
    let split = Split::of_place(&place.area, &place.town).name();
    let new = sqlx::query!("INSERT INTO places (area, town, split) VALUES (?, ?, ?)", place.area, place.town, split);
    Ok(new.execute(&mut **tx).await?.last_insert_rowid())
}
