//! Idempotency keys, per task. A key is never freed: it is taken over, in the transaction that stores the new run.

use dacapo_domain::{Run, State};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    error::Failure,
    rows::{RunRow, execute, first, millis},
    runs,
};

/// The run that holds a key, unless the key may be taken over: its run failed or expired, its record is gone, or
/// the key's time has passed and its run has ended.
pub(super) fn holder(
    connection: &Connection,
    task: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<RunRow>, Failure> {
    const SQL: &str = "SELECT run, until FROM keys WHERE task = ?1 AND key = ?2";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?));
    let Some((id, until)) = first(connection, SQL, params![task, key], read)? else { return Ok(None) };
    let Some(row) = runs::find(connection, &id, now.as_second())? else { return Ok(None) };
    let state = row.run()?.state;
    let is_past = until.is_some_and(|until| until <= millis(now));
    let is_free = matches!(state, State::Failed | State::Expired) || is_past && state.is_final();
    Ok((!is_free).then_some(row))
}

/// Gives a key to a run, until a time or for as long as the run's record is kept.
pub(super) fn take(
    connection: &Connection,
    task: &str,
    key: &str,
    run: &str,
    until: Option<Timestamp>,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO keys (task, key, run, until) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET run = excluded.run, until = excluded.until";
    execute(connection, SQL, params![task, key, run, until.map(millis)]).map(drop)
}

/// When the record of a run that has ended may go, in Unix seconds, where its key makes that later: a key can be
/// judged by its run's record alone, which therefore lives as long.
pub(super) fn prolongs(connection: &Connection, run: &Run) -> rusqlite::Result<Option<i64>> {
    const SQL: &str = "SELECT until FROM keys WHERE task = ?1 AND key = ?2 AND run = ?3";
    let (Some(key), Some(ttl)) = (&run.key, run.ttl) else { return Ok(None) };
    let until = first(connection, SQL, params![run.name, key, run.id.to_string()], |row| row.get::<_, Option<i64>>(0))?;
    // Rounded up to whole seconds.
    Ok(until.flatten().map(|until| (until + 999).div_euclid(1_000)).filter(|end| *end > ttl))
}
