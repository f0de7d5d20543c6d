//! The things deliberately absent from the code of a crate, so that what is proved of it in one place holds in another.

use proc_macro2::{TokenStream, TokenTree};

use crate::{
    source::{Source, mentions, none, relative, sources},
    workspace::{Kind, Package, packages},
};

/// The libraries that the domain may name: time, data, errors.
const DOMAIN_MAY_NAME: &[&str] = &["data-encoding", "jiff", "serde", "serde_json", "subtle", "thiserror", "ulid"];

/// The deeds that the domain leaves: to wait, read a clock or the environment, roll dice, touch files or the network.
const NOT_IN_THE_DOMAIN: &[&str] = &[
    "async",
    "await",
    "tokio",
    "Timestamp::now",
    "ZonedDateTime::now",
    "SystemTime",
    "Instant::now",
    "std::env",
    "std::fs",
    "std::net",
    "std::thread",
    "fastrand",
    "println",
];

/// The services that the core and the SDK leave to adapters. A `*` stands for any ending.
const NOT_IN_THE_CORE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "tokio::fs",
    "tokio::net",
    "aws",
    "aws_config",
    "aws_lambda_events",
    "aws_sdk_*",
    "aws_smithy_*",
    "dacapo_aws",
    "lambda_runtime",
];

/// The beginning of Step Functions' own error names, which the adapter to it translates.
const STEP_FUNCTIONS: &str = "States.";

#[test]
fn the_domain_knows_no_async_no_clock_no_environment_and_no_chance() {
    let domain = package("dacapo-domain");
    none([named_beyond(&domain, DOMAIN_MAY_NAME), code_of(&domain, |source| said(source, NOT_IN_THE_DOMAIN))].concat());
}

#[test]
fn the_core_knows_no_files_no_network_and_no_aws() {
    none(code_of(&package("dacapo-core"), outside));
}

#[test]
fn the_sdk_knows_no_files_no_network_and_no_aws() {
    none(code_of(&package("dacapo"), outside));
}

#[test]
fn the_engine_knows_no_injected_fault() {
    none(code_of(&package("dacapo-local"), faults));
}

fn package(name: &str) -> Package {
    let found = packages().into_iter().find(|package| package.name == name);
    found.unwrap_or_else(|| panic!("the workspace has no package {name}; its rule can't be checked"))
}

fn code_of(package: &Package, rule: impl FnMut(&Source) -> Vec<String>) -> Vec<String> {
    sources(&[&format!("{}/src", relative(&package.folder))]).iter().flat_map(rule).collect()
}

fn named_beyond(package: &Package, allowed: &[&str]) -> Vec<String> {
    let named = package.uses(Kind::Product).filter(|used| !allowed.contains(used));
    let (place, name) = (package.place(), &package.name);
    named.map(|used| format!("{place}: {name} names {used}; it may name {}", allowed.join(", "))).collect()
}

/// The places where code reaches for what its adapters know.
fn outside(source: &Source) -> Vec<String> {
    [said(source, NOT_IN_THE_CORE), quoted(source, STEP_FUNCTIONS)].concat()
}

/// The places where code says one of these words or paths. Its documentation and strings may.
fn said(source: &Source, words: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for mention in mentions(source.tokens()) {
        for word in words {
            let parts: Vec<&str> = word.split("::").collect();
            let is_said = |path: &[String]| path.iter().zip(&parts).all(|(name, part)| matches(name, part));
            if mention.path.windows(parts.len()).any(is_said) {
                let place = format!("{}:{}", source.path, mention.line);
                found.push(format!("{place}: says `{word}`; take it as an argument, or leave it to an adapter"));
            }
        }
    }
    found
}

fn matches(name: &str, part: &str) -> bool {
    part.strip_suffix('*').map_or(name == part, |beginning| name.starts_with(beginning))
}

/// The places where a string in code says this. Documentation may.
fn quoted(source: &Source, word: &str) -> Vec<String> {
    let mut lines = vec![];
    literals(source.tokens(), word, &mut lines);
    lines.dedup();
    let told =
        |line| format!("{}:{line}: a string says `{word}`; the adapter translates the service's words", source.path);
    lines.into_iter().map(told).collect()
}

