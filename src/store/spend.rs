//! The ledger of what collecting costs: reserved before the call, settled after it, summed as it goes.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::row::named;
use super::{Store, StoreError, moment, ms, relax};
use crate::domain::imagery::{Micros, Source};
use crate::domain::spend::{Cap, Caps, Item, Period, PurchaseId, Refusal, RunId, Settlement, Spent, Taken};

/// A purchase whose end is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Its number.
    pub id: PurchaseId,
    /// The run that reserved it.
    pub run: RunId,
    /// What was being bought.
    pub item: Item,
    /// What it costs if it is billed.
    pub price: Micros,
    /// The day on which it counts.
    pub day: Date,
    /// When it was reserved.
    pub reserved_at: Timestamp,
    /// Whether the run knows that no answer came; else it was killed, or is running.
    pub lost: bool,
}

/// How a reconciliation changed the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// Pictures that were in doubt and are billed now.
    pub billed: u64,
    /// Pictures that were in doubt and are not billed now.
    pub not_billed: u64,
}

/// A number of images that the service cannot have billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{asked} images cannot be what the service billed: the ledger has {} that it billed for certain and {} in doubt, so \
     between {} and {}; check the source and the period, and that the service's figures are complete",
    spent.images_billed,
    spent.images_in_doubt,
    spent.images_billed,
    spent.images_billed + spent.images_in_doubt
)]
pub struct Implausible {
    /// The number.
    pub asked: u64,
    /// The ledger's own.
    pub spent: Spent,
}

impl Store {
    /// The run that collects a plan (by its fingerprint) from a source: the one that was begun and not ended, else a
    /// new one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_run(&self, source: Source, plan: &str, now: Timestamp) -> Result<RunId, StoreError> {
        let (source, now) = (source.name(), ms(now));
        let mut tx = self.write().await?;
        let found = sqlx::query_scalar!(
            "SELECT id FROM collect_runs WHERE source = ? AND plan = ? AND ended_at IS NULL",
            source,
            plan
        );
        let id = match found.fetch_optional(&mut *tx).await? {
            Some(id) => id,
            None => {
                let new = sqlx::query!(
                    "INSERT INTO collect_runs (source, plan, started_at) VALUES (?, ?, ?)",
                    source,
                    plan,
                    now
                );
                new.execute(&mut *tx).await?.last_insert_rowid()
            }
        };
        tx.commit().await?;
        Ok(RunId(id))
    }

    /// Ends a run: whoever collects its plan again begins a new one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_run(&self, run: RunId, now: Timestamp) -> Result<(), StoreError> {
        let now = ms(now);
        let end = sqlx::query!("UPDATE collect_runs SET ended_at = ? WHERE id = ? AND ended_at IS NULL", now, run.0);
        end.execute(&self.writer).await?;
        Ok(())
    }

    /// Reserves the money for pictures, one after the other, in one transaction that is on the disk before this
    /// returns. Days and months begin in `zone`. Each picture has its own answer: a reservation, or why it is not
    /// bought.
    ///
    /// A picture that costs nothing and whose buyer was killed is reserved again.
    ///
    /// # Errors
    /// When the database fails; then nothing is reserved.
    pub async fn reserve(
        &self,
        run: RunId,
        wanted: &[(Item, Micros)],
        caps: &Caps,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Vec<Result<PurchaseId, Refusal>>, StoreError> {
        let day = zone.to_datetime(now).date();
        let mut answers = Vec::with_capacity(wanted.len());
        let mut db = self.durable().await?;
        let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
        for (item, price) in wanted {
            answers.push(reserve_one(&mut tx, run, item, *price, caps, day, now).await?);
        }
        tx.commit().await?;
        relax(&mut db).await?;
        Ok(answers)
    }

    /// Settles purchases, on the disk before this returns. Those that are settled for good already stay as they are;
    /// a lost one may still be settled.
    ///
    /// # Errors
    /// When the database fails; then nothing is settled.
    pub async fn settle_purchases(&self, ends: &[(PurchaseId, Settlement)], now: Timestamp) -> Result<(), StoreError> {
        let mut db = self.durable().await?;
        let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
        for (id, end) in ends {
            settle_one(&mut tx, *id, *end, ms(now)).await?;
        }
        tx.commit().await?;
        relax(&mut db).await
    }

    /// What was spent in a time, at one source or at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spent(&self, period: Period, source: Option<Source>) -> Result<Spent, StoreError> {
        let mut db = self.reader.acquire().await?;
        spent(&mut db, period, source).await
    }

    /// Purchases whose end is not known, the oldest first: of runs that were killed, and of those that run now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn in_doubt(&self, source: Source) -> Result<Vec<Doubt>, StoreError> {
        let mut db = self.reader.acquire().await?;
        in_doubt(&mut db, source).await
    }

    /// How many pictures were paid for and are gone from the disk, and what they had cost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gone(&self) -> Result<(u64, Micros), StoreError> {
        let gone = sqlx::query!(
            "SELECT COUNT(*) AS \"images: i64\", COALESCE(SUM(price), 0) AS \"price: i64\" FROM purchases WHERE gone = 1"
        );
        let gone = gone.fetch_one(&self.reader).await?;
        Ok((gone.images.unsigned_abs(), Micros(gone.price)))
    }

    /// Lets the pictures of [`Store::gone`] be bought again, as purchases of their own within the caps; how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn buy_gone_again(&self) -> Result<u64, StoreError> {
        let again = sqlx::query!("UPDATE purchases SET gone = 2 WHERE gone = 1").execute(&self.writer).await?;
        Ok(again.rows_affected())
    }

    /// Settles what is in doubt by what the service says it billed: `billed` images of the source in the period. As
    /// nobody knows which of several they were, those that are not billed are not bought again, unless none was
    /// billed.
    ///
    /// No run may be collecting ([`Store::nobody_collects`]): what it is buying would be in doubt too.
    ///
    /// # Errors
    /// When the database fails; the inner error when the number cannot be true. Then nothing is changed.
    pub async fn reconcile(
        &self,
        source: Source,
        period: Period,
        billed: u64,
        now: Timestamp,
    ) -> Result<Result<Reconciled, Implausible>, StoreError> {
        let mut db = self.durable().await?;
        let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
        let spent = spent(&mut tx, period, Some(source)).await?;
        let Some(more) = billed.checked_sub(spent.images_billed).filter(|more| *more <= spent.images_in_doubt) else {
            return Ok(Err(Implausible { asked: billed, spent }));
        };
        let doubts = in_doubt(&mut tx, source).await?;
        let doubts = doubts.iter().filter(|doubt| is_within(doubt, period));
        for (index, doubt) in (0..).zip(doubts) {
            let state = match index < more {
                true => "billed",
                false if more == 0 => "free",
                false => "written_off",
            };
            set_state(&mut tx, doubt.id, state, ms(now)).await?;
        }
        tx.commit().await?;
        relax(&mut db).await?;
        Ok(Ok(Reconciled { billed: more, not_billed: spent.images_in_doubt - more }))
    }
}

