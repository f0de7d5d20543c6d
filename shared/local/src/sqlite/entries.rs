//! Index entries of records. That of the conductor's index is a column of the record.

use std::fmt::Write;

use dacapo_domain::{Index, IndexEntry};
use rusqlite::{Connection, Error, params, types::Type};

use super::rows::execute;

/// The entries of a record but the conductor's, as the text that its row keeps of them: for each its index, the bytes
/// of partition and sort text, and both. `None` where there is none.
pub(super) fn text(entries: &[IndexEntry]) -> Option<String> {
    let mut text = String::new();
    for IndexEntry { index, partition, sort } in entries.iter().filter(|entry| entry.index != Index::Reconcile) {
        let (name, bytes) = (index.name(), (partition.len(), sort.len()));
        // Writing to a string can't fail.
        let _ = write!(text, "{name} {} {} {partition}{sort}", bytes.0, bytes.1);
    }
    (!text.is_empty()).then_some(text)
}

/// The entries of such a text: index, partition and sort text of each.
fn read(mut text: &str) -> Option<Vec<(&str, &str, &str)>> {
    let mut entries = vec![];
    while !text.is_empty() {
        let mut parts = text.splitn(4, ' ');
        let (index, partition, sort, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (partition, rest) = rest.split_at_checked(partition.parse().ok()?)?;
        let (sort, rest) = rest.split_at_checked(sort.parse().ok()?)?;
        entries.push((index, partition, sort));
        text = rest;
    }
    Some(entries)
}

/// The partition of the conductor's index that a record is in, also where it is none that is reconciled.
pub(super) fn reconciled_among(entries: &[IndexEntry]) -> &str {
    let reconciled = entries.iter().find(|entry| entry.index == Index::Reconcile);
    reconciled.map_or(IndexEntry::OTHERS, |entry| &entry.partition)
}

/// Adds entries of a record.
pub(super) fn add(connection: &Connection, key: &str, entries: &[IndexEntry]) -> rusqlite::Result<()> {
    const SQL: &str =
        r#"INSERT INTO entries ("index", partition, sort, key) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"#;
    for IndexEntry { index, partition, sort } in entries.iter().filter(|entry| entry.index != Index::Reconcile) {
        execute(connection, SQL, params![index.name(), partition, sort, key])?;
    }
    Ok(())
}

/// Removes the entries of a record that its row tells of.
pub(super) fn remove(connection: &Connection, key: &str, text: Option<&str>) -> rusqlite::Result<()> {
    const SQL: &str = r#"DELETE FROM entries WHERE "index" = ?1 AND partition = ?2 AND sort = ?3 AND key = ?4"#;
    let Some(text) = text else { return Ok(()) };
    let unreadable = || Error::FromSqlConversionFailure(0, Type::Text, "these are no index entries".into());
    for (index, partition, sort) in read(text).ok_or_else(unreadable)? {
        execute(connection, SQL, params![index, partition, sort, key])?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: Index, partition: &str, sort: &str) -> IndexEntry {
        IndexEntry { index, partition: partition.to_owned(), sort: sort.to_owned() }
    }

    #[test]
    fn text_of_entries_gives_them_back_whatever_they_say() {
        let entries = [
            entry(Index::List, "run/a b", "1 2 3 x"),
            entry(Index::Reconcile, "due/runs", "000"),
            entry(Index::Failed, "", "ä 4 1"),
        ];
        let text = text(&entries).unwrap();
        assert_eq!(read(&text), Some(vec![("list", "run/a b", "1 2 3 x"), ("failed", "", "ä 4 1")]));
    }

    #[test]
    fn text_that_is_cut_is_no_entries() {
        let text = text(&[entry(Index::List, "run/a", "01")]).unwrap();
        assert_eq!((1..text.len()).find(|bytes| read(&text[..*bytes]).is_some()), None);
        assert_eq!(super::text(&[entry(Index::Reconcile, "due/runs", "000")]), None);
    }
}
