//! One way to write: a record is stored by `commit` alone, with its condition, its retries and its effects.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::source::{Source, none, sources, without_tests};

/// The verbs of the records' port that write.
const VERBS: &[&str] = &["create", "create_all", "save", "delete", "postpone", "append", "expire_overflow", "gather"];

/// The one way.
const WAY: &[&str] = &["shared/core/src/commit.rs", "shared/core/src/commit/"];

/// The file that hands other processes' calls on to the port and decides nothing. Those that implement it may too.
const SERVER: &str = "shared/local/src/rpc/server.rs";

#[test]
fn records_are_written_by_commit_alone() {
    none(
        sources(&["shared", "infra", "functions"])
            .iter()
            .filter(|source| is_bound(&source.path) && !implements(source))
            .flat_map(writes)
            .collect(),
    );
}

/// Is true where the rule holds for a file: the product's own code is bound; tests, examples and the way itself aren't.
fn is_bound(path: &str) -> bool {
    let is_product = path.contains("/src/") && !path.contains("/tests/") && !path.ends_with("/tests.rs");
    is_product && !WAY.iter().chain(&[SERVER]).any(|exempt| path.starts_with(exempt))
}

/// Is true of a file with an implementation of the port, which may hand a call on to another.
fn implements(source: &Source) -> bool {
    source.text.lines().any(|line| line.starts_with("impl Records for "))
}

/// Calls of a writing verb on `records`, whether a field, a variable or a method's answer.
fn writes(source: &Source) -> Vec<String> {
    let mut found = vec![];
    find(without_tests(source.tokens()), source, &mut found);
    found
}

fn find(tokens: TokenStream, source: &Source, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => find(group.stream(), source, found),
            TokenTree::Ident(word) if word == "records" => {
                let mut rest = tokens[at + 1..].iter().skip_while(|token| is_call(token));
                let (dot, verb) = (rest.next(), rest.next());
                if let (Some(TokenTree::Punct(dot)), Some(TokenTree::Ident(verb))) = (dot, verb)
                    && dot.as_char() == '.'
                    && VERBS.iter().any(|writing| verb == writing)
                    && rest.next().is_some_and(is_call)
                {
                    let place = format!("{}:{}", source.path, verb.span().start().line);
                    found.push(format!("{place}: writes a record by `records.{verb}`; give its input to `commit`"));
                }
            }
            _ => {}
        }
    }
}

/// The parentheses of a call.
fn is_call(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

fn written(text: &str) -> Vec<String> {
    writes(&Source::new("shared/x/src/a.rs", text))
}

#[test]
fn a_write_past_commit_is_told_however_the_records_are_reached() {
    for call in ["ports.records.save(a)", "self.records().create(a, b)", "records\n.delete(a)", "f!(x.records.save(a))"]
    {
        assert_eq!(written(&format!("fn f() {{ {call}.await }}")).len(), 1, "{call}");
    }
    assert_eq!(
        written("fn f() {\n    records.save(a);\n}"),
        ["shared/x/src/a.rs:2: writes a record by `records.save`; give its input to `commit`"]
    );
}

#[test]
fn reads_other_writes_definitions_and_tests_are_passed() {
    for text in [
        "fn f() { records.load(a); records.query(b); }",
        "fn f() { file.save(a); records.saved.save(a); records.save; }",
        "impl Records for Store { fn save(&self) {} }",
        "#[cfg(test)] mod tests { fn f() { records.save(a) } }",
    ] {
        assert_eq!(written(text), [""; 0], "{text}");
    }
}

#[test]
fn commit_the_server_implementations_and_tests_may_write() {
    assert!(implements(&Source::new("shared/x/src/a.rs", "impl Records for Faulty {}")));
    assert!(!implements(&Source::new("shared/x/src/a.rs", "fn f(records: &dyn Records) {}")));
    for path in [
        "shared/core/src/commit/mod.rs",
        "shared/local/src/rpc/server.rs",
        "shared/aws/tests/a.rs",
        "shared/aws/src/tests.rs",
    ] {
        assert!(!is_bound(path), "{path}");
    }
    for path in ["shared/core/src/runner/run.rs", "shared/core/src/commitment.rs", "functions/conductor/src/main.rs"] {
        assert!(is_bound(path), "{path}");
    }
}
