//! Asks at points what there is, notes it, and hands it on to be fetched.

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use super::buyer::Job;
use super::{Halt, Inner, label};
use crate::collect::client::Client;
use crate::collect::folder::{self, Entry, Folder};
use crate::collect::look::looks;
use crate::collect::offer::Offer;
use crate::domain::Coordinate;
use crate::domain::imagery::{Sighting, Source};
use crate::domain::spend::Item;
use crate::store::{AskedPoint, KnownPoint, Place, PointOutcome, Seen};

/// Photos that are read at the same time, to be recognised.
const READS: usize = 4;

/// A point of the plan.
struct Point {
    area: usize,
    asked: AskedPoint,
    known: Option<KnownPoint>,
}

impl Inner {
    /// Asks everywhere. What was found goes to `found`, which is closed at the end.
    pub(super) async fn scout(&self, found: mpsc::Sender<Job>) {
        match &self.client {
            Client::StreetView(_) | Client::Mapillary(_) => self.scout_points(&found).await,
            Client::Folder(folder) => {
                if let Err(why) = self.scout_folder(folder, &found).await {
                    self.halt(why);
                }
            }
        }
    }

    async fn scout_points(&self, found: &mpsc::Sender<Job>) {
        let areas = self.order.plan.areas.iter().enumerate();
        let towns: Vec<(usize, usize)> =
            areas.flat_map(|(area, planned)| (0..planned.towns.len()).map(move |town| (area, town))).collect();
        let points = stream::iter(towns).then(|(area, town)| self.points_of(area, town));
        let points = points.flat_map(stream::iter).take_until(self.enough.cancelled());
        let asking = points.for_each_concurrent(self.order.concurrency, |point| async move {
            if let Err(why) = self.ask(point, found).await {
                self.halt(why);
            }
        });
        asking.await;
    }

    /// The points of a town, with what is known of them; none when the database fails, which halts the run.
    async fn points_of(&self, area: usize, town: usize) -> Vec<Point> {
        let planned = &self.order.plan.areas[area];
        let town = &planned.towns[town];
        let place = Place { area: planned.area.area.clone(), town: town.name.clone() };
        let known = match self.dataset.store().known_points(self.client.source(), &place).await {
            Ok(known) => known,
            Err(error) => {
                self.halt(error.into());
                return Vec::new();
            }
        };
        let source = self.client.source();
        let point = |(number, &position): (u32, &Coordinate)| {
            // Points that were planned elsewhere before, by another list of towns, are asked again.
            let known = known.iter().find(|known| known.number == number && known.position == position).cloned();
            Point { area, asked: AskedPoint { source, place: place.clone(), number, position }, known }
        };
        (0..).zip(&town.points).map(point).collect()
    }

    async fn ask(&self, point: Point, found: &mpsc::Sender<Job>) -> Result<(), Halt> {
        let Point { area, asked, known } = point;
        if let Some(known) = known {
            self.meter.asked(area, known.outcome);
            for seen in known.seen {
                self.hand_on(seen, None, found).await;
            }
            return Ok(());
        }
        let near = self.client.near(asked.position, self.order.density.search_radius_m);
        let offers = tokio::select! {
            // Asking is free: nothing is lost when nobody waits for the answer.
            () = self.enough.cancelled() => return Ok(()),
            offers = near => offers,
        };
        match offers {
            Ok(offers) => {
                self.succeeded();
                self.note(area, &asked, offers, found).await
            }
            Err(trouble) => {
                self.failed(trouble);
                Ok(())
            }
        }
    }

    /// Notes what a point offers: the first that lies in an area and that no other point has seen is its own.
    async fn note(
        &self,
        area: usize,
        asked: &AskedPoint,
        offers: Vec<Offer>,
        found: &mpsc::Sender<Job>,
    ) -> Result<(), Halt> {
        let nothing = if offers.is_empty() { PointOutcome::Nothing } else { PointOutcome::Outside };
        let mut noted = None;
        for offer in offers {
            let Some((_, place)) = label::place(&self.order.plan, offer.sighting.position) else { continue };
            let seen = Seen { sighting: offer.sighting.clone(), place };
            let (outcome, own) = self.note_point(asked, PointOutcome::Found, vec![seen]).await?;
            noted = Some(outcome);
            if let Some(own) = own.into_iter().next() {
                self.client.took(&offer);
                self.meter.asked(area, outcome);
                self.hand_on(own, offer.file, found).await;
                return Ok(());
            }
        }
        let outcome = match noted {
            Some(outcome) => outcome,
            None => self.note_point(asked, nothing, Vec::new()).await?.0,
        };
        self.meter.asked(area, outcome);
        Ok(())
    }

    async fn note_point(
        &self,
        point: &AskedPoint,
        outcome: PointOutcome,
        seen: Vec<Seen>,
    ) -> Result<(PointOutcome, Vec<Seen>), Halt> {
        Ok(self.dataset.store().note_point(point, outcome, seen, self.clock.now()).await?)
    }

    /// Has the pictures of a panorama or image fetched.
    async fn hand_on(&self, seen: Seen, file: Option<String>, found: &mpsc::Sender<Job>) {
        let Sighting { source, id, .. } = seen.sighting;
        let Some(area) = self.order.plan.areas.iter().position(|area| area.area.area == seen.place.area) else {
            // Seen when another plan had this area.
            return;
        };
        let looks = self.client.looks(|| looks(&self.order.density, &id));
        self.meter.wanted(area, looks.len());
        for look in looks {
            let job = Job { item: Item { source, image: id.clone(), look }, file: file.clone(), area };
            // Nobody receives any more when a picture's fetching panicked; then the run halts.
            if found.send(job).await.is_err() {
                return;
            }
        }
    }

    async fn scout_folder(&self, folder: &Folder, found: &mpsc::Sender<Job>) -> Result<(), Halt> {
        let folder = folder.clone();
        let entries = tokio::task::spawn_blocking(move || folder.entries()).await??;
        let entries = stream::iter(entries).take_until(self.enough.cancelled());
        let reading = entries.for_each_concurrent(READS, |entry| async move {
            if let Err(why) = self.recognise(entry, found).await {
                self.halt(why);
            }
        });
        reading.await;
        Ok(())
    }

    async fn recognise(&self, entry: Entry, found: &mpsc::Sender<Job>) -> Result<(), Halt> {
        let path = entry.path.clone();
        let photo = match tokio::task::spawn_blocking(move || folder::look(&path)).await? {
            Ok(photo) => photo,
            Err(error) => {
                tracing::warn!(path = %entry.path.display(), %error, "a photo is not read");
                self.meter.unplaced();
                return Ok(());
            }
        };
        let Some((area, place, position)) = label::photo(&self.order.plan, &entry, &photo) else {
            tracing::debug!(path = %entry.path.display(), "a photo lies in no area, or in another than its folder says");
            self.meter.unplaced();
            return Ok(());
        };
        let sighting = Sighting {
            source: Source::Folder,
            id: photo.id,
            position,
            captured: photo.captured,
            heading: photo.heading,
            attribution: photo.attribution,
            licence: folder::LICENCE.to_owned(),
            link: None,
        };
        let seen = Seen { sighting, place };
        let is_new = self.dataset.store().note_sighting(&seen).await?;
        self.meter.asked(area, if is_new { PointOutcome::Found } else { PointOutcome::Known });
        self.hand_on(seen, Some(entry.path.to_string_lossy().into_owned()), found).await;
        Ok(())
    }
}
