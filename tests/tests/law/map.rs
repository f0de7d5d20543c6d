//! `ARCHITECTURE.md` is the map: what it names in backticks is there, and its glossary stays short.

use std::{collections::BTreeSet, fs};

use dacapo_domain::{delivery, run, schedule};
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::{source::none, workspace::root};

const MAP: &str = "ARCHITECTURE.md";

const GLOSSARY_HOLDS: usize = 25;

/// Endings by which a word in backticks is taken for a file. So is one with a slash.
const ENDINGS: &[&str] = &[".rs", ".json", ".toml", ".py", ".md"];

const DEFINERS: &[&str] = &["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "union", "macro_rules"];

#[test]
fn architecture_md_names_only_what_is_there() {
    let text = fs::read_to_string(root().join(MAP)).unwrap_or_else(|error| {
        panic!(
            "{MAP}: {error}. Write the map of the repository at its top: paths in backticks from the top \
             (`shared/core/src/commit.rs`), a name in a file as `path/file.rs::name`, and a `## Glossary` of at most \
             {GLOSSARY_HOLDS} entries"
        )
    });
    let read = |path: &str| {
        let path = root().join(path);
        if path.is_dir() { Some(String::new()) } else { fs::read_to_string(path).ok() }
    };
    none([places(&text, &read), glossary(&text)].concat());
}

#[test]
fn architecture_md_draws_the_tables_as_they_are() {
    let text = fs::read_to_string(root().join(MAP)).unwrap();
    let drawn = [run::table::diagram(), delivery::table::diagram(), schedule::table::diagram()];
    let old = drawn.into_iter().filter(|diagram| !text.contains(diagram.as_str()));
    none(
        old.map(|it| format!("{MAP}: `cargo run -p dacapo-domain --example diagrams` prints another:\n{it}")).collect(),
    );
}

/// Paths and names in backticks that lead nowhere.
fn places(text: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = vec![];
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let quoted = line.split('`').skip(1).step_by(2);
            found.extend(quoted.filter_map(|word| wrong(word, read)).map(|it| format!("{MAP}:{}: {it}", number + 1)));
        }
    }
    found
}

/// The fault of a word in backticks.
fn wrong(word: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let (path, names) = match word.split_once(".rs::") {
        Some((file, names)) => (format!("{file}.rs"), Some(names)),
        None => (word.to_owned(), None),
    };
    let is_file = path.contains('/') || ENDINGS.iter().any(|ending| path.ends_with(ending));
    if !is_file || path.contains("://") || path.contains(char::is_whitespace) {
        return None;
    }
    // Of `functions/<name>/src/lib.rs` and `shared/*` the part before is looked for.
    let fixed = path.split_once(['<', '*', '{']).map_or(path.as_str(), |(before, _)| before);
    let fixed = if fixed == path { fixed } else { fixed.rsplit_once('/').map_or(".", |(folder, _)| folder) };
    let Some(code) = read(fixed) else {
        return Some(format!(
            "`{fixed}` isn't there; write the whole path from the top, or take what is no file out of backticks"
        ));
    };
    let names: Vec<&str> = names?.trim_end_matches("()").split("::").collect();
    let (defined, said) = names_of(&code.parse().ok()?);
    let last = names.last()?;
    let is_there = defined.contains(*last) && names.iter().all(|name| said.contains(*name));
    (!is_there).then(|| {
        let name = names.join("::");
        format!("`{path}` defines no `{name}`; the form is `path/file.rs::name`, or `path/file.rs::Type::name`")
    })
}

/// The names that code defines, and all that it says.
fn names_of(code: &TokenStream) -> (BTreeSet<String>, BTreeSet<String>) {
    struct Variants(BTreeSet<String>);
    impl Visit<'_> for Variants {
        fn visit_variant(&mut self, variant: &syn::Variant) {
            self.0.insert(variant.ident.to_string());
        }
    }
    let mut variants = Variants(BTreeSet::new());
    if let Ok(file) = syn::parse2(code.clone()) {
        variants.visit_file(&file);
    }
    let (mut defined, mut said) = (variants.0, BTreeSet::new());
    words(code.clone(), &mut defined, &mut said);
    (defined, said)
}

