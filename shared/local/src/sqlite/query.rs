//! Pages of an index.

use std::collections::HashSet;

use dacapo_core::port::PortResult;
use dacapo_domain::{Index, IndexEntry, Page, Query, StoredRecord, Unreadable, sort_time};
use jiff::Timestamp;
use rusqlite::{Connection, Row, Rows, params, types::Value};

use super::{
    Database,
    rows::{exactly, first, is_of_another_type, unreadable},
    stored::StoredRow,
};

/// Entries of one page, at most.
const PAGE: usize = 1_000;

/// An entry: its sort text and its record's key.
type Entry = (String, String);

/// The place that entries are ordered by.
fn place((sort, key): &Entry) -> String {
    format!("{sort}\0{key}")
}

/// The entries of one partition, one more than are wanted: it tells whether there are more.
fn entries(connection: &Connection, asked: &Query, partition: &str) -> rusqlite::Result<Vec<Entry>> {
    const ASCENDING: &str = r#"SELECT sort, key FROM entries
        WHERE "index" = ?1 AND partition = ?2 AND sort >= ?3 AND sort < ?4 ORDER BY sort, key"#;
    const DESCENDING: &str = r#"SELECT sort, key FROM entries
        WHERE "index" = ?1 AND partition = ?2 AND sort >= ?3 AND sort < ?4 ORDER BY sort DESC, key DESC"#;
    let sql = if asked.descending { DESCENDING } else { ASCENDING };
    let from = asked.first_sort().unwrap_or_default();
    // A blob is greater than every text.
    let below = asked.sort_limit().map_or(Value::Blob(vec![]), |below| Value::Text(below.into_owned()));
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![asked.index.name(), partition, from, below])?;
    take(asked, &mut rows, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same of a partition of the conductor's index, which is two columns of the records.
fn reconciled(connection: &Connection, asked: &Query, among: &str) -> rusqlite::Result<Vec<Entry>> {
    const ASCENDING: &str = "SELECT reconcile_at, key FROM records
        WHERE reconciled_among = ?1 AND reconcile_at > ?2 AND reconcile_at <= ?3 ORDER BY reconcile_at, key";
    const DESCENDING: &str = "SELECT reconcile_at, key FROM records
        WHERE reconciled_among = ?1 AND reconcile_at > ?2 AND reconcile_at <= ?3 ORDER BY reconcile_at DESC, key DESC";
    let sql = if asked.descending { DESCENDING } else { ASCENDING };
    let (after, until) = between(asked);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![among, after, until])?;
    take(asked, &mut rows, |row| Ok((sort_time(exactly(row.get(0)?)), row.get(1)?)))
}

/// The first rows that lie between the bounds, of which the statement knows the sort texts alone: one more than are
/// wanted, and all that share the last one's sort text, since rows may have another order within one.
fn take(
    asked: &Query,
    rows: &mut Rows<'_>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Entry>,
) -> rusqlite::Result<Vec<Entry>> {
    let mut found: Vec<Entry> = vec![];
    while let Some(row) = rows.next()? {
        let entry = read(row)?;
        if found.len() > asked.limit && found.last().is_some_and(|last| last.0 != entry.0) {
            break;
        }
        let place = place(&entry);
        let is_from = asked.from.as_ref().is_none_or(|from| place >= *from);
        if is_from && asked.below.as_ref().is_none_or(|below| place < *below) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// The times to the nanosecond that lie after the first and not after the second: those whose sort texts are asked for.
fn between(asked: &Query) -> (i64, i64) {
    // A sort text is milliseconds, rounded up.
    let before = |text: &str| (first_millis(text) - 1).saturating_mul(1_000_000);
    let from = asked.first_sort().map_or(i64::MIN, before);
    (from, asked.sort_limit().as_deref().map_or(i64::MAX, before))
}

/// The first milliseconds whose sort text is not less than a text, whatever that is.
fn first_millis(text: &str) -> i64 {
    const DIGITS: usize = 15;
    let digits = text.bytes().take(DIGITS).take_while(u8::is_ascii_digit).count();
    let scale = 10_i64.pow(u32::try_from(DIGITS - digits).unwrap_or_default());
    let first = text[..digits].parse::<i64>().unwrap_or_default() * scale;
    let rest = &text[digits..];
    let is_above = if digits == DIGITS { !rest.is_empty() } else { rest.starts_with(|next| next > '9') };
    if is_above { first + scale } else { first }
}

/// A record's row, unless it has expired; one that holds something else than a record is no error of the page.
fn read(connection: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<Result<StoredRow, Unreadable>>> {
    match StoredRow::find(connection, key, now) {
        Ok(row) => Ok(row.map(Ok)),
        Err(error) if is_of_another_type(&error) => {
            let at = first(connection, "SELECT reconcile_at FROM records WHERE key = ?1", [key], |row| row.get(0));
            let (key, reconcile_at) = (key.to_owned(), at.ok().flatten().map(exactly));
            Ok(Some(Err(Unreadable { key, reconcile_at, problem: unreadable("a record", error).to_string() })))
        }
        Err(error) => Err(error),
    }
}

/// The record of a row.
fn readable(row: StoredRow) -> Result<StoredRecord, Unreadable> {
    let (key, reconcile_at) = (row.key.clone(), row.reconcile_at.map(exactly));
    row.record().map_err(|error| Unreadable { key, reconcile_at, problem: error.to_string() })
}

impl Database {
    /// A page: the entries first, then the records of those that it holds.
    pub(super) async fn page(&self, asked: &Query) -> PortResult<Page> {
        let asked = Query { limit: asked.limit.clamp(1, PAGE), ..asked.clone() };
        let now = self.now();
        let (rows, last) = self
            .call(move |connection| {
                let mut found = vec![];
                for partition in &asked.partitions {
                    if asked.index != Index::Reconcile {
                        found.extend(entries(connection, &asked, partition)?);
                        continue;
                    }
                    for among in [IndexEntry::DUE_RUNS, IndexEntry::OTHERS] {
                        if partition == IndexEntry::RECONCILED || partition == among {
                            found.extend(reconciled(connection, &asked, among)?);
                        }
                    }
                }
                found.sort_by(|a, b| if asked.descending { b.cmp(a) } else { a.cmp(b) });
                let has_more = found.len() > asked.limit;
                found.truncate(asked.limit);
                let mut met = HashSet::new(); // A record may be at several of these places.
                let once = found.iter().filter(|(_, key)| met.insert(key));
                let rows = once.map(|(_, key)| read(connection, key, now));
                let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
                Ok((rows, found.last().filter(|_| has_more).map(place)))
            })
            .await?;
        let mut page = Page { last, ..Page::default() };
        for row in rows.into_iter().flatten() {
            match row.and_then(readable) {
                Ok(record) => page.records.push(record),
                Err(unreadable) => page.unreadable.push(unreadable),
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_between_sort_texts_begins_with_the_first_that_is_not_less() {
        for (text, millis) in [
            ("", 0),
            ("000000000000007", 7),
            ("000000000000007~", 8),
            ("00000000000001", 10),
            ("00000000000001~", 20),
            ("00000000000001 ", 10),
            ("x", 1_000_000_000_000_000),
        ] {
            assert_eq!(first_millis(text), millis, "{text:?}");
        }
    }
}