fn is_within(doubt: &Doubt, period: Period) -> bool {
    match period {
        Period::All => true,
        Period::Run(run) => doubt.run == run,
        Period::Day(day) => doubt.day == day,
        Period::Month(month) => (doubt.day.year(), doubt.day.month()) == (month.year(), month.month()),
    }
}

/// The look as the ledger keys it.
pub(super) fn look_key(item: &Item) -> String {
    item.look.map(|look| look.to_string()).unwrap_or_default()
}

/// An item from its columns.
pub(super) fn item(source: &str, image: String, look: &str) -> Result<Item, StoreError> {
    let look = Some(look).filter(|look| !look.is_empty()).map(named).transpose()?;
    Ok(Item { source: named(source)?, image, look })
}

async fn reserve_one(
    tx: &mut Transaction<'_, Sqlite>,
    run: RunId,
    item: &Item,
    price: Micros,
    caps: &Caps,
    day: Date,
    now: Timestamp,
) -> Result<Result<PurchaseId, Refusal>, StoreError> {
    if let Some(taken) = taken(tx, item, price, now).await? {
        return Ok(Err(Refusal::Taken(taken)));
    }
    let mut used = [Micros(0); Cap::ALL.len()];
    for (used, cap) in used.iter_mut().zip(Cap::ALL) {
        let period = match cap {
            Cap::Run => Period::Run(run),
            Cap::Day => Period::Day(day),
            Cap::Month => Period::Month(day),
        };
        *used = spent(tx, period, None).await?.counted();
    }
    if let Some(refusal) = caps.refusal(used, price) {
        return Ok(Err(refusal));
    }
    let (source, look, day, now) = (item.source.name(), look_key(item), day.to_string(), ms(now));
    let new = sqlx::query!(
        "INSERT INTO purchases (run_id, source, image, look, price, day, state, reserved_at)
         VALUES (?, ?, ?, ?, ?, ?, 'open', ?)",
        run.0,
        source,
        item.image,
        look,
        price.0,
        day,
        now
    );
    Ok(Ok(PurchaseId(new.execute(&mut **tx).await?.last_insert_rowid())))
}

