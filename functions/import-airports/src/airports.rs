//! The airports: their pages, and the tally of them.

use app::{Imported, Page, Place, Tally};
use serde::Deserialize;

/// The airports of the world that have an IATA code, sorted by country: see `data/README.md`.
const CSV: &str = include_str!("../data/airports.csv");

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

/// All pages of so many rows, as they are validated.
pub(crate) fn pages(rows: usize) -> Result<Vec<Page>, csv::Error> {
    let page = |first_row| {
        let place = |Airport { iata, name, latitude, .. }| Place { iata, name, latitude };
        Ok(Page { first_row, airports: page(first_row, rows)?.into_iter().map(place).collect() })
    };
    (0..total()).step_by(rows).map(page).collect()
}

/// Adds a page.
pub(crate) fn add(tally: &mut Tally, page: Vec<Airport>) {
    for airport in page {
        tally.rows += 1;
        tally.elevation_sum_ft += airport.elevation_ft;
        if airport.country != tally.last_country {
            tally.countries += 1;
            tally.last_country = airport.country;
        }
        if tally.northernmost.as_ref().is_none_or(|place| airport.latitude > place.latitude) {
            let Airport { iata, name, latitude, .. } = airport;
            tally.northernmost = Some(Place { iata, name, latitude });
        }
    }
}

/// Sums up all pages.
pub(crate) fn sum_up(tally: Tally) -> Imported {
    Imported {
        rows: tally.rows,
        countries: tally.countries,
        mean_elevation_ft: tally.elevation_sum_ft as f64 / tally.rows.max(1) as f64,
        northernmost: tally.northernmost,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn pages_of_any_size_add_up_to_what_the_file_says() {
        // The file read by hand: all columns but the name, which is the last, are free of quotes and commas.
        let rows: Vec<Vec<&str>> = CSV.lines().skip(1).map(|line| line.splitn(5, ',').collect()).collect();
        let countries: BTreeSet<&str> = rows.iter().map(|row| row[1]).collect();
        let sum_ft: f64 = rows.iter().map(|row| row[3].parse::<f64>().unwrap()).sum();
        let north = rows.iter().map(|row| row[2].parse::<f64>().unwrap()).fold(f64::MIN, f64::max);

        for size in [999, 3_942, 10_000] {
            let mut tally = Tally::default();
            while tally.rows < total() {
                let page = page(tally.rows, size).unwrap();
                add(&mut tally, page);
            }
            let imported = sum_up(tally);
            assert_eq!(imported.rows, rows.len());
            assert_eq!(imported.countries, countries.len());
            assert_eq!(imported.mean_elevation_ft, sum_ft / rows.len() as f64);
            assert_eq!(imported.northernmost.map(|place| place.latitude), Some(north));
        }
    }

    #[test]
    fn northernmost_airport_of_the_file_is_alert() {
        let mut tally = Tally::default();
        add(&mut tally, page(0, total()).unwrap());
        assert_eq!(tally.northernmost.unwrap().name, "Alert Airport");
    }
}
