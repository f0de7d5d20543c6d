//! Index entries of records. That of the conductor's index is a column of the record.

use dacapo_core::port::PortResult;
use dacapo_domain::{Index, IndexEntry};
use rusqlite::{Connection, Error, params, types::Type};

use super::rows::{document, execute};

/// The entries of a record but the conductor's, and the text that its row keeps of them.
pub(super) struct Indexed {
    pub(super) entries: Vec<IndexEntry>,
    pub(super) text: Option<String>,
}

impl Indexed {
    pub(super) fn of(entries: &[IndexEntry]) -> PortResult<Self> {
        let entries: Vec<IndexEntry> =
            entries.iter().filter(|entry| entry.index != Index::Reconcile).cloned().collect();
        let text = if entries.is_empty() { None } else { Some(document("index entries", &entries)?) };
        Ok(Self { entries, text })
    }
}

/// Adds entries of a record.
pub(super) fn add(connection: &Connection, key: &str, entries: &[IndexEntry]) -> rusqlite::Result<()> {
    const SQL: &str =
        r#"INSERT INTO entries ("index", partition, sort, key) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"#;
    for IndexEntry { index, partition, sort } in entries {
        execute(connection, SQL, params![index.name(), partition, sort, key])?;
    }
    Ok(())
}

/// Removes the entries of a record that its row tells of.
pub(super) fn remove(connection: &Connection, key: &str, text: Option<&str>) -> rusqlite::Result<()> {
    const SQL: &str = r#"DELETE FROM entries WHERE "index" = ?1 AND partition = ?2 AND sort = ?3 AND key = ?4"#;
    let Some(text) = text else { return Ok(()) };
    let entries: Vec<IndexEntry> =
        serde_json::from_str(text).map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    for IndexEntry { index, partition, sort } in entries {
        execute(connection, SQL, params![index.name(), partition, sort, key])?;
    }
    Ok(())
}

/// Removes the former entries of a record and adds these.
pub(super) fn replace(
    connection: &Connection,
    key: &str,
    former: Option<&str>,
    entries: &[IndexEntry],
) -> rusqlite::Result<()> {
    remove(connection, key, former)?;
    add(connection, key, entries)
}
