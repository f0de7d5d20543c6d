//! The README's statements, held against what is there. Its Rust is a documentation test of this package.

#![expect(clippy::expect_used, reason = "what fails ends the test")]

use std::{fs, path::Path};

use dacapo_domain::Usage;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a folder of the workspace")
}

fn read(file: &str) -> String {
    fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The words in backquotes in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn make_target_that_the_readme_names_exists() {
    let (readme, makefile) = (read("README.md"), read("Makefile"));
    let named = readme
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("make "))
        .chain(quoted(&readme).filter_map(|code| code.strip_prefix("make ")));
    let targets: Vec<&str> = named.filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(targets.len() >= 4, "{targets:?}");
    for target in targets {
        assert!(makefile.contains(&format!("\n{target}:")), "the Makefile has no target {target}");
    }
}

#[test]
fn folder_that_the_readme_names_exists_and_none_of_shared_is_missing() {
    let readme = read("README.md");
    let map: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| {
            let cell = line.trim_start_matches("| ").split(" |").next().unwrap_or_default();
            quoted(cell).collect::<Vec<_>>()
        })
        .collect();
    for folder in &map {
        assert!(top().join(folder).is_dir(), "there is no folder {folder}");
    }
    for crate_folder in fs::read_dir(top().join("shared")).expect("shared") {
        let name = format!("shared/{}", crate_folder.expect("an entry").file_name().to_string_lossy());
        assert!(map.contains(&&*name), "the README doesn't say what {name} is");
    }
}

#[test]
fn task_or_event_that_the_readme_names_is_of_the_sample() {
    let readme = read("README.md");
    for name in ["import-airports", "user.joined"] {
        assert!(readme.contains(name) && read("shared/app/src/lib.rs").contains(&format!("\"{name}\"")), "{name}");
    }
}

/// The calls of a run of one iteration, which `make bench` counts: 1 SQS send, 3 DynamoDB writes of 6 units with the
/// indexes; a record of 600 bytes.
#[test]
fn price_of_a_million_runs_is_the_sum_of_the_list_prices() {
    let usage = Usage { write_units: 6.0, messages: 1.0, record_bytes: 690.0, ..Usage::SHORT };
    let parts = usage.parts_of_a_million();
    let readme = read("README.md");
    let of = |service: &str| parts.iter().filter(|(what, _)| what.starts_with(service)).map(|(_, price)| price).sum();
    for service in ["DynamoDB", "SQS", "Lambda"] {
        let price: f64 = of(service);
        assert!(readme.contains(&format!("{service} ${price:.2}")), "{service} ${price:.2}");
    }
    let sum: f64 = of("");
    assert!(readme.contains(&format!("**${sum:.2}**")), "${sum:.2}");
}

#[test]
fn readme_has_at_most_150_lines() {
    assert!(read("README.md").lines().count() <= 150, "the README is to be read in three minutes");
}