/// Whether a picture is not to be bought again. What cost nothing is given up, so that it may be.
async fn taken(
    tx: &mut Transaction<'_, Sqlite>,
    item: &Item,
    price: Micros,
    now: Timestamp,
) -> Result<Option<Taken>, StoreError> {
    let (source, look) = (item.source.name(), look_key(item));
    let kept = sqlx::query_scalar!(
        "SELECT id FROM images WHERE source = ? AND image = ? AND look = ?",
        source,
        item.image,
        look
    );
    if kept.fetch_optional(&mut **tx).await?.is_some() {
        return Ok(Some(Taken::Kept));
    }
    let bought = sqlx::query!(
        "SELECT id, price, state FROM purchases
         WHERE source = ? AND image = ? AND look = ? AND state <> 'free' AND gone < 2",
        source,
        item.image,
        look
    );
    let Some(bought) = bought.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let is_open = matches!(bought.state.as_str(), "open" | "lost");
    if is_open && bought.price == 0 && price == Micros(0) {
        set_state(tx, PurchaseId(bought.id), "free", ms(now)).await?;
        return Ok(None);
    }
    Ok(Some(if bought.state == "billed" { Taken::Paid } else { Taken::InDoubt }))
}

/// Settles one purchase, unless it is settled for good.
pub(super) async fn settle_one(
    tx: &mut Transaction<'_, Sqlite>,
    id: PurchaseId,
    end: Settlement,
    now: i64,
) -> Result<(), StoreError> {
    let state = match end {
        Settlement::Billed => "billed",
        Settlement::Free => "free",
        Settlement::Lost => "lost",
    };
    set_state(tx, id, state, now).await
}

async fn set_state(tx: &mut Transaction<'_, Sqlite>, id: PurchaseId, state: &str, now: i64) -> Result<(), StoreError> {
    let set = sqlx::query!(
        "UPDATE purchases SET state = ?, settled_at = ? WHERE id = ? AND state IN ('open', 'lost')",
        state,
        now,
        id.0
    );
    set.execute(&mut **tx).await?;
    Ok(())
}

async fn spent(db: &mut SqliteConnection, period: Period, source: Option<Source>) -> Result<Spent, StoreError> {
    let (period, source) = (period.to_string(), source.map(Source::name));
    let rows = sqlx::query!(
        "SELECT source, images_billed, images_in_doubt, billed, in_doubt FROM spend WHERE period = ?",
        period
    );
    let mut sum = Spent::default();
    for row in rows.fetch_all(&mut *db).await? {
        if source.is_none_or(|source| source == row.source) {
            sum.billed.0 = sum.billed.0.saturating_add(row.billed);
            sum.in_doubt.0 = sum.in_doubt.0.saturating_add(row.in_doubt);
            sum.images_billed += row.images_billed.unsigned_abs();
            sum.images_in_doubt += row.images_in_doubt.unsigned_abs();
        }
    }
    Ok(sum)
}

async fn in_doubt(db: &mut SqliteConnection, source: Source) -> Result<Vec<Doubt>, StoreError> {
    let source = source.name();
    let rows = sqlx::query!(
        "SELECT id, run_id, source, image, look, price, day, state, reserved_at FROM purchases
         WHERE source = ? AND state IN ('open', 'lost') ORDER BY id",
        source
    );
    let mut doubts = Vec::new();
    for row in rows.fetch_all(&mut *db).await? {
        doubts.push(Doubt {
            id: PurchaseId(row.id),
            run: RunId(row.run_id),
            item: item(&row.source, row.image, &row.look)?,
            price: Micros(row.price),
            day: row.day.parse().map_err(|_| StoreError::Content(format!("the impossible date {:?}", row.day)))?,
            reserved_at: moment(row.reserved_at)?,
            lost: row.state == "lost",
        });
    }
    Ok(doubts)
}
