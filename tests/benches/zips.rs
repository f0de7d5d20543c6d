//! The sizes of the functions that `make build` made.

use std::{fs, path::Path};

use crate::{AnyError, machine, table::Row};

/// In bytes, of the spec's 4 MB.
const LARGEST: u64 = 4_000_000;

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let mut rows = vec![];
    for arch in ["arm64", "x86_64"] {
        for (name, bytes) in zips(&machine::target().join("dacapo").join(arch)) {
            let seen = format!("{:.2} MB", bytes as f64 / 1e6);
            // A deploy to an endpoint on this machine leaves builds of profile `dev` in the same place.
            let seen = if bytes > LARGEST { format!("{seen} (if of profile dev: make build)") } else { seen };
            rows.push(Row::new(format!("{name}, {arch}"), seen, "≤ 4 MB"));
        }
    }
    if rows.is_empty() { Err("nothing is built (run `make build`, then this again)".into()) } else { Ok(rows) }
}

fn zips(folder: &Path) -> Vec<(String, u64)> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut zips: Vec<_> = files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "zip"))
        .filter_map(|file| Some((file.path().file_stem()?.to_str()?.to_owned(), file.metadata().ok()?.len())))
        .collect();
    zips.sort();
    zips
}
