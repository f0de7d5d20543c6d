//! A run's family: the run that it comes from, and those that it has started.

use dacapo::{ListFilter, Listed};
use dacapo_domain::RunView;
use maud::{Markup, html};

use super::parts;
use crate::{
    page::{Dashboard, PageError, runs_of},
    show::plain,
};

/// Children that one page shows.
const SHOWN: usize = 20;

/// The tree, where there is one.
pub async fn tree(dashboard: &Dashboard, run: &RunView) -> Result<Markup, PageError> {
    let filter = ListFilter { parent: Some(run.id), limit: SHOWN, ..ListFilter::default() };
    let children = dashboard.client.list(filter).await?;
    let this = html! { li { b { (plain(&run.name)) } (of(run, &children)) } };
    Ok(html! {
        @if run.parent_id.is_some() || !children.runs.is_empty() {
            div class="sheet" {
                h2 { "Family" }
                ul class="tree" {
                    @if let Some(parent) = run.parent_id {
                        li { "from " a class="id" href={ "/run/" (parent.to_string()) } { (parent.to_string()) } ul { (this) } }
                    } @else { (this) }
                }
            }
        }
    })
}

fn of(run: &RunView, children: &Listed) -> Markup {
    html! {
        @if !children.runs.is_empty() {
            ul {
                @for child in &children.runs {
                    li { (parts::state(child.state)) " " a href={ "/run/" (child.id.to_string()) } { (plain(&child.name)) } }
                }
                @if children.cursor.is_some() { li { a href=(runs_of("parent", &run.id.to_string())) { "and older ones" } } }
            }
        }
    }
}
