//! A walk through every page, with the text that a reader sees of it kept as a snapshot: `INSTA_UPDATE=always` writes it
//! anew.

use std::{collections::BTreeMap, fmt::Write as _};

use regex_lite::Regex;

use crate::{browser::Browser, sample};

/// Columns of the text.
const WIDTH: usize = 120;
/// The time that handlers took, and prices, which depend on it and on the bytes of a stack: they are this machine's.
const TOOK: &str = r"[0-9]+ ms|\$[0-9.]+";
/// The causes of an error, which have a trace of the machine's own where the environment asks for one.
const STACK: &str = r#"(?s)<details id="stack">.*?</details>"#;
const ID: &str = "[0-9A-HJKMNP-TV-Z]{26}";

/// The text of a page's content. `html2text` leaves out a `dl` whose pairs are grouped by `div`.
fn seen(html: &str) -> String {
    let html = Regex::new(STACK).unwrap().replace_all(html, "");
    let content = html.split_once("<main").map_or(&*html, |(_, content)| content);
    let pairs =
        [("<dl", "<div"), ("</dl>", "</div>"), ("<dt>", "<b>"), ("</dt>", "</b> "), ("<dd>", ""), ("</dd>", "")];
    let html = pairs.iter().fold(format!("<main{content}"), |html, (from, to)| html.replace(from, to));
    let config = html2text::config::plain_no_decorate().no_table_borders();
    let text = config.string_from_read(html.as_bytes(), WIDTH).unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[tokio::test]
async fn every_page_shows_what_it_showed_before() {
    let mut told = String::new();
    let new = sample::empty();
    let (day, paths) = sample::day().await;
    for (app, paths) in [(&new, vec!["/".to_owned(), "/overview".to_owned()]), (&day, paths)] {
        let browser = Browser::of(app.client());
        for path in paths {
            let page = browser.get(&path).await;
            write!(told, "GET {path}\n{}\n\n{}\n\n\n", page.status, seen(&page.text)).unwrap();
        }
    }
    let mut told = Regex::new(TOOK).unwrap().replace_all(&told, "…").into_owned();
    let mut ids = BTreeMap::new();
    for id in Regex::new(ID).unwrap().find_iter(&told.clone()) {
        let next = format!("RUN-{}", ids.len() + 1);
        let name = ids.entry(id.as_str().to_owned()).or_insert(next);
        told = told.replace(id.as_str(), name);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("walk", told);
    });
}
