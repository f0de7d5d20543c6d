//! Pieces of every list: its filter, its table's frame, the way to the other pages.

use maud::{Markup, html};
use serde::Serialize;

use crate::show::{plain, shorten};

/// Rows of one page.
pub const PAGE: usize = 50;

/// The text of a field that was filled.
pub fn given(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// A text for one line of a list.
pub fn brief(text: &str) -> String {
    plain(&shorten(text, 500))
}

/// The address of a page with this query.
pub fn address(path: &str, query: &impl Serialize) -> String {
    format!("{path}?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}

/// The newest rows of a list, by their states: what a page counts, since a count of all would read them all.
pub struct Counted {
    /// The name of each one's state.
    pub states: Vec<&'static str>,
    /// Is true where there are older ones.
    pub has_more: bool,
}

impl Counted {
    /// The newest rows that are counted, at most.
    pub const MOST: usize = 100;

    /// The choices of a state with the number of rows in each: at least so many, where there are older ones.
    pub fn choices(&self, names: &[&'static str], chosen: &str, to: impl Fn(&'static str) -> String) -> Markup {
        let more = if self.has_more { "+" } else { "" };
        let title = self.has_more.then(|| format!("counted among the newest {}", Self::MOST));
        let chip = |name: &'static str, says: &str, count: usize| {
            html! {
                a href=(to(name)) aria-current=[(name == chosen).then_some("true")] title=[title.as_ref()] {
                    (says) @if count > 0 { " " span class="count" { (count) (more) } }
                }
            }
        };
        html! {
            nav class="chips" aria-label="States" {
                (chip("", "all", self.states.len()))
                @for name in names { (chip(name, name, self.states.iter().filter(|state| *state == name).count())) }
            }
        }
    }
}

/// A field that chooses one of these names; what was chosen is one of them, though it may be gone by now.
pub fn select(field: &str, label: &str, none: &str, names: &[&str], chosen: &str) -> Markup {
    html! {
        select name=(field) aria-label=(label) {
            option value="" { (none) }
            @for name in names { option value=(name) selected[*name == chosen] { (brief(name)) } }
            @if !chosen.is_empty() && !names.contains(&chosen) { option value=(chosen) selected { (brief(chosen)) } }
        }
    }
}

/// The reasons why rows are missing.
pub fn left_out(unreadable: &[String]) -> Markup {
    html! { @for problem in unreadable { p class="notice" { "Left out: " (brief(problem)) } } }
}

/// A table with these headings; what it says where it has no rows stands in its place.
pub fn table(headings: &[&str], rows: &[Markup], none: &Markup) -> Markup {
    html! {
        div class="scroll" {
            @if rows.is_empty() { p class="empty" { (none) } } @else {
                table {
                    thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                    tbody { @for row in rows { (row) } }
                }
            }
        }
    }
}

/// The ways to the first page and the next one.
pub fn pages(newest: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        nav class="pages" aria-label="Pages of the list" {
            @if let Some(newest) = newest { a href=(newest) { "Newest" } }
            @if let Some(older) = older { a href=(older) rel="next" { "Older →" } }
        }
    }
}
