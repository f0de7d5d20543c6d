//! Recurring schedules: those made at run time, and those that functions declare.

use dacapo_core::port::{PortError, PortResult};
use dacapo_domain::{Fire, Message, Schedule};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Database,
    queues::enqueue_or_keep,
    rows::{Rows, WorkError, document, execute, first, millis, query, unreadable, value},
};

/// A schedule that is due, or that was just put and whose first fire is to be found.
#[derive(Clone, Debug, PartialEq)]
pub struct DueSchedule {
    /// The schedule's name.
    pub name: String,
    /// The function it fires at.
    pub function: String,
    /// The times of its fires.
    pub schedule: Schedule,
    /// The time at which it was put: `every` counts from here.
    pub put_at: Timestamp,
    /// The time that has come; `None` where the first is not known yet.
    pub due: Option<Timestamp>,
    document: String,
}

/// A schedule as the manifest declares it.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) function: String,
    pub(super) schedule: Schedule,
}

/// Makes the declared schedules these. One with the same times as before keeps its next fire, whatever its options.
pub(super) fn declare(connection: &Connection, declared: &[Declared], now: i64) -> Result<(), WorkError> {
    const PUT: &str = "INSERT INTO schedules (name, function, schedule, declared, put_at, next_fire)
        VALUES (?1, ?2, ?3, 1, ?4, 0)
        ON CONFLICT DO UPDATE SET function = excluded.function, schedule = excluded.schedule, declared = 1, is_aside = 0,
            put_at = iif(?5, put_at, excluded.put_at), next_fire = iif(?5, next_fire, 0)";
    let there = query(connection, "SELECT name FROM schedules WHERE declared = 1", [], |row| row.get::<_, String>(0))?;
    for name in there.iter().filter(|name| !declared.iter().any(|declared| declared.name == **name)) {
        execute(connection, "DELETE FROM schedules WHERE name = ?1", [name])?;
    }
    for Declared { name, function, schedule } in declared {
        const FORMER: &str = "SELECT schedule FROM schedules WHERE name = ?1 AND declared = 1";
        let former = query(connection, FORMER, [name], |row| row.get::<_, String>(0))?;
        let former = former.first().and_then(|former| value::<Schedule>("a schedule", former).ok());
        let is_same = former.is_some_and(|former| former.has_same_times(schedule));
        execute(connection, PUT, params![name, function, document("a schedule", schedule)?, now, is_same])?;
    }
    Ok(())
}

/// The next time at which a schedule fires whose function is served or gone; 0 where a first fire is not known yet.
pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    const SQL: &str = "SELECT next_fire FROM schedules WHERE next_fire IS NOT NULL AND NOT is_aside
        AND NOT EXISTS (SELECT 1 FROM queues WHERE queues.name = function AND NOT is_served) ORDER BY next_fire LIMIT 1";
    first(connection, SQL, [], |row| row.get(0))
}

/// Gives the schedules whose time has come, the longest due first, and those whose first fire is not known yet. One that
/// can't be read is put aside until the engine [recovers](Database::recover) or it is put again.
pub(super) fn take(connection: &Connection, now: i64) -> rusqlite::Result<Rows<DueSchedule>> {
    const DUE: &str = "SELECT name, function, schedule, put_at, next_fire FROM schedules
        WHERE next_fire <= ?1 AND NOT is_aside
        AND NOT EXISTS (SELECT 1 FROM queues WHERE queues.name = function AND NOT is_served) ORDER BY next_fire, name";
    const ASIDE: &str = "UPDATE schedules SET is_aside = 1 WHERE name = ?1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?, row.get(4)?));
    let (mut due, mut unreadable) = (vec![], vec![]);
    for (name, function, document, put_at, next) in query(connection, DUE, [now], read)? {
        let times =
            || Ok((value("its times", &document)?, exact(put_at)?, (next != 0).then(|| exact(next)).transpose()?));
        match times() {
            Ok((schedule, put_at, fire)) => {
                due.push(DueSchedule { name, function, schedule, put_at, due: fire, document });
            }
            Err::<_, PortError>(error) => {
                execute(connection, ASIDE, [&name])?;
                unreadable.push(format!(
                    "the schedule {name} is put aside and doesn't fire: {error} (start the build that made it, or put it again)"
                ));
            }
        }
    }
    Ok(Rows { read: due, unreadable })
}

/// A time that is told again as it was stored.
fn exact(millis: i64) -> PortResult<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|error| unreadable("a time", error))
}

/// Creates or replaces a schedule; its first fire is found anew.
pub(super) fn put(
    connection: &Connection,
    name: &str,
    function: &str,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<(), WorkError> {
    const SQL: &str = "INSERT OR REPLACE INTO schedules (name, function, schedule, declared, put_at, next_fire)
        VALUES (?1, ?2, ?3, 0, ?4, 0)";
    let document = document("a schedule", schedule)?;
    execute(connection, SQL, params![name, function, document, millis(now)])?;
    Ok(())
}

/// Deletes a schedule that was put, if it is there. A declared one of its name stays, as on AWS, where it is another.
pub(super) fn delete(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    execute(connection, "DELETE FROM schedules WHERE name = ?1 AND declared = 0", [name]).map(drop)
}

impl Database {
    /// Sends a fire for each of these times to the schedule's function, and notes when it is due next (`None`:
    /// never again), in one transaction. Nothing happens where the schedule was replaced, deleted or fired since
    /// it was given; says whether it was as given.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn fire_schedule(
        &self,
        due: &DueSchedule,
        fires: &[Timestamp],
        next: Option<Timestamp>,
    ) -> PortResult<bool> {
        const SQL: &str =
            "UPDATE schedules SET next_fire = ?5 WHERE name = ?1 AND schedule = ?2 AND put_at = ?3 AND next_fire = ?4";
        let (due, now) = (due.clone(), millis(self.now()));
        let fire = |time: &Timestamp| Message::Fire(Fire { schedule: due.name.clone(), time: *time }).to_text();
        let (messages, next): (Vec<_>, _) = (fires.iter().map(fire).collect(), next.map(millis));
        self.call_and_wake(move |connection| {
            let (put_at, seen) = (millis(due.put_at), due.due.map_or(0, millis));
            if execute(connection, SQL, params![due.name, due.document, put_at, seen, next])? == 0 {
                return Ok(false);
            }
            for message in &messages {
                enqueue_or_keep(connection, &due.function, message, now)?;
            }
            Ok(true)
        })
        .await
    }
}
