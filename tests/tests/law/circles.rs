//! No circles: within a crate, the files that import from each other form a stair.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    modules::{Files, Target, Tree},
    source::{none, relative, sources},
    workspace::packages,
};

/// From a file to one that it needs: the first line that says so, and what it says.
type Edges = BTreeMap<String, BTreeMap<String, (usize, String)>>;

#[test]
fn files_of_a_crate_import_in_no_circle() {
    let mut found = vec![];
    for package in packages() {
        let folder = relative(&package.folder);
        if ["shared/", "infra", "functions/"].iter().any(|part| folder.starts_with(part)) {
            let files = sources(&[&format!("{folder}/src")]).into_iter().map(|source| (source.path, source.text));
            found.extend(circles(&imports(&files.collect(), &format!("{folder}/src"))));
        }
    }
    none(found);
}

/// The imports from file to file. An item counts where it is defined, and, from outside, at the module that hands it on.
/// A module may use those below it: they are its parts, which may use what it defines for all of them.
fn imports(files: &Files, folder: &str) -> Edges {
    let mut edges = Edges::new();
    let roots = ["lib.rs", "main.rs"].map(|root| format!("{folder}/{root}"));
    for root in roots.iter().filter(|root| files.contains_key(*root)) {
        let tree = Tree::read(files, root);
        for mention in &tree.mentions {
            let Some(Target::ItemOf(target)) = tree.resolve(mention.module, &mention.path) else { continue };
            for target in [target].into_iter().chain(tree.door(mention.module, &mention.path)) {
                let (from, to) = (&tree.modules[mention.module].file, &tree.modules[target].file);
                if from != to && !tree.is_below(target, mention.module) {
                    let needs = edges.entry(from.clone()).or_default();
                    needs.entry(to.clone()).or_insert_with(|| (mention.line, mention.path.join("::")));
                }
            }
        }
    }
    edges
}

/// The text on each group of files that lead to each other: the shortest way round, and the others in it.
fn circles(edges: &Edges) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut found = vec![];
    for file in edges.keys() {
        if told.contains(file) || way(edges, file, file).is_none() {
            continue;
        }
        let others = edges.keys().filter(|other| *other == file || leads_round(edges, file, other));
        let group: Vec<&String> = others.collect();
        told.extend(group.iter().map(|file| (*file).clone()));
        let shortest = group.iter().filter_map(|file| way(edges, file, file)).min_by_key(Vec::len).unwrap();
        let mut text = format!("{} files import in a circle; the shortest way round:\n", group.len());
        for step in shortest.windows(2) {
            let (line, path) = &edges[&step[0]][&step[1]];
            text += &format!("    {}:{line} needs `{path}` of\n", step[0]);
        }
        text += &format!("    {}\n", shortest[0]);
        let names: Vec<&str> = group.iter().map(|file| file.as_str()).collect();
        text += &format!("  in the circle: {}\n", names.join(", "));
        text += "  move what both sides need into a file below them, or hand it in as an argument";
        found.push(text);
    }
    found
}

fn leads_round(edges: &Edges, file: &str, other: &str) -> bool {
    way(edges, file, other).is_some() && way(edges, other, file).is_some()
}

/// The shortest way from a file to another, or to itself, by at least one import.
fn way(edges: &Edges, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![from.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == to {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push_back(longer);
            }
        }
    }
    None
}

/// The circles of a sample crate, each by its files.
fn groups(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned())).collect();
    let found = circles(&imports(&files, "src"));
    found.iter().map(|text| text.split("in the circle: ").nth(1).unwrap().lines().next().unwrap().into()).collect()
}

#[test]
fn siblings_that_use_each_other_are_a_circle_told_file_by_file() {
    let files = [
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use super::b::B;\npub struct A(B);"),
        ("src/b.rs", "pub struct B;\nfn f() { crate::a::A::new() }"),
    ];
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let found = circles(&imports(&files, "src"));
    assert_eq!(found.len(), 1);
    let way = "    src/a.rs:1 needs `super::b::B` of\n    src/b.rs:2 needs `crate::a::A::new` of\n    src/a.rs\n";
    assert!(found[0].contains(way), "{}", found[0]);
}

#[test]
fn an_item_that_the_parent_re_exports_counts_where_it_is_defined() {
    let lib = ("lib.rs", "mod m;");
    let parent = ("m/mod.rs", "mod a; mod b; pub use a::A; pub use b::*;");
    let a = ("m/a.rs", "use super::B; pub struct A(B);");
    assert_eq!(groups(&[lib, parent, a, ("m/b.rs", "use super::A; pub struct B;")]), ["src/m/a.rs, src/m/b.rs"]);
    assert_eq!(groups(&[lib, parent, a, ("m/b.rs", "pub struct B;")]), [""; 0]);
}

#[test]
fn a_module_and_those_below_it_that_use_each_other_are_no_circle() {
    let lib = ("lib.rs", "mod m; use m::a::f; pub struct L; fn g() { f() }");
    let parent = ("m/mod.rs", "pub mod a; use a::f; pub struct P; fn g() { f() }");
    assert_eq!(groups(&[lib, parent, ("m/a.rs", "pub fn f() { super::P; crate::L }")]), [""; 0]);
}

#[test]
fn a_module_with_needs_of_its_own_is_in_a_circle_with_those_that_import_through_it() {
    let files =
        |parent| [("lib.rs", "mod b; mod m;"), ("b.rs", "use crate::m::A; pub struct B;"), ("m/mod.rs", parent)];
    let groups_with = |parent| groups(&[files(parent).as_slice(), &[("m/a.rs", "pub struct A;")]].concat());
    assert_eq!(groups_with("mod a; pub use a::A; fn f() { crate::b::B }"), ["src/b.rs, src/m/mod.rs"]);
    assert_eq!(groups_with("mod a; pub use a::A;"), [""; 0]);
}

#[test]
fn names_that_come_by_a_glob_a_rename_a_module_or_a_macro_count() {
    let b = |text| {
        groups(&[("lib.rs", "mod a; mod b; use a::A;"), ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", text)])
    };
    let circle = ["src/a.rs, src/b.rs"];
    assert_eq!(b("use super::*; struct B(A);"), circle);
    assert_eq!(b("use super::A as Other; struct B;"), circle);
    assert_eq!(b("use super::a; fn f() { a::A }"), circle);
    assert_eq!(b("fn f() { assert!(crate::a::A) }"), circle);
    assert_eq!(b("use super::a; struct B;"), [""; 0]);
    assert_eq!(b("use other::a::A; struct B;"), [""; 0]);
}

#[test]
fn import_for_tests_alone_makes_no_circle() {
    let a = ("a.rs", "use super::b::B; pub struct A;");
    let b = "pub struct B; #[cfg(test)] mod tests { use crate::a::A; } #[cfg(test)] use super::a::A;";
    assert_eq!(groups(&[("lib.rs", "mod a; mod b;"), a, ("b.rs", b)]), [""; 0]);
}

#[test]
fn a_module_and_a_function_of_one_name_are_told_apart() {
    let files = [("lib.rs", "mod a; mod b; pub use a::a;"), ("a.rs", "use super::b::B; pub fn a() {}")];
    assert_eq!(groups(&[files[0], files[1], ("b.rs", "use super::a; pub struct B;")]), ["src/a.rs, src/b.rs"]);
}
