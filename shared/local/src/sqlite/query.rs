//! Pages of an index.

use dacapo_core::port::PortResult;
use dacapo_domain::{Index, IndexEntry, Page, Query, sort_time};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params, types::Value};

use super::{
    Database,
    rows::{exactly, query},
    stored::StoredRow,
};

/// Records of one page, at most.
const PAGE: usize = 1_000;

/// A record and the text it is sorted by.
type Found = (String, StoredRow);

/// The records of one partition, one more than are wanted: it tells whether there are more.
fn entries(connection: &Connection, asked: &Query, partition: &str, now: Timestamp) -> rusqlite::Result<Vec<Found>> {
    let (order, columns) = (if asked.descending { "DESC" } else { "ASC" }, StoredRow::COLUMNS);
    let sql = format!(
        r#"SELECT {columns}, entries.sort FROM entries CROSS JOIN records ON records.key = entries.key
         WHERE entries."index" = ?1 AND partition = ?2 AND sort >= ?3 AND sort < ?4
         AND (expires_at_s IS NULL OR expires_at_s > ?5) ORDER BY sort {order}, entries.key {order} LIMIT ?6"#
    );
    let from = asked.from.as_deref().unwrap_or_default();
    // A blob is greater than every text.
    let below = asked.below.clone().map_or(Value::Blob(vec![]), Value::Text);
    let params = params![asked.index.name(), partition, from, below, now.as_second(), wanted(asked)];
    query(connection, &sql, params, |row| Ok((row.get(5)?, StoredRow::read(row)?)))
}

/// The same of the conductor's index, which is a column of the records.
fn reconciled(
    connection: &Connection,
    asked: &Query,
    between: (i64, i64),
    now: Timestamp,
) -> rusqlite::Result<Vec<Found>> {
    let (order, columns) = (if asked.descending { "DESC" } else { "ASC" }, StoredRow::COLUMNS);
    let sql = format!(
        "SELECT {columns} FROM records WHERE reconcile_at > ?1 AND reconcile_at <= ?2
         AND (expires_at_s IS NULL OR expires_at_s > ?3) ORDER BY reconcile_at {order}, key {order} LIMIT ?4"
    );
    let read = |row: &Row<'_>| Ok((sort_time(exactly(row.get(2)?)), StoredRow::read(row)?));
    query(connection, &sql, params![between.0, between.1, now.as_second(), wanted(asked)], read)
}

fn wanted(asked: &Query) -> i64 {
    i64::try_from(asked.limit + 1).unwrap_or(i64::MAX)
}

/// The times to the nanosecond that lie after the first and not after the second: those whose sort texts are asked for.
fn between(asked: &Query) -> (i64, i64) {
    // A sort text is milliseconds, rounded up.
    let before = |text: &str| (first_millis(text) - 1).saturating_mul(1_000_000);
    let from = asked.from.as_deref().map_or(i64::MIN, before);
    (from, asked.below.as_deref().map_or(i64::MAX, before))
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

impl Database {
    pub(super) async fn page(&self, asked: &Query) -> PortResult<Page> {
        let asked = Query { limit: asked.limit.clamp(1, PAGE), ..asked.clone() };
        let is_reconciled = asked.index == Index::Reconcile;
        let between = between(&asked);
        let (limit, descending, now) = (asked.limit, asked.descending, self.now());
        let (found, has_more) = self
            .call(move |connection| {
                let mut found = vec![];
                for partition in &asked.partitions {
                    if !is_reconciled {
                        found.extend(entries(connection, &asked, partition, now)?);
                    } else if partition == IndexEntry::RECONCILED {
                        found.extend(reconciled(connection, &asked, between, now)?);
                    }
                }
                let order = |(a, one): &Found, (b, other): &Found| (a, &one.key).cmp(&(b, &other.key));
                found.sort_by(|a, b| if descending { order(b, a) } else { order(a, b) });
                let has_more = found.len() > limit;
                found.truncate(limit);
                let whole = |(sort, row): Found| Ok((sort, row.with_payloads(connection)?));
                Ok((found.into_iter().map(whole).collect::<rusqlite::Result<Vec<_>>>()?, has_more))
            })
            .await?;
        let last = found.last().filter(|_| has_more).map(|(sort, _)| sort.clone());
        let records = found.into_iter().map(|(_, row)| row.record()).collect::<PortResult<_>>()?;
        Ok(Page { records, last })
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
