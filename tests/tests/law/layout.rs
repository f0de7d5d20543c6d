//! The first sights of a stranger: the top of the repository, and the `main` of a function.

use std::fs;

use syn::{Item, visit::Visit};

use crate::{
    source::{Source, none, relative},
    workspace::{Package, packages, root},
};

/// The entries of the top.
const TOP: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "findings",
    "functions",
    "infra",
    "rust-toolchain.toml",
    "shared",
    "target",
    "tests",
];

/// The number of statements that compose a function and serve it.
const MAIN_HOLDS: usize = 3;

#[test]
fn top_of_the_repository_holds_only_what_is_named_here() {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    none(beyond_the_top(entries.collect()));
}

#[test]
fn the_main_of_a_function_is_at_most_three_statements() {
    let mut found = vec![];
    for package in packages().iter().filter(|package| package.is_in("functions") || package.is_in("tests/lambdas")) {
        let file = package.folder.join("src/main.rs");
        found.extend(more_than_composed(&Source::new(&relative(&file), &fs::read_to_string(&file).unwrap())));
    }
    none(found);
}

#[test]
fn every_function_is_served_within_the_hooks_of_the_app() {
    let of_tasks = |package: &&Package| package.is_in("functions") && package.name != "conductor";
    none(
        packages()
            .iter()
            .filter(of_tasks)
            .filter_map(|package| {
                let file = package.folder.join("src/main.rs");
                let is_within = fs::read_to_string(&file).unwrap().contains("app::hooks().around(");
                (!is_within).then(|| format!("{}: serves without `app::hooks().around(…)`", relative(&file)))
            })
            .collect(),
    );
}

fn beyond_the_top(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    let others = names.iter().filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()));
    others
        .map(|name| format!("{name}: stands at the top; move it to a folder of the house, or add it to TOP"))
        .collect()
}

/// The things that a binary holds beside a short `main`.
fn more_than_composed(source: &Source) -> Vec<String> {
    struct Functions(Vec<(String, usize, usize)>);
    impl Visit<'_> for Functions {
        fn visit_item_fn(&mut self, item: &syn::ItemFn) {
            let name = &item.sig.ident;
            self.0.push((name.to_string(), name.span().start().line, item.block.stmts.len()));
            syn::visit::visit_item_fn(self, item);
        }
    }
    let file = syn::parse_file(&source.text).unwrap();
    let mut functions = Functions(vec![]);
    functions.visit_file(&file);
    let mut found = vec![];
    for (name, line, statements) in functions.0 {
        let place = format!("{}:{line}", source.path);
        if name != "main" {
            found.push(format!("{place}: holds `{name}` beside main; move it to the function's library"));
        } else if statements > MAIN_HOLDS {
            found.push(format!("{place}: main has {statements} statements; compose and serve in {MAIN_HOLDS}"));
        }
    }
    if file.items.iter().any(|item| matches!(item, Item::Impl(_))) {
        found.push(format!("{}: holds an impl beside main; move it to the function's library", source.path));
    }
    found
}

#[test]
fn a_stranger_at_the_top_is_told() {
    let names = |names: &[&str]| beyond_the_top(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(names(&["shared", ".github", "README.md"]), [""; 0]);
    let told = "notes.txt: stands at the top; move it to a folder of the house, or add it to TOP";
    assert_eq!(names(&["shared", "notes.txt"]), [told]);
}

#[test]
fn a_long_main_and_what_stands_beside_it_are_told() {
    let main = |text: &str| more_than_composed(&Source::new("functions/a/src/main.rs", text));
    assert_eq!(
        main("//! Serves.\n\nfn main() -> R {\n    let a = b();\n    // why\n    c(a);\n    serve(a)\n}"),
        [""; 0]
    );
    assert_eq!(
        main("fn main() { a(); b(); c(); d() }"),
        ["functions/a/src/main.rs:1: main has 4 statements; compose and serve in 3"]
    );
    let told = "functions/a/src/main.rs:2: holds `help` beside main; move it to the function's library";
    assert_eq!(main("fn main() {}\nfn help() {}"), [told]);
    assert_eq!(main("fn main() {\nfn help() {} }"), [told]);
    assert_eq!(main("fn main() {}\nimpl A {}").len(), 1);
}
