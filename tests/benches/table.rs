//! The printed table: what was measured, what was seen, what is wanted.

use std::io::Write;

use crate::machine;

/// A line of the table.
pub struct Row {
    what: String,
    seen: String,
    wanted: String,
}

impl Row {
    pub fn new(what: impl Into<String>, seen: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self { what: what.into(), seen: seen.into(), wanted: wanted.into() }
    }

    /// A line that nothing is wanted of.
    pub fn note(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(what, seen, "")
    }
}

/// All lines, by section.
#[derive(Default)]
pub struct Table(Vec<(String, Vec<Row>)>);

impl Table {
    pub fn add(&mut self, title: &str, rows: Vec<Row>) {
        self.0.push((title.to_owned(), rows));
    }

    /// Prints it with its columns aligned.
    pub fn print(&self) {
        let rows = || self.0.iter().flat_map(|(_, rows)| rows);
        let width = |cell: fn(&Row) -> &str| rows().map(|row| cell(row).chars().count()).max().unwrap_or_default();
        let (what, seen) = (width(|row| &row.what), width(|row| &row.seen).min(60));
        let mut text = format!("\n{:what$}    {:seen$}  to reach", machine::about(), "measured");
        for (title, rows) in &self.0 {
            text += &format!("\n\n{title}");
            for row in rows {
                let line = format!("\n  {:what$}  {:seen$}  {}", row.what, row.seen, row.wanted);
                text += line.trim_end_matches(' ');
            }
        }
        // Whoever reads no further has seen enough.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}
