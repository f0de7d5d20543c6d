//! Records: created once, replaced and deleted by the writer that has seen the last version.

use std::{borrow::Cow, collections::BTreeSet};

use async_trait::async_trait;
use dacapo_core::port::{PortResult, Records, Until};
use dacapo_domain::{
    Claim, Created, Effect, Header, Json, LogLine, OwnedQuery, Page, Payloads, Query, RecordKey, Saved, StoredRecord,
    Write,
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Database, entries, expiry,
    log::{BEHIND_ALL, LINES_AFTER, LINES_BEFORE},
    outbox, owned,
    rows::{WorkError, bits, execute, first, nanos, unreadable},
    stored::{PayloadColumns, PayloadRows, StoredRow, put_payloads},
};

/// A write as columns.
struct Row {
    key: String,
    version: i64,
    reconcile_at: Option<i64>,
    expires_at_s: Option<i64>,
    indexed: Option<String>,
    payloads: PayloadColumns,
    write: Write,
}

/// The columns that are compared with before a record is replaced.
struct Current {
    row: i64,
    version: i64,
    reconcile_at: Option<i64>,
    expires_at_s: Option<i64>,
    indexed: Option<String>,
    reconciled_among: String,
    payloads: PayloadColumns,
}

/// The reply to a create, as rows.
enum CreatedRow {
    New,
    Exists(StoredRow),
    Claimed(StoredRow),
}

/// The reply to a save, as rows.
enum SavedRow {
    Done(PayloadRows),
    Lost(Option<StoredRow>),
}

impl Row {
    fn of(write: &Write) -> PortResult<Self> {
        let Header { key, version, reconcile_at, expires_at_s } = &write.header;
        Ok(Self {
            key: key.to_string(),
            version: bits(*version),
            reconcile_at: reconcile_at.map(nanos),
            expires_at_s: *expires_at_s,
            indexed: entries::text(&write.index),
            payloads: PayloadColumns::new(&write.payloads)?,
            write: write.clone(),
        })
    }

    /// Stores a record of whose key there is none; says whether there was none.
    fn insert(&self, connection: &Connection) -> rusqlite::Result<bool> {
        const SQL: &str = "INSERT INTO records
            (key, version, reconcile_at, expires_at_s, indexed, document, payloads, has_large, owner, reconciled_among)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
        let Self { key, version, reconcile_at, expires_at_s, indexed, payloads, write } = self;
        let (document, PayloadColumns { text, has_large }) = (write.document.text(), payloads);
        let owner = &write.header.key.owner;
        let among = entries::reconciled_among(&write.index);
        let params =
            params![key, version, reconcile_at, expires_at_s, indexed, document, text, has_large, owner, among];
        if execute(connection, SQL, params)? == 0 {
            return Ok(false);
        }
        entries::add(connection, key, &write.index)?;
        put_payloads(connection, key, &write.payloads, false)?;
        Ok(true)
    }

    /// Replaces a record by this one; gives its payloads as they are then.
    ///
    /// Columns with an index are named only where they change: `SQLite` writes the index anew for each that is named. The
    /// expiry of one that stands beside another is that one's to move.
    fn update(&self, connection: &Connection, current: &Current) -> rusqlite::Result<PayloadColumns> {
        const DOCUMENT: &str =
            "UPDATE records SET version = ?2, document = ?3, payloads = ?4, has_large = ?5 WHERE rowid = ?1";
        const ALL: &str = "UPDATE records SET version = ?2, document = ?3, payloads = ?4, has_large = ?5,
            reconcile_at = ?6, expires_at_s = ?7, indexed = ?8, reconciled_among = ?9 WHERE rowid = ?1";
        let Self { key, version, reconcile_at, indexed, write, .. } = self;
        let is_owned = write.header.key.owner.is_some();
        let expires_at_s = if is_owned { current.expires_at_s } else { self.expires_at_s };
        let (row, document) = (current.row, write.document.text());
        let payloads = current.payloads.replaced(&write.payloads)?;
        let PayloadColumns { text, has_large } = &payloads;
        let is_indexed_as_before = *indexed == current.indexed;
        if !is_indexed_as_before {
            entries::replace(connection, key, current.indexed.as_deref(), &write.index)?;
        }
        let among = entries::reconciled_among(&write.index);
        let is_reconciled_as_before = *reconcile_at == current.reconcile_at && among == current.reconciled_among;
        if is_reconciled_as_before && is_indexed_as_before && expires_at_s == current.expires_at_s {
            execute(connection, DOCUMENT, params![row, version, document, text, has_large])?;
        } else {
            let params = params![row, version, document, text, has_large, reconcile_at, expires_at_s, indexed, among];
            execute(connection, ALL, params)?;
        }
        put_payloads(connection, key, &write.payloads, current.payloads.has_large)?;
        Ok(payloads)
    }

