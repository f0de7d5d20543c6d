//! The permitted uses: the crates form a stair, and some libraries are for few of them.

use std::collections::BTreeSet;

use crate::{
    source::none,
    workspace::{Kind, Package, packages, tree},
};

/// A crate of ours and those of ours that it may use; its tests apart.
const MAY_USE: &[(&str, &[&str])] = &[
    ("dacapo-domain", &[]),
    ("dacapo-core", &["dacapo-domain"]),
    ("dacapo", &["dacapo-domain", "dacapo-core"]),
    ("dacapo-aws", &["dacapo-domain", "dacapo-core"]),
    ("dacapo-lambda", &["dacapo-domain", "dacapo-core"]),
    ("dacapo-local", &["dacapo-domain", "dacapo-core"]),
    ("dacapo-test-kit", &["dacapo-domain", "dacapo-core", "dacapo", "dacapo-local"]),
    ("dacapo-client", &["dacapo-domain", "dacapo-core", "dacapo", "dacapo-aws", "dacapo-local"]),
    ("dacapo-serve", &["dacapo-domain", "dacapo-core", "dacapo", "dacapo-client", "dacapo-lambda", "dacapo-local"]),
    ("dacapo-otel", &["dacapo-domain", "dacapo-core", "dacapo", "dacapo-serve"]),
    ("dacapo-dashboard", &["dacapo-domain", "dacapo-core", "dacapo"]),
    ("dacapo-infra", &["dacapo-domain"]),
    (
        "dacapo-cli",
        &[
            "dacapo-domain",
            "dacapo-core",
            "dacapo",
            "dacapo-aws",
            "dacapo-local",
            "dacapo-serve",
            "dacapo-dashboard",
            "dacapo-infra",
            "app",
        ],
    ),
    ("app", &["dacapo"]),
];

/// Those of ours that a function may use.
const FUNCTION_MAY_USE: &[&str] = &["dacapo", "dacapo-serve", "dacapo-otel", "app"];

/// Those of ours that any crate's tests may use beside the ones below it, as may they other functions.
const TESTS_MAY_USE: &[&str] = &["dacapo-test-kit", "app"];

/// Libraries that a few crates alone may name, by the beginning of their name.
const ALONE: &[(&str, &[&str])] = &[
    ("aws-", &["dacapo-aws", "dacapo-tests"]),
    ("aws_lambda_events", &["dacapo-lambda", "dacapo-tests"]),
    ("lambda_runtime", &["dacapo-lambda", "dacapo-tests"]),
    ("opentelemetry", &["dacapo-otel"]),
    ("rusqlite", &["dacapo-local"]),
    ("clap", &["dacapo-cli", "dacapo-infra"]),
    ("indicatif", &["dacapo-cli"]),
    ("maud", &["dacapo-dashboard"]),
    ("croner", &["dacapo-domain"]),
];

#[test]
fn each_crate_uses_only_those_that_the_table_names() {
    none(used_beyond_the_table(&packages()));
}

#[test]
fn tests_use_only_crates_below_the_test_kit_and_functions() {
    none(used_by_tests_beyond_the_table(&packages()));
}

#[test]
fn libraries_for_few_are_named_by_those_alone() {
    none(named_by_others(&packages()));
}

#[test]
fn every_row_of_the_table_is_a_crate_of_the_workspace() {
    none(rows_without_a_crate(&packages()));
}

#[test]
fn a_build_for_lambda_needs_neither_the_local_engine_nor_its_store() {
    none(packages().iter().flat_map(weight_on_lambda).collect());
}

#[test]
fn a_client_from_the_environment_brings_no_lambda_runtime() {
    let named = |package: &str| tree(package).iter().any(|used| used == "lambda_runtime");
    assert!(named("dacapo-serve"), "the tree of dacapo-serve has no lambda_runtime: this test looks for nothing");
    for package in ["dacapo-client", "dacapo-aws", "dacapo"] {
        assert!(!named(package), "{package} needs lambda_runtime (see `cargo tree -p {package} -i lambda_runtime`)");
    }
}

fn row(package: &Package) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed)
}

fn used_beyond_the_table(packages: &[Package]) -> Vec<String> {
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = vec![];
    for package in packages.iter().filter(|package| !package.is_in("tests")) {
        let (place, name) = (package.place(), &package.name);
        let function = package.is_in("functions").then_some(FUNCTION_MAY_USE);
        let Some(allowed) = row(package).or(function) else {
            found.push(format!("{place}: {name} stands in no row of MAY_USE; add one that says what it may use"));
            continue;
        };
        for used in package.uses(Kind::Product).filter(|used| ours.contains(used) && !allowed.contains(used)) {
            let may = if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") };
            found.push(format!("{place}: {name} uses {used}; it may use {may}: move the code to where it belongs"));
        }
    }
    found
}

fn used_by_tests_beyond_the_table(packages: &[Package]) -> Vec<String> {
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let functions = packages.iter().filter(|package| package.is_in("functions")).map(|package| package.name.as_str());
    let everywhere: BTreeSet<&str> = functions.chain(TESTS_MAY_USE.iter().copied()).collect();
    let mut found = vec![];
    for package in packages {
        let allowed = row(package).unwrap_or_default();
        let used = package.uses(Kind::Test).filter(|used| ours.contains(used) && *used != package.name);
        for used in used.filter(|used| !allowed.contains(used) && !everywhere.contains(used)) {
            let (place, name) = (package.place(), &package.name);
            found.push(format!("{place}: the tests of {name} use {used}; take dacapo-test-kit, or move the test up"));
        }
    }
    found
}

