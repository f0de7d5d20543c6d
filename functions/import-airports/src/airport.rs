use serde::Deserialize;

/// The airports of the world that have an IATA code, sorted by country: see `data/README.md`.
pub(crate) const CSV: &str = include_str!("../data/airports.csv");

/// A row of the data.
#[derive(Debug, Deserialize)]
pub(crate) struct Airport {
    pub iata: String,
    pub country: String,
    pub latitude: f64,
    pub elevation_ft: i64,
    pub name: String,
}

/// Returns the number of rows.
pub(crate) fn total() -> usize {
    CSV.lines().count() - 1
}

/// At most so many rows, after the first `skipped`.
pub(crate) fn page(skipped: usize, rows: usize) -> Result<Vec<Airport>, csv::Error> {
    csv::Reader::from_reader(CSV.as_bytes()).deserialize().skip(skipped).take(rows).collect()
}
