//! The sources that the rules read, the paths that they mention, and how findings are told.

use std::{fs, path::Path};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::workspace::root;

/// A Rust file of the repository.
pub struct Source {
    /// Relative to the top, with slashes.
    pub path: String,
    pub text: String,
}

/// A path (`a::b::c`, or one word) that a source mentions outside of comments and strings. Those of a `use` with
/// braces are told one by one.
#[derive(Debug, PartialEq)]
pub struct Mention {
    pub path: Vec<String>,
    pub line: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// All tokens; a file that Rust can't read ends the test.
    pub fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|error| panic!("{} is no Rust: {error}", self.path))
    }
}

/// All Rust files under these folders of the repository, in their order.
pub fn sources(folders: &[&str]) -> Vec<Source> {
    let mut found = vec![];
    for folder in folders {
        collect(&root().join(folder), &mut found);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(Source::new(&relative(&path), &fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A path as findings tell it: relative to the top.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Ends the test with everything that was found, one finding a line.
#[track_caller]
pub fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "{} found:\n\n{}\n", findings.len(), findings.join("\n"));
}

/// All paths that tokens mention.
pub fn mentions(tokens: TokenStream) -> Vec<Mention> {
    let mut found = vec![];
    walk(tokens, &[], &mut found);
    found
}

fn walk(tokens: TokenStream, before: &[String], found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(word) if *word == "as" && !before.is_empty() => at += 1,
            TokenTree::Ident(word) => {
                let line = word.span().start().line;
                let mut path = [before, &[word.to_string()]].concat();
                let mut group = None;
                while group.is_none() && is_colons(&tokens[at + 1..]) {
                    match tokens.get(at + 3) {
                        Some(TokenTree::Ident(next)) => path.push(next.to_string()),
                        Some(TokenTree::Group(braces)) if braces.delimiter() == Delimiter::Brace => {
                            group = Some(braces.stream());
                        }
                        _ => break,
                    }
                    at += 3;
                }
                match group {
                    Some(inner) => walk(inner, &path, found),
                    None => found.push(Mention { path, line }),
                }
            }
            // Braces within those of a `use` have no path of their own before them.
            TokenTree::Group(group) => walk(group.stream(), &[], found),
            _ => {}
        }
        at += 1;
    }
}

fn is_colons(tokens: &[TokenTree]) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    tokens.len() > 1 && is_colon(&tokens[0]) && is_colon(&tokens[1])
}

/// A name right after another word, as in `struct Name` or `let name`.
pub struct Definition {
    pub keyword: String,
    pub name: String,
    pub line: usize,
}

/// All names that tokens define, and whatever else stands after a word.
pub fn definitions(tokens: TokenStream) -> Vec<Definition> {
    let mut found = vec![];
    let mut before = None;
    for token in tokens {
        let word = match &token {
            TokenTree::Ident(word) => Some(word.to_string()),
            TokenTree::Group(group) => {
                found.extend(definitions(group.stream()));
                None
            }
            _ => None,
        };
        if let (Some(keyword), Some(name)) = (before, &word) {
            found.push(Definition { keyword, name: name.clone(), line: token.span().start().line });
        }
        before = word;
    }
    found
}

/// Tokens without the items that stand under `#[cfg(test)]`.
pub fn without_tests(tokens: TokenStream) -> TokenStream {
    let mut kept = vec![];
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)" => {
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    _ => false,
                };
                tokens.by_ref().find(ends);
            }
            TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                kept.push(TokenTree::Group(inner));
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

fn paths(text: &str) -> Vec<String> {
    mentions(text.parse().unwrap()).into_iter().map(|mention| mention.path.join("::")).collect()
}

#[test]
fn paths_in_the_braces_of_a_use_are_told_one_by_one() {
    assert_eq!(
        paths("use std::{env, fs::{self, File as Handle}};"),
        ["use", "std::env", "std::fs::self", "std::fs::File",]
    );
}

#[test]
fn paths_in_code_and_macros_are_told_but_not_those_in_strings_and_comments() {
    assert_eq!(paths("f(a::b::<c::D>(), vec![\"no::such\"]) // no::other"), ["f", "a::b", "c::D", "vec"]);
}

#[test]
fn items_for_tests_alone_are_left_out() {
    let tokens =
        "use a::b; #[cfg(test)] mod tests { use c::d; } #[cfg(test)] use e::f; mod g { #[cfg(test)] fn h() {} }";
    let kept = mentions(without_tests(tokens.parse().unwrap()));
    let kept: Vec<String> = kept.into_iter().map(|mention| mention.path.join("::")).collect();
    assert_eq!(kept, ["use", "a::b", "mod", "g"]);
}