fn named_by_others(packages: &[Package]) -> Vec<String> {
    let mut found = vec![];
    for package in packages {
        for used in package.uses(Kind::Product).chain(package.uses(Kind::Test)) {
            let row = ALONE.iter().find(|(library, _)| used.starts_with(library));
            if let Some((_, allowed)) = row.filter(|(_, allowed)| !allowed.contains(&package.name.as_str())) {
                let (place, name) = (package.place(), &package.name);
                let alone = allowed.join(", ");
                found.push(format!("{place}: {name} names {used}, which is for {alone} alone: ask through a port"));
            }
        }
    }
    found
}

fn rows_without_a_crate(packages: &[Package]) -> Vec<String> {
    let absent = MAY_USE.iter().filter(|(row, _)| !packages.iter().any(|package| package.name == *row));
    absent.map(|(row, _)| format!("{}: MAY_USE names {row}, which is no crate; drop the row", file!())).collect()
}

fn weight_on_lambda(package: &Package) -> Vec<String> {
    let place = package.place();
    let mut found = vec![];
    if package.name == "dacapo-local" {
        let heavy = package.always().filter(|used| ["rusqlite", "axum", "hyper"].contains(used));
        found.extend(heavy.map(|used| format!("{place}: {used} comes without the feature `engine`; make it optional")));
    }
    let engine = package.dependencies.iter().filter(|used| used.name == "dacapo-local");
    if package.name == "dacapo-serve" && engine.flat_map(|used| &used.features).any(|feature| feature == "engine") {
        found.push(format!("{place}: dacapo-serve takes the engine; it needs the engine's client alone"));
    }
    found
}

#[test]
fn a_crate_that_uses_one_above_it_or_stands_in_no_row_is_told() {
    let found = used_beyond_the_table(&[
        Package::sample("dacapo-core", "shared/core", &["dacapo-domain", "dacapo", "serde"], &[]),
        Package::sample("dacapo-domain", "shared/domain", &["dacapo-core"], &[]),
        Package::sample("dacapo", "shared/sdk", &["dacapo-domain", "dacapo-core"], &["dacapo-new"]),
        Package::sample("dacapo-new", "shared/new", &[], &[]),
        Package::sample("hello", "functions/hello", &["dacapo", "dacapo-core"], &[]),
    ]);
    let moved = "move the code to where it belongs";
    let add = "add one that says what it may use";
    assert_eq!(
        found,
        [
            format!("shared/core/Cargo.toml: dacapo-core uses dacapo; it may use dacapo-domain: {moved}"),
            format!("shared/domain/Cargo.toml: dacapo-domain uses dacapo-core; it may use none of ours: {moved}"),
            format!("shared/new/Cargo.toml: dacapo-new stands in no row of MAY_USE; {add}"),
            format!(
                "functions/hello/Cargo.toml: hello uses dacapo-core; it may use dacapo, dacapo-serve, dacapo-otel, app: {moved}"
            ),
        ]
    );
}

#[test]
fn tests_may_use_the_kit_and_functions_but_no_crate_above_them() {
    let above = ["dacapo-test-kit", "hello", "app", "dacapo-domain", "tempfile", "dacapo-local"];
    let found = used_by_tests_beyond_the_table(&[
        Package::sample("dacapo-core", "shared/core", &[], &above),
        Package::sample("dacapo-local", "shared/local", &[], &[]),
        Package::sample("hello", "functions/hello", &[], &["dacapo-test-kit"]),
    ]);
    let told = "the tests of dacapo-core use dacapo-local; take dacapo-test-kit, or move the test up";
    assert_eq!(found, [format!("shared/core/Cargo.toml: {told}")]);
}

#[test]
fn a_library_for_few_is_told_where_another_crate_or_its_tests_name_it() {
    let found = named_by_others(&[
        Package::sample("dacapo-aws", "shared/aws", &["aws-sdk-sqs"], &["aws-smithy-mocks"]),
        Package::sample("dacapo-core", "shared/core", &["aws-sdk-sqs"], &["rusqlite"]),
    ]);
    let place = "shared/core/Cargo.toml: dacapo-core names";
    assert_eq!(
        found,
        [
            format!("{place} aws-sdk-sqs, which is for dacapo-aws, dacapo-tests alone: ask through a port"),
            format!("{place} rusqlite, which is for dacapo-local alone: ask through a port"),
        ]
    );
}

#[test]
fn a_row_without_a_crate_and_a_store_that_is_always_there_are_told() {
    let local = Package::sample("dacapo-local", "shared/local", &["rusqlite", "tokio"], &[]);
    let heavy = "shared/local/Cargo.toml: rusqlite comes without the feature `engine`; make it optional";
    assert_eq!(weight_on_lambda(&local), [heavy]);
    assert_eq!(rows_without_a_crate(&[local]).len(), MAY_USE.len() - 1);
}