    /// Stores the record whatever was there.
    fn put(&self, connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        if self.insert(connection)? {
            return Ok(());
        }
        match Current::find(connection, &self.key, now)? {
            Some(current) => self.update(connection, &current).map(drop),
            None => {
                expiry::forget(connection, &self.key)?;
                self.insert(connection)?;
                Ok(())
            }
        }
    }
}

impl Current {
    fn find(connection: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<Self>> {
        const SQL: &str = "SELECT rowid, version, reconcile_at, expires_at_s, indexed, payloads, has_large,
            reconciled_among FROM records WHERE key = ?1";
        let found = first(connection, SQL, [key], |row| {
            let (version, reconcile_at, expires_at_s) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let (indexed, payloads) = (row.get(4)?, PayloadColumns::read(row, 5)?);
            let reconciled_among = row.get(7)?;
            Ok(Self { row: row.get(0)?, version, reconcile_at, expires_at_s, indexed, reconciled_among, payloads })
        })?;
        Ok(found.filter(|found| found.expires_at_s.is_none_or(|expires_at_s| expires_at_s > now.as_second())))
    }
}

/// Stores a new record and its claim, and what follows from them, or nothing.
fn create(
    connection: &Connection,
    row: &Row,
    claim: Option<&(Row, Option<i64>)>,
    now: Timestamp,
) -> rusqlite::Result<CreatedRow> {
    if let Some((claim, seen)) = claim {
        let holder = StoredRow::find(connection, &claim.key, now)?;
        match (StoredRow::find(connection, &row.key, now)?, holder) {
            // Tried again after a lost reply: both were stored already, and the record may have been replaced since.
            (Some(_), Some(holder)) if holder.version == claim.version => return Ok(CreatedRow::New),
            // Refused before anything is written.
            (Some(found), _) => return Ok(CreatedRow::Exists(found)),
            (None, Some(holder)) if Some(holder.version) != *seen => return Ok(CreatedRow::Claimed(holder)),
            (None, _) => {}
        }
    }
    if !row.insert(connection)? {
        if let Some(found) = StoredRow::find(connection, &row.key, now)? {
            return Ok(CreatedRow::Exists(found));
        }
        // What stands there has expired.
        expiry::forget(connection, &row.key)?;
        row.insert(connection)?;
    }
    outbox::follow(connection, &row.write.effects, now)?;
    if let Some((claim, _)) = claim {
        claim.put(connection, now)?;
        outbox::follow(connection, &claim.write.effects, now)?;
    }
    Ok(CreatedRow::New)
}

fn save(connection: &Connection, row: &Row, seen: i64, now: Timestamp) -> rusqlite::Result<SavedRow> {
    match Current::find(connection, &row.key, now)? {
        Some(current) if current.version == seen => {
            let payloads = row.update(connection, &current)?;
            owned::move_expiry(connection, &row.key, row.write.expiry_beside_s)?;
            outbox::follow(connection, &row.write.effects, now)?;
            Ok(SavedRow::Done(payloads.rows(connection, &row.key)?))
        }
        // Tried again after a lost reply: it has won already, and what follows has followed.
        Some(current) if current.version == row.version => {
            Ok(SavedRow::Done(current.payloads.rows(connection, &row.key)?))
        }
        Some(_) => Ok(SavedRow::Lost(StoredRow::find(connection, &row.key, now)?)),
        None => Ok(SavedRow::Lost(None)),
    }
}

/// Adds members to a set among a record's payloads; gives the record as it is then.
fn gather(
    connection: &Connection,
    key: &str,
    set: &str,
    members: Vec<String>,
    now: Timestamp,
) -> Result<Option<StoredRow>, WorkError> {
    const SQL: &str = "UPDATE records SET payloads = ?2, has_large = ?3 WHERE rowid = ?1";
    let Some(current) = Current::find(connection, key, now)? else { return Ok(None) };
    let stands = current.payloads.clone().rows(connection, key)?.payloads()?.members(set);
    let grown: BTreeSet<String> = stands.into_iter().chain(members).collect();
    let grown = Json::of(&grown).map_err(|error| unreadable("a set", error))?;
    let mut written = Payloads::none();
    written.set(Cow::Owned(set.to_owned()), Some(grown));
    let PayloadColumns { text, has_large } = current.payloads.replaced(&written)?;
    execute(connection, SQL, params![current.row, text, has_large])?;
    put_payloads(connection, key, &written, current.payloads.has_large)?;
    Ok(StoredRow::find(connection, key, now)?)
}

#[async_trait]
impl Records for Database {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        let (row, now) = (Row::of(write)?, self.now());
        let claim = claim.map(|claim| Ok((Row::of(&claim.write)?, claim.seen.map(bits)))).transpose()?;
        let claimed = claim.as_ref().map_or(&[][..], |(claim, _)| &claim.write.effects);
        let wakes = !write.effects.is_empty() || !claimed.is_empty();
        let version = row.version;
        let created =
            self.call_and_wake_if(wakes, move |connection| Ok(create(connection, &row, claim.as_ref(), now)?)).await?;
        Ok(match created {
            CreatedRow::New => Created::New,
            // Tried again after a lost reply: it was stored already.
            CreatedRow::Exists(found) if found.version == version => Created::New,
            CreatedRow::Exists(found) => Created::Exists(found.record()?),
            CreatedRow::Claimed(found) => Created::Claimed(found.record()?),
        })
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.found(&key.to_string()).await
    }

