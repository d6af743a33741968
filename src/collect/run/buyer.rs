//! Fetches a picture: reserved before the call, settled after it.

use super::{Halt, Inner};
use crate::collect::dataset::{self, KeepError};
use crate::collect::picture::Picture;
use crate::collect::trouble::{Fetched, NoPicture};
use crate::domain::imagery::Micros;
use crate::domain::spend::{Item, PurchaseId, Refusal, Settlement, Taken};
use crate::store::Kept;

/// A picture that is to be fetched.
pub(super) struct Job {
    pub(super) item: Item,
    /// Where its file lies, if its source said so just now.
    pub(super) file: Option<String>,
    /// Number of the area in which it was taken.
    pub(super) area: usize,
}

impl Inner {
    /// Fetches a picture unless it is taken.
    pub(super) async fn buy(&self, job: Job) {
        if let Err(why) = self.try_buy(job).await {
            self.halt(why);
        }
    }

    async fn try_buy(&self, Job { item, file, area }: Job) -> Result<(), Halt> {
        // The semaphore is never closed.
        let Ok(hand) = self.hands.acquire().await else { return Ok(()) };
        if self.enough.is_cancelled() {
            return Ok(());
        }
        let purchase = match self.till.reserve(item.clone(), self.order.price).await? {
            Ok(purchase) => purchase,
            Err(Refusal::Taken(taken)) => {
                self.meter.taken(area, taken);
                return Ok(());
            }
            Err(refusal) => return Err(Halt::Cap(refusal)),
        };
        let Fetched { bill, picture } = self.client.picture(&item, file.as_deref()).await;
        drop(hand);
        match picture {
            Ok(picture) => self.keep(purchase, item, picture, bill, area).await?,
            Err(why) => self.without(purchase, &item, bill, why, area).await?,
        }
        self.note_spending(false).await;
        Ok(())
    }

    async fn keep(
        &self,
        purchase: PurchaseId,
        item: Item,
        picture: Picture,
        bill: Settlement,
        area: usize,
    ) -> Result<(), Halt> {
        self.succeeded();
        let Picture { bytes, width, height } = picture;
        let length = bytes.len() as u64;
        let picture = dataset::Picture { item, bytes, size: (width, height), run: self.run, purchase: Some(purchase) };
        match self.dataset.keep(picture).await {
            Ok(kept) => {
                self.meter.kept(area, matches!(kept, Kept::New(_)), length, self.clock.now());
                Ok(())
            }
            Err(KeepError::Format) => {
                self.till.settle(purchase, self.for_good(bill)).await?;
                self.meter.failed(area);
                Ok(())
            }
            Err(why) => {
                // It came and is billed, though there is no room for it.
                self.till.settle(purchase, bill).await?;
                Err(why.into())
            }
        }
    }

    async fn without(
        &self,
        purchase: PurchaseId,
        item: &Item,
        bill: Settlement,
        why: NoPicture,
        area: usize,
    ) -> Result<(), Halt> {
        let bill = if matches!(why, NoPicture::Trouble(_)) { bill } else { self.for_good(bill) };
        self.till.settle(purchase, bill).await?;
        match why {
            NoPicture::Trouble(trouble) => self.failed(trouble),
            why => {
                self.succeeded();
                tracing::debug!(image = item.image, %why, "no picture");
                self.meter.failed(area);
            }
        }
        Ok(())
    }

    /// What costs nothing and is no picture is entered as bought, so that nobody fetches it again.
    fn for_good(&self, bill: Settlement) -> Settlement {
        if self.order.price == Micros(0) { Settlement::Billed } else { bill }
    }
}

/// Whether a taken picture is in the dataset.
pub(super) fn is_kept(taken: Taken) -> bool {
    match taken {
        Taken::Kept => true,
        Taken::Paid | Taken::InDoubt => false,
    }
}
