//! The properties that `tests/fuzz` throws bytes at, within `make test`: with the corpus that grew there, with texts that
//! are nearly right, and with bytes that are nothing.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{fs, path::Path};

use dacapo_tests::any_bytes::{ALL, Property};
use proptest::{prelude::*, test_runner::TestRunner};

/// Cases of each target; a request takes a connection.
const CASES: u32 = 1_000;
const REQUESTS: u32 = 200;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Bytes that are nothing, and seeds of the corpus with a part cut out, doubled, or replaced.
fn nearly(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (prop::sample::select(seeds), any::<[prop::sample::Index; 2]>(), "[ -~]{0,4}", any::<bool>());
    let changed = changed.prop_map(|(mut seed, places, instead, doubled)| {
        let [from, to] = places.map(|place| place.index(seed.len() + 1));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 40));
        let part = if doubled { [&seed[from..to], &seed[from..to]].concat() } else { instead.into_bytes() };
        seed.splice(from..to, part);
        seed
    });
    prop_oneof![4 => changed, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn bears(target: &str) {
    let (_, property): (_, Property) = ALL.into_iter().find(|(name, _)| *name == target).unwrap();
    let seeds = corpus(target);
    seeds.iter().for_each(|seed| property(seed));
    let cases = if target == "http" { REQUESTS } else { CASES };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&nearly(seeds), |bytes| {
        property(&bytes);
        Ok(())
    });
    run.unwrap();
}

#[test]
fn cron_expression_of_any_bytes_is_read_or_refused() {
    bears("cron");
}

#[test]
fn time_of_any_bytes_is_read_or_refused() {
    bears("when");
}

#[test]
fn message_of_any_bytes_is_read_or_refused() {
    bears("message");
}

#[test]
fn manifest_of_any_bytes_is_read_or_refused() {
    bears("manifest");
}

#[test]
fn payload_of_any_bytes_is_answered_or_refused() {
    bears("payload");
}

#[test]
fn document_of_any_bytes_is_read_or_refused() {
    bears("document");
}

#[test]
fn request_of_any_bytes_is_answered_or_ends() {
    bears("http");
}
