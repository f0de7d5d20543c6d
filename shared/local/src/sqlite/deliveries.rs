//! Deliveries that failed, or that are held back.

use dacapo::port::{PortResult, SavedDelivery, StoredDelivery};
use dacapo_domain::{Delivery, Json};
use rusqlite::{Connection, params};

use super::{
    Database,
    rows::{bits, document, execute, first, json, millis, value},
};

/// A delivery's row: version, document and body.
type Row = (i64, String, String);

fn find(connection: &Connection, key: &str, now: i64) -> rusqlite::Result<Option<Row>> {
    const SQL: &str = "SELECT version, document, body FROM deliveries WHERE key = ?1 AND (ttl IS NULL OR ttl > ?2)";
    first(connection, SQL, params![key, now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

impl Database {
    pub(super) async fn add_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery> {
        // An expired record may be overwritten; a living one wins.
        const SQL: &str = "INSERT INTO deliveries (key, version, watch_at, ttl, document, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET version = excluded.version,
                watch_at = excluded.watch_at, ttl = excluded.ttl, document = excluded.document, body = excluded.body
            WHERE deliveries.ttl <= ?7";
        let (key, version, body) = (delivery.key(), bits(delivery.version), body.text().to_owned());
        let (watch_at, ttl, now) = (delivery.watch_at.map(millis), delivery.ttl, self.now().as_second());
        let document = document("a delivery", delivery)?;
        let existing = self.call(move |connection| {
            let rows = execute(connection, SQL, params![key, version, watch_at, ttl, document, body, now])?;
            Ok(if rows == 1 { None } else { find(connection, &key, now)? })
        });
        Ok(match existing.await? {
            None => SavedDelivery::Done,
            // Tried again after a lost reply: it was stored already.
            Some((found, ..)) if found == version => SavedDelivery::Done,
            Some((_, document, _)) => SavedDelivery::Lost(Some(value("a delivery", &document)?)),
        })
    }

    pub(super) async fn find_delivery(&self, key: &str) -> PortResult<Option<StoredDelivery>> {
        let (key, now) = (key.to_owned(), self.now().as_second());
        let row = self.call(move |connection| Ok(find(connection, &key, now)?));
        let Some((_, document, body)) = row.await? else { return Ok(None) };
        Ok(Some(StoredDelivery { delivery: value("a delivery", &document)?, body: json("an event's body", body)? }))
    }

    pub(super) async fn replace_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery> {
        const SQL: &str = "UPDATE deliveries SET version = ?3, watch_at = ?4, ttl = ?5, document = ?6
            WHERE key = ?1 AND version = ?2 AND (ttl IS NULL OR ttl > ?7)";
        let (key, seen, won) = (next.key(), bits(seen.version), bits(next.version));
        let (watch_at, ttl, now) = (next.watch_at.map(millis), next.ttl, self.now().as_second());
        let document = document("a delivery", next)?;
        let lost = self.call(move |connection| {
            let rows = execute(connection, SQL, params![key, seen, won, watch_at, ttl, document, now])?;
            Ok(if rows == 1 { None } else { Some(find(connection, &key, now)?) })
        });
        Ok(match lost.await? {
            None => SavedDelivery::Done,
            // Tried again after a lost reply: it has won already.
            Some(Some((version, ..))) if version == won => SavedDelivery::Done,
            Some(row) => {
                let delivery = row.map(|(_, document, _)| value("a delivery", &document)).transpose()?;
                SavedDelivery::Lost(delivery)
            }
        })
    }
}