    async fn load_until(&self, key: &RecordKey, until: Until) -> PortResult<Option<StoredRecord>> {
        self.found_until(key, until).await
    }

    async fn peek(&self, of: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        let (texts, now): (Vec<String>, _) = (of.iter().map(RecordKey::to_string).collect(), self.now());
        let find = move |connection: &Connection| {
            let rows = texts.iter().filter_map(|key| StoredRow::find(connection, key, now).transpose());
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        };
        self.call(find).await?.into_iter().map(StoredRow::record).collect()
    }

    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        let (key, set, members, now) = (key.to_string(), set.to_owned(), members.to_vec(), self.now());
        let gathered = key.clone();
        let row = self.call(move |connection| gather(connection, &gathered, &set, members, now)).await?;
        self.listeners.tell(&key, false);
        row.map(StoredRow::record).transpose()
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        let (row, seen, now) = (Row::of(write)?, bits(seen.version), self.now());
        let wakes = !write.effects.is_empty();
        Ok(match self.call_and_wake_if(wakes, move |connection| Ok(save(connection, &row, seen, now)?)).await? {
            SavedRow::Done(rows) => {
                self.listeners.tell(&write.header.key.to_string(), Until::Ended.is_met_by(&write.header));
                Saved::Done(rows.payloads()?)
            }
            SavedRow::Lost(row) => Saved::Lost(row.map(StoredRow::record).transpose()?),
        })
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        let (key, seen, now) = (seen.key.to_string(), bits(seen.version), self.now());
        let (effects, gone) = (effects.to_vec(), key.clone());
        let deleted = self.call_and_wake_if(!effects.is_empty(), move |connection| {
            if Current::find(connection, &key, now)?.is_some_and(|current| current.version != seen) {
                return Ok(false);
            }
            expiry::forget(connection, &key)?;
            outbox::follow(connection, &effects, now)?;
            Ok(true)
        });
        let deleted = deleted.await?;
        if deleted {
            self.listeners.tell(&gone, true);
        }
        Ok(deleted)
    }

    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        let (key, seen, until) = (key.to_string(), nanos(seen), nanos(until));
        self.call(move |connection| {
            const SQL: &str = "UPDATE records SET reconcile_at = ?3 WHERE key = ?1 AND reconcile_at = ?2";
            Ok(execute(connection, SQL, params![key, seen, until])? > 0)
        })
        .await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.page(query).await
    }

    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        self.query_owned(query).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.add_lines(key, lines).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.lines(LINES_AFTER, key, after.unwrap_or_default(), limit).await
    }

    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.lines(LINES_BEFORE, key, before.unwrap_or(BEHIND_ALL), limit).await
    }
}
