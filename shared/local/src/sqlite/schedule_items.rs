//! What the history keeps of schedules, and the manifest.

use dacapo::port::{PortResult, ScheduleItem};
use dacapo_domain::Manifest;
use rusqlite::params;

use super::{
    Database,
    rows::{bits, document, execute, first, query, value},
};

impl Database {
    pub(super) async fn find_schedule_item(&self, name: &str) -> PortResult<Option<ScheduleItem>> {
        const SQL: &str = "SELECT document FROM schedule_items WHERE name = ?1";
        let name = name.to_owned();
        let row = self.call(move |connection| Ok(first(connection, SQL, [name], |row| row.get::<_, String>(0))?));
        row.await?.map(|document| value("a schedule", &document)).transpose()
    }

    pub(super) async fn save_schedule_item(
        &self,
        seen: Option<&ScheduleItem>,
        next: &ScheduleItem,
    ) -> PortResult<bool> {
        const CREATE: &str =
            "INSERT INTO schedule_items (name, version, document) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        const UPDATE: &str = "UPDATE schedule_items SET version = ?2, document = ?3 WHERE name = ?1 AND version = ?4";
        const VERSION: &str = "SELECT version FROM schedule_items WHERE name = ?1";
        let (name, version, document) = (next.name.clone(), bits(next.version), document("a schedule", next)?);
        let seen = seen.map(|seen| bits(seen.version));
        self.call(move |connection| {
            let rows = match seen {
                None => execute(connection, CREATE, params![name, version, document])?,
                Some(seen) => execute(connection, UPDATE, params![name, version, document, seen])?,
            };
            // Tried again after a lost reply, it finds that it has won already.
            Ok(rows == 1 || first(connection, VERSION, [&name], |row| row.get(0))? == Some(version))
        })
        .await
    }

    pub(super) async fn delete_schedule_item(&self, name: &str) -> PortResult<()> {
        let name = name.to_owned();
        self.call(move |connection| {
            execute(connection, "DELETE FROM schedule_items WHERE name = ?1", [name])?;
            Ok(())
        })
        .await
    }

    pub(super) async fn all_schedule_items(&self) -> PortResult<Vec<ScheduleItem>> {
        const SQL: &str = "SELECT document FROM schedule_items ORDER BY name";
        let rows = self.call(|connection| Ok(query(connection, SQL, [], |row| row.get::<_, String>(0))?));
        rows.await?.iter().map(|document| value("a schedule", document)).collect()
    }

    pub(super) async fn read_manifest(&self) -> PortResult<Option<Manifest>> {
        const SQL: &str = "SELECT document FROM manifest";
        let row = self.call(|connection| Ok(first(connection, SQL, [], |row| row.get::<_, String>(0))?));
        row.await?.map(|document| value("the manifest", &document)).transpose()
    }

    pub(super) async fn write_manifest(&self, manifest: &Manifest) -> PortResult<()> {
        // A newer one stays: a write that comes late must not bring yesterday's functions back.
        const SQL: &str = "INSERT INTO manifest (one, made_ms, document) VALUES (1, ?1, ?2)
            ON CONFLICT DO UPDATE SET made_ms = excluded.made_ms, document = excluded.document
            WHERE manifest.made_ms <= excluded.made_ms";
        let (made_ms, document) = (manifest.made_ms, document("the manifest", manifest)?);
        self.call(move |connection| {
            execute(connection, SQL, params![made_ms, document])?;
            Ok(())
        })
        .await
    }
}
