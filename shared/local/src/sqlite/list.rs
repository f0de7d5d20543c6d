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

/// A state as it is told, in terms of what is stored: where to look, and what must be true there.
///
/// Becoming due writes nothing, so a scheduled run is submitted from its time on. Of those that are scheduled, few
/// are due and not running yet: they are found by their time.
fn stored_as(state: Option<State>) -> Vec<(&'static str, &'static str)> {
    match state {
        None => vec![("runs", "true")],
        Some(State::Scheduled) => vec![("runs", "state = :state AND due_at > :now")],
        Some(State::Submitted) => vec![
            ("runs", "state = :state"),
            ("runs INDEXED BY runs_scheduled", "state = 'scheduled' AND due_at <= :now"),
        ],
        Some(_) => vec![("runs", "state = :state")],
    }
}

fn rows(connection: &Connection, (from, fits): (&str, &str), page: &Wanted) -> rusqlite::Result<Vec<(String, RunRow)>> {
    let of_task = if page.task.is_some() { "name = :task" } else { "true" };
    let columns = RunRow::COLUMNS;
    let sql = format!(
        "SELECT {columns}, id FROM {from} WHERE id < :before AND {of_task} AND {fits}
         AND (ttl IS NULL OR ttl > :seconds) ORDER BY id DESC LIMIT :limit"
    );
    let all: [(&str, &dyn ToSql); 6] = [
        (":before", &page.before),
        (":task", &page.task),
        (":state", &page.state),
        (":now", &page.now),
        (":seconds", &page.seconds),
        (":limit", &page.limit),
    ];
    let params: Vec<_> = all.into_iter().filter(|(name, _)| sql.contains(name)).collect();
    query(connection, &sql, params.as_slice(), |row| Ok((row.get(5)?, RunRow::read(row)?)))
}

struct Wanted {
    task: Option<String>,
    state: Option<&'static str>,
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
            state: filter.state.map(State::name),
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
