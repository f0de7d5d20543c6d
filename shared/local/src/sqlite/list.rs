//! Pages of runs, newest first.

use dacapo::port::{ListFilter, Page, PortError, PortErrorKind, PortResult};
use dacapo_domain::{Id, State};
use rusqlite::{Connection, ToSql};

use super::{
    Database,
    rows::{RunRow, millis, query},
};

/// Runs of one page, at most.
const PAGE: usize = 1_000;

/// The states as they are stored, and what else must be true, for a state as it is told: becoming due writes
/// nothing, so a scheduled run is submitted from its time on.
fn stored_as(state: Option<State>) -> Vec<(Option<&'static str>, &'static str)> {
    match state {
        None => vec![(None, "")],
        Some(State::Scheduled) => vec![(Some("scheduled"), " AND due_at > :now")],
        Some(State::Submitted) => vec![(Some("submitted"), ""), (Some("scheduled"), " AND due_at <= :now")],
        Some(state) => vec![(Some(state.name()), "")],
    }
}

fn rows(
    connection: &Connection,
    (state, also): (Option<&str>, &str),
    page: &Wanted,
) -> rusqlite::Result<Vec<(String, RunRow)>> {
    let task = if page.task.is_some() { " AND name = :task" } else { "" };
    let of_state = if state.is_some() { " AND state = :state" } else { "" };
    let columns = RunRow::COLUMNS;
    let sql = format!(
        "SELECT {columns}, id FROM runs WHERE id < :before{task}{of_state}{also} AND (ttl IS NULL OR ttl > :seconds)
         ORDER BY id DESC LIMIT :limit"
    );
    let mut params: Vec<(&str, &dyn ToSql)> =
        vec![(":before", &page.before), (":seconds", &page.seconds), (":limit", &page.limit)];
    if let Some(task) = &page.task {
        params.push((":task", task));
    }
    if let Some(state) = &state {
        params.push((":state", state));
    }
    if !also.is_empty() {
        params.push((":now", &page.now));
    }
    query(connection, &sql, params.as_slice(), |row| Ok((row.get(5)?, RunRow::read(row)?)))
}

struct Wanted {
    task: Option<String>,
    before: String,
    now: i64,
    seconds: i64,
    limit: i64,
}

impl Database {
    pub(super) async fn list_runs(&self, filter: &ListFilter) -> PortResult<Page> {
        let limit = filter.limit.clamp(1, PAGE);
        let now = self.now();
        let page = Wanted {
            task: filter.task.clone(),
            before: before(filter.cursor.as_deref())?,
            now: millis(now),
            seconds: now.as_second(),
            // One more tells whether there is another page.
            limit: i64::try_from(limit + 1).unwrap_or(i64::MAX),
        };
        let states = stored_as(filter.state);
        let mut found = self
            .call(move |connection| {
                let mut found = vec![];
                for state in states {
                    found.extend(rows(connection, state, &page)?);
                }
                Ok(found)
            })
            .await?;
        found.sort_by(|(a, _), (b, _)| b.cmp(a));
        let more = found.len() > limit;
        found.truncate(limit);
        let cursor = found.last().filter(|_| more).map(|(id, _)| format!("{FORM}{id}"));
        let runs = found.into_iter().map(|(_, row)| row.stored()).collect::<PortResult<_>>()?;
        Ok(Page { runs, cursor })
    }
}

/// How cursors of this store begin; the rest is the id of the page's last run.
const FORM: &str = "local1.";

/// The id that a page's runs are older than. All ids come before `~`.
fn before(cursor: Option<&str>) -> PortResult<String> {
    let Some(cursor) = cursor else { return Ok("~".to_owned()) };
    let id = cursor.strip_prefix(FORM).and_then(|id| id.parse::<Id>().ok());
    id.map(|id| id.to_string()).ok_or_else(|| {
        let message = format!("failed to read the cursor {cursor:?} (take it from the page before, unchanged)");
        PortError::new(PortErrorKind::Refused, message)
    })
}