fn words(code: TokenStream, defined: &mut BTreeSet<String>, said: &mut BTreeSet<String>) {
    let mut before = String::new();
    for token in code {
        match token {
            TokenTree::Group(group) => words(group.stream(), defined, said),
            TokenTree::Ident(word) => {
                let word = word.to_string();
                said.insert(word.clone());
                if DEFINERS.contains(&before.as_str()) {
                    defined.insert(word.clone());
                }
                before = word;
            }
            TokenTree::Punct(punct) if punct.as_char() == '!' => {} // of `macro_rules! name`
            _ => before.clear(),
        }
    }
}

/// The faults of the glossary: the rows of its table, or the items of its list, are counted.
fn glossary(text: &str) -> Vec<String> {
    let Some((before, section)) = text.split_once("\n## Glossary") else {
        return vec![format!("{MAP}: has no `## Glossary`; add one of at most {GLOSSARY_HOLDS} entries")];
    };
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).count().saturating_sub(2); // its head, and the line
    let items = section.lines().filter(|line| line.starts_with("- ") || line.starts_with("* ")).count();
    let line = before.matches('\n').count() + 2; // the section's own line break went into the cut
    match rows + items {
        0 => vec![format!("{MAP}:{line}: the glossary is empty; write table rows or list items")],
        count if count > GLOSSARY_HOLDS => {
            vec![format!("{MAP}:{line}: the glossary has {count} entries; keep the {GLOSSARY_HOLDS} that matter")]
        }
        _ => vec![],
    }
}

fn places_of(text: &str) -> Vec<String> {
    let read = |path: &str| match path {
        "shared/a/src/b.rs" => {
            Some("pub struct B; impl B { fn new() {} } enum E { One } impl C { fn c() {} }".to_owned())
        }
        "shared/a" | "functions" | "Cargo.toml" => Some(String::new()),
        _ => None,
    };
    places(text, &read)
}

#[test]
fn paths_and_names_that_are_there_are_passed() {
    let text = "`shared/a`, `Cargo.toml`, `functions/<name>/src/lib.rs`, `shared/a/src/b.rs::B`, `cargo test -p x/y`\n\
                `shared/a/src/b.rs::B::new()` `shared/a/src/b.rs::E::One` `shared/a/src/b.rs::C::c` `B` `https://a/b`\n\
                ```text\n`no/such`\n```";
    assert_eq!(places_of(text), [""; 0]);
}

#[test]
fn paths_and_names_that_lead_nowhere_are_told() {
    let found =
        places_of("See `shared/a` and `a/src/b.rs`.\n\n`gone.toml`: `shared/a/src/b.rs::D`, `shared/a/src/b.rs::C`");
    assert_eq!(found.len(), 4);
    assert!(found[0].starts_with("ARCHITECTURE.md:1: `a/src/b.rs` isn't there"), "{found:?}");
    assert!(found[1].starts_with("ARCHITECTURE.md:3: `gone.toml` isn't there"), "{found:?}");
    assert!(found[2].starts_with("ARCHITECTURE.md:3: `shared/a/src/b.rs` defines no `D`; the form is"), "{found:?}");
    assert!(found[3].starts_with("ARCHITECTURE.md:3: `shared/a/src/b.rs` defines no `C`"), "{found:?}");
}

#[test]
fn a_glossary_has_one_to_twenty_five_rows_or_items() {
    let table = |rows| {
        format!(
            "# Map\n\n## Glossary\n\n| word | means |\n|---|---|\n{}\n## Next\n- item\n",
            "| a | b |\n".repeat(rows)
        )
    };
    assert_eq!(glossary(&table(25)), [""; 0]);
    assert_eq!(glossary(&table(26)), ["ARCHITECTURE.md:3: the glossary has 26 entries; keep the 25 that matter"]);
    assert_eq!(glossary("# Map\n\n## Glossary\n- a\n* b\n"), [""; 0]);
    assert_eq!(glossary("# Map\n\n## Glossary\n").len(), 1);
    assert_eq!(glossary("# Map\n").len(), 1);
}
