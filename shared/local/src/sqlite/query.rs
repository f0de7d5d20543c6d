//! Pages of an index.

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
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
fn reconciled(connection: &Connection, asked: &Query, between: (i64, i64), now: Timestamp) -> rusqlite::Result<Vec<Found>> {
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

/// The times to the nanosecond that lie after the first and not after the second: those whose sort texts, which are
/// milliseconds rounded up, are asked for.
fn between(asked: &Query) -> PortResult<(i64, i64)> {
    let before = |text: &Option<String>, otherwise: i64| {
        let Some(text) = text else { return Ok(otherwise) };
        let millis = text.parse::<i64>().map_err(|error| {
            let message = format!("{text:?} is no place in the index {:?}", asked.index.name());
            PortError::new(PortErrorKind::Refused, message).caused_by(error)
        })?;
        Ok((millis - 1).saturating_mul(1_000_000))
    };
    Ok((before(&asked.from, i64::MIN)?, before(&asked.below, i64::MAX)?))
}

impl Database {
    pub(super) async fn page(&self, asked: &Query) -> PortResult<Page> {
        let asked = Query { limit: asked.limit.clamp(1, PAGE), ..asked.clone() };
        let is_reconciled = asked.index == Index::Reconcile;
        let between = if is_reconciled { between(&asked)? } else { (0, 0) };
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