fn literals(tokens: TokenStream, word: &str, lines: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Literal(literal) if literal.to_string().contains(word) => {
                lines.push(literal.span().start().line)
            }
            TokenTree::Group(group) => {
                let first = group.stream().into_iter().next();
                if !matches!(first, Some(TokenTree::Ident(first)) if first == "doc") {
                    literals(group.stream(), word, lines);
                }
            }
            _ => {}
        }
    }
}

/// The names of faults that a test injects: with the word "fault", or a crash before or after something.
fn faults(source: &Source) -> Vec<String> {
    let mut found = vec![];
    for mention in mentions(source.tokens()) {
        for name in &mention.path {
            let words = words(name);
            let is_crash = |pair: &[String]| pair[0] == "crash" && ["before", "after"].contains(&pair[1].as_str());
            if words.iter().any(|word| word.starts_with("fault")) || words.windows(2).any(is_crash) {
                let place = format!("{}:{}", source.path, mention.line);
                found.push(format!("{place}: names the injected fault `{name}`; faults are for dacapo-test-kit"));
            }
        }
    }
    found
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_inside = false;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && is_inside) {
            words.push(String::new());
        }
        is_inside = letter.is_lowercase();
        words.last_mut().unwrap().extend(letter.to_lowercase().filter(|letter| *letter != '_'));
    }
    words
}

#[test]
fn a_word_that_a_crate_never_says_is_told_however_it_is_imported() {
    let source = |text: &str| said(&Source::new("shared/domain/src/a.rs", text), NOT_IN_THE_DOMAIN);
    for text in [
        "async fn f() {}",
        "use std::{collections::BTreeMap, env};",
        "use std::time::{Duration, SystemTime};",
        "fn f() { g(jiff::Timestamp::now()) }",
        "fn f() { println!(\"\") }",
        "tokio::pin!(a);",
    ] {
        assert_eq!(source(text).len(), 1, "{text}");
    }
    assert_eq!(source("/// Async, as std::env.\nfn f() { g(\"tokio\", now, env!(\"A\"), Timestamp::MAX) }"), [""; 0]);
    let told = "shared/domain/src/a.rs:2: says `async`; take it as an argument, or leave it to an adapter";
    assert_eq!(source("\nasync fn f() {}"), [told]);
}

#[test]
fn aws_is_told_in_the_core_by_crate_and_by_the_words_of_its_service() {
    let core = |text: &str| Source::new("shared/core/src/a.rs", text);
    assert_eq!(said(&core("use aws_sdk_sqs::Client; use dacapo_aws::connect; mod aws;"), NOT_IN_THE_CORE).len(), 3);
    assert_eq!(said(&core("use crate::awsome; fn laws() { a.aws_expression() }"), NOT_IN_THE_CORE), [""; 0]);
    assert_eq!(
        quoted(&core("/// `States.Timeout`\nfn f() { g!(\"States.Timeout\") }"), STEP_FUNCTIONS),
        ["shared/core/src/a.rs:2: a string says `States.`; the adapter translates the service's words"]
    );
}

#[test]
fn an_injected_fault_is_told_and_a_default_or_a_crash_is_none() {
    let engine = |text: &str| faults(&Source::new("shared/local/src/a.rs", text)).len();
    for name in ["Fault", "FaultPlan", "with_faults", "Faulty", "crash_before_save", "CrashAfter", "DEFAULT_FAULTS"] {
        assert_eq!(engine(&format!("fn f() {{ {name} }}")), 1, "{name}");
    }
    assert_eq!(engine("fn f() { Default::default(); unwrap_or_default; crashed(Crash); DEFAULT }"), 0);
}

#[test]
fn a_library_that_the_domain_may_not_name_is_told() {
    let domain = Package::sample("dacapo-domain", "shared/domain", &["jiff", "tokio"], &["proptest"]);
    let told = "shared/domain/Cargo.toml: dacapo-domain names tokio; it may name jiff, serde";
    assert_eq!(named_beyond(&domain, &["jiff", "serde"]), [told]);
}
