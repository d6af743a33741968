//! Money: every picture is reserved before the call and settled after it.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::group::Group;
use crate::clock::SharedClock;
use crate::domain::imagery::Micros;
use crate::domain::spend::{Caps, Item, Period, PurchaseId, Refusal, RunId, Settlement, Spent};
use crate::store::{Store, StoreError};

type Reserved = Result<Result<PurchaseId, Refusal>, Arc<StoreError>>;
type Settled = Result<(), Arc<StoreError>>;

/// The till of one run; clones share it. Other runs and programs have their own over the same ledger: the caps hold
/// for all of them together.
#[derive(Clone)]
pub struct Till {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    run: RunId,
    clock: SharedClock,
    zone: TimeZone,
    reserve: Group<(Item, Micros), Reserved>,
    settle: Group<(PurchaseId, Settlement), Settled>,
}

impl Till {
    /// The till of a run; days and months begin in `zone`. Call it on a runtime.
    #[must_use]
    pub fn new(store: Store, run: RunId, caps: Caps, zone: TimeZone, clock: SharedClock) -> Self {
        let reserve = {
            let (store, zone, clock) = (store.clone(), zone.clone(), clock.clone());
            Group::start(move |wanted: Vec<(Item, Micros)>| {
                let (store, zone, now) = (store.clone(), zone.clone(), clock.now());
                async move {
                    let count = wanted.len();
                    each(store.reserve(run, &wanted, &caps, now, &zone).await, count)
                }
            })
        };
        let settle = {
            let (store, clock) = (store.clone(), clock.clone());
            Group::start(move |ends: Vec<(PurchaseId, Settlement)>| {
                let (store, now) = (store.clone(), clock.now());
                async move {
                    let count = ends.len();
                    each(store.settle_purchases(&ends, now).await.map(|()| vec![(); count]), count)
                }
            })
        };
        Self { inner: Arc::new(Inner { store, run, clock, zone, reserve, settle }) }
    }

    /// Reserves the price of a picture. Make the call only with the reservation in hand, and settle it after it
    /// ([`Till::settle`], or [`super::dataset::Dataset::keep`] along with the picture): one that is never settled
    /// counts as spent, and its picture is not bought again.
    ///
    /// # Errors
    /// When the database fails; the inner error says why the picture is not bought.
    pub async fn reserve(&self, item: Item, price: Micros) -> Reserved {
        self.inner.reserve.put((item, price)).await.unwrap_or_else(|| Err(gone()))
    }

    /// Settles a purchase without a picture.
    ///
    /// # Errors
    /// When the database fails; then it is as it was.
    pub async fn settle(&self, purchase: PurchaseId, end: Settlement) -> Settled {
        self.inner.settle.put((purchase, end)).await.unwrap_or_else(|| Err(gone()))
    }

    /// What the run, this day and this month have spent, all sources together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spent(&self) -> Result<[Spent; 3], StoreError> {
        let Inner { store, run, clock, zone, .. } = &*self.inner;
        let day = zone.to_datetime(clock.now()).date();
        let run = store.spent(Period::Run(*run), None).await?;
        Ok([run, store.spent(Period::Day(day), None).await?, store.spent(Period::Month(day), None).await?])
    }
}

/// The answer to each entry of a group, which stands or falls together.
pub(super) fn each<R>(group: Result<Vec<R>, StoreError>, count: usize) -> Vec<Result<R, Arc<StoreError>>> {
    match group {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) => {
            let error = Arc::new(error);
            (0..count).map(|_| Err(error.clone())).collect()
        }
    }
}

/// The task that commits has panicked.
pub(super) fn gone() -> Arc<StoreError> {
    Arc::new(StoreError::Content("nothing that can be written any more: writing panicked before".to_owned()))
}
