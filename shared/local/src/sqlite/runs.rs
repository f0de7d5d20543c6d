//! Runs: created once, replaced by whoever has seen the last version.

use dacapo::port::{Created, Payloads, PortResult, Saved, Stored, Watched};
use dacapo_domain::{Id, Json, Run};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Database,
    error::unreadable,
    expiry, keys,
    rows::{PayloadRow, RunRow, bits, document, execute, first, millis, query},
};

/// What is stored of a run, as columns.
struct Columns {
    id: String,
    name: String,
    state: &'static str,
    version: i64,
    due_at: i64,
    watch_at: Option<i64>,
    ttl: Option<i64>,
    document: String,
}

impl Columns {
    fn of(run: &Run) -> PortResult<Self> {
        Ok(Self {
            id: run.id.to_string(),
            name: run.name.clone(),
            state: run.state.name(),
            version: bits(run.version),
            due_at: millis(run.due_at),
            watch_at: run.watch_at.map(millis),
            ttl: run.ttl,
            document: document("a run", run)?,
        })
    }

    /// Inserts the run; says whether there was none of its id.
    fn insert(&self, connection: &Connection, body: &str) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO runs (id, name, state, version, due_at, watch_at, ttl, document, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let (id, name, state, version) = (&self.id, &self.name, self.state, self.version);
        let (due_at, watch_at, ttl, document) = (self.due_at, self.watch_at, self.ttl, &self.document);
        let rows = execute(connection, sql, params![id, name, state, version, due_at, watch_at, ttl, document, body])?;
        Ok(rows == 1)
    }

    /// Replaces the record of this version, unless it has expired; gives its payloads as they are then.
    ///
    /// Two plain statements: RETURNING builds a temporary table, which costs more than the second.
    fn update(
        &self,
        connection: &Connection,
        seen: i64,
        payloads: &Payloads,
        now: i64,
    ) -> rusqlite::Result<Option<PayloadRow>> {
        const UPDATE: &str = "UPDATE runs SET state = ?3, version = ?4, due_at = ?5, watch_at = ?6, ttl = ?7,
                document = ?8, input = coalesce(?9, input), result = coalesce(?10, result)
            WHERE id = ?1 AND version = ?2 AND (ttl IS NULL OR ttl > ?11)";
        const PAYLOADS: &str = "SELECT body, input, result FROM runs WHERE id = ?1";
        let (id, state, version) = (&self.id, self.state, self.version);
        let (due_at, watch_at, ttl, document) = (self.due_at, self.watch_at, self.ttl, &self.document);
        let (input, result) = (payloads.input.as_ref().map(Json::text), payloads.result.as_ref().map(Json::text));
        let params = params![id, seen, state, version, due_at, watch_at, ttl, document, input, result, now];
        if execute(connection, UPDATE, params)? == 0 {
            return Ok(None);
        }
        first(connection, PAYLOADS, [id], PayloadRow::read)
    }
}

/// A run that has not expired. `now` is in Unix seconds.
pub(super) fn find(connection: &Connection, id: &str, now: i64) -> rusqlite::Result<Option<RunRow>> {
    const SQL: &str = "SELECT version, document, body, input, result FROM runs
        WHERE id = ?1 AND (ttl IS NULL OR ttl > ?2)";
    first(connection, SQL, params![id, now], RunRow::read)
}

impl Database {
    pub(super) async fn create_run(&self, run: &Run, body: &Json, key_until: Option<Timestamp>) -> PortResult<Created> {
        let (columns, body, now) = (Columns::of(run)?, body.text().to_owned(), self.now());
        let key = run.key.clone();
        let existing = self.call(move |connection| {
            let seconds = now.as_second();
            if let Some(key) = &key {
                if let Some(row) = find(connection, &columns.id, seconds)? {
                    return Ok(Some(row));
                }
                if let Some(holder) = keys::holder(connection, &columns.name, key, now)? {
                    return Ok(Some(holder));
                }
            }
            if !columns.insert(connection, &body)? {
                if let Some(row) = find(connection, &columns.id, seconds)? {
                    return Ok(Some(row));
                }
                // What stands there has expired.
                expiry::forget_run(connection, &columns.id)?;
                columns.insert(connection, &body)?;
            }
            if let Some(key) = &key {
                keys::take(connection, &columns.name, key, &columns.id, key_until)?;
            }
            Ok(None)
        });
        Ok(match existing.await? {
            None => Created::New,
            // Tried again after a lost reply: it was stored already.
            Some(row) if row.version == bits(run.version) => Created::New,
            Some(row) => Created::Exists(row.run()?),
        })
    }

    pub(super) async fn load_run(&self, id: Id) -> PortResult<Option<Stored>> {
        let (id, now) = (id.to_string(), self.now().as_second());
        let row = self.call(move |connection| Ok(find(connection, &id, now)?));
        row.await?.map(RunRow::stored).transpose()
    }

    pub(super) async fn save_run(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved> {
        let (mut columns, mut next, payloads) = (Columns::of(next)?, next.clone(), payloads.clone());
        let (seen, won, now) = (bits(seen.version), bits(next.version), self.now().as_second());
        let saved = self.call(move |connection| {
            if let Some(end) = keys::prolongs(connection, &next)? {
                next.ttl = Some(end);
                columns = Columns::of(&next)?;
            }
            Ok(match columns.update(connection, seen, &payloads, now)? {
                Some(payloads) => Ok((next, payloads)),
                None => Err(find(connection, &columns.id, now)?),
            })
        });
        Ok(match saved.await? {
            Ok((run, payloads)) => Saved::Done(Box::new(payloads.stored(run)?)),
            // Tried again after a lost reply: it has won already.
            Err(Some(row)) if row.version == won => Saved::Done(Box::new(row.stored()?)),
            Err(row) => Saved::Lost(row.map(|row| row.stored().map(Box::new)).transpose()?),
        })
    }

    pub(super) async fn list_overdue(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Watched>> {
        const SQL: &str = "
            SELECT watch_at, id, 0 FROM runs WHERE watch_at <= ?1 AND (ttl IS NULL OR ttl > ?2)
            UNION ALL
            SELECT watch_at, key, 1 FROM deliveries WHERE watch_at <= ?1 AND (ttl IS NULL OR ttl > ?2)
            ORDER BY 1 LIMIT ?3";
        let (until, seconds) = (millis(now), self.now().as_second());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.call(move |connection| {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(1)?, row.get::<_, bool>(2)?));
            Ok(query(connection, SQL, params![until, seconds, limit], read)?)
        });
        let watched = |(key, is_delivery): (String, bool)| {
            if is_delivery {
                return Ok(Watched::Delivery(key));
            }
            key.parse().map(Watched::Run).map_err(|error| unreadable("a run's id", error))
        };
        rows.await?.into_iter().map(watched).collect()
    }
}
