//! The printed table: what was measured, what was seen, what is wanted.

use std::io::Write;

use serde_json::{Value, json};

use crate::{figure::Figure, machine};

/// A line of the table.
pub struct Row {
    what: String,
    /// The median of those rounds that have a figure.
    seen: String,
    wanted: String,
    /// The texts of all rounds.
    rounds: Vec<String>,
}

impl Row {
    pub fn new(what: impl Into<String>, seen: impl Into<String>, wanted: impl Into<String>) -> Self {
        let seen = seen.into();
        Self { what: what.into(), rounds: vec![seen.clone()], seen, wanted: wanted.into() }
    }

    /// A line that nothing is wanted of.
    pub fn note(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(what, seen, "")
    }

    /// The figures of its rounds, from the least to the most.
    fn figures(&self) -> Vec<(Figure<'_>, &String)> {
        let figures = self.rounds.iter().filter_map(|seen| Some((Figure::read(seen)?, seen)));
        let mut figures: Vec<_> = figures.collect();
        figures.sort_by(|(one, _), (other, _)| one.value.total_cmp(&other.value));
        figures
    }

    /// The least and the most that was seen, where it was measured more than once.
    fn spread(&self) -> String {
        match &self.figures()[..] {
            [(least, _), .., (most, _)] => format!("{} … {}", least.shown, most.shown),
            _ => String::new(),
        }
    }
}

/// The rows of a section.
struct Part {
    title: String,
    command: String,
    rows: Vec<Row>,
}

/// All lines, by section.
#[derive(Default)]
pub struct Table(Vec<Part>);

impl Table {
    /// Adds a section with the command that measures it alone, as its rounds saw it. Where a round failed, the others count.
    pub fn add(&mut self, title: &str, command: &str, rounds: Vec<Vec<Row>>) {
        let whole = rounds.iter().map(Vec::len).max().unwrap_or_default();
        let mut rounds = rounds.into_iter().filter(|rows| rows.len() == whole);
        let mut rows = rounds.next().unwrap_or_default();
        for (row, other) in rounds.flat_map(|round| (0..).zip(round)) {
            rows[row].rounds.extend(other.rounds);
        }
        for row in &mut rows {
            let figures = row.figures();
            let median = figures.get(figures.len() / 2).map(|(_, seen)| (*seen).clone());
            if let Some(median) = median {
                row.seen = median;
            }
        }
        self.0.push(Part { title: title.to_owned(), command: command.to_owned(), rows });
    }

    /// Prints it with its columns aligned.
    pub fn print(&self) {
        let rows = || self.0.iter().flat_map(|part| &part.rows);
        let width = |cell: fn(&Row) -> String| rows().map(|row| cell(row).chars().count()).max().unwrap_or_default();
        let (what, seen) = (width(|row| row.what.clone()), width(|row| row.seen.clone()).min(60));
        let spread = width(Row::spread);
        let mut text = format!("\n{:what$}    {:seen$}", machine::about(), "median");
        text += &format!("  {:spread$}  to reach", if spread == 0 { "" } else { "spread" });
        for Part { title, command, rows } in &self.0 {
            text += &format!("\n\n{title}: {command}");
            for row in rows {
                let line =
                    format!("\n  {:what$}  {:seen$}  {:spread$}  {}", row.what, row.seen, row.spread(), row.wanted);
                text += line.trim_end_matches(' ');
            }
        }
        // Whoever reads no further has seen enough.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// The same as JSON: a value is in its unit, a time in seconds.
    pub fn json(&self) -> String {
        let row = |part: &Part, row: &Row| {
            let figures = row.figures();
            let value = |at: usize| figures.get(at).map(|(figure, _)| figure.value);
            json!({
                "section": part.title,
                "command": part.command,
                "what": row.what,
                "seen": row.seen,
                "median": value(figures.len() / 2),
                "least": value(0),
                "most": figures.last().map(|(figure, _)| figure.value),
                "unit": figures.first().map(|(figure, _)| figure.unit),
                "rounds": row.rounds,
                "toReach": row.wanted,
            })
        };
        let rows: Vec<Value> = self.0.iter().flat_map(|part| part.rows.iter().map(|it| row(part, it))).collect();
        format!("{:#}\n", json!({ "machine": machine::about(), "rows": rows }))
    }
}
