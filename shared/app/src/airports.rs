use serde::{Deserialize, Serialize};

/// The way in which the airports are read, and how far the reading is. `{}` reads them all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Import {
    /// Rows read at a time, 1 and more.
    pub rows_per_page: usize,
    /// Seconds between two pages; 0 reads on as long as the timeout allows.
    pub pause_s: u64,
    /// The sum of the pages so far.
    pub so_far: Tally,
}

/// The sum of pages. It stays small however many there are, so that it travels in the input of a `continue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tally {
    /// Rows read.
    pub rows: usize,
    /// Countries seen: rows are sorted by country, so a change of country is another one.
    pub countries: usize,
    /// The country of the last row.
    pub last_country: String,
    /// Sum of all elevations, in feet.
    pub elevation_sum_ft: i64,
    /// The airport nearest to the north pole.
    pub northernmost: Option<Place>,
}

/// The findings about the airports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Airports in all.
    pub rows: usize,
    /// Countries that have one.
    pub countries: usize,
    /// Their mean elevation, in feet.
    pub mean_elevation_ft: f64,
    /// The one nearest to the north pole.
    pub northernmost: Option<Place>,
}

/// An airport, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The IATA code.
    pub iata: String,
    /// The name.
    pub name: String,
    /// Degrees north.
    pub latitude: f64,
}

impl Default for Import {
    fn default() -> Self {
        Self { rows_per_page: 1_000, pause_s: 2, so_far: Tally::default() }
    }
}
