//! Names and types that the functions of the sample app share, and the hooks around all of its tasks.

use std::time::Instant;

use dacapo::{EventRef, Handled, HookContext, Hooks, Next, TaskError, TaskRef, assert_unique};
use serde::{Deserialize, Serialize};

/// Reads the airports of the world, page by page.
pub const IMPORT_AIRPORTS: TaskRef<Import, Imported> = TaskRef::new("import-airports");
/// Sends the mail that welcomes a user.
pub const SEND_WELCOME: TaskRef<Welcome> = TaskRef::new("send-welcome");
/// Sends the report of the day, or of the week.
pub const NIGHTLY_REPORT: TaskRef<Report, Sent> = TaskRef::new("nightly-report");
/// Validates a page of airports.
pub const VALIDATE_PAGE: TaskRef<Page, usize> = TaskRef::new("validate-page");
/// A user has joined.
pub const USER_JOINED: EventRef<UserJoined> = EventRef::new("user.joined");

const _: () =
    assert_unique(&[IMPORT_AIRPORTS.name(), SEND_WELCOME.name(), NIGHTLY_REPORT.name(), VALIDATE_PAGE.name()]);

/// The hooks of the whole app: each function's `main` serves it within them.
pub fn hooks() -> Hooks {
    Hooks::new().middleware(timed)
}

/// A line in the function's log for each attempt that returned, with the time it took.
async fn timed(next: Next, cx: HookContext) -> Result<Handled, TaskError> {
    let begun = Instant::now();
    let handled = next.run().await;
    let (took_ms, ok) = (begun.elapsed().as_millis(), handled.is_ok());
    tracing::info!(target = cx.target(), run = %cx.run_id(), attempt = cx.attempt(), took_ms, ok, "attempt returned");
    handled
}

/// A user has joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserJoined {
    /// The address that mail reaches them at.
    pub email: String,
}

/// The one to welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Welcome {
    /// The address that mail reaches them at.
    pub email: String,
}

/// The report to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Report {
    /// Yesterday's.
    Day,
    /// The last seven days'.
    Week,
}

/// The report that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Days that the report covers.
    pub days: u32,
}

/// The way in which the airports are read, and how far the reading is. `{}` reads them all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Import {
    /// Rows read at a time, 1 and more.
    pub rows_per_page: usize,
    /// Seconds between two pages; 0 reads on as long as the timeout allows.
    pub pause_s: u64,
    /// Says whether each page is validated first, by a run of its own.
    pub validation: Validation,
    /// Is true where someone must approve first, by completing the run's token `approve` with `true` within three days.
    pub needs_approval: bool,
    /// The sum of the pages so far.
    pub so_far: Tally,
}

/// The validation of all pages before they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// There is none, or it has found no fault.
    #[default]
    Skipped,
    /// It comes first.
    Asked,
    /// A run for each page was started.
    Started,
}

/// A page of airports to be validated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The number of its first row, from 0.
    pub first_row: usize,
    /// The rows.
    pub airports: Vec<Place>,
}

/// The sum of pages. It stays small however many there are, so that it travels in the input of a `continue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tally {
    /// Rows read.
    pub rows: usize,
    /// Countries seen: rows are sorted by country, so a change of country is another one.
    pub countries: usize,
    /// The country of the last row.
    pub last_country: String,
    /// Sum of all elevations, in feet.
    pub elevation_sum_ft: i64,
    /// The airport nearest to the north pole.
    pub northernmost: Option<Place>,
}

/// The findings about the airports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Airports in all.
    pub rows: usize,
    /// Countries that have one.
    pub countries: usize,
    /// Their mean elevation, in feet.
    pub mean_elevation_ft: f64,
    /// The one nearest to the north pole.
    pub northernmost: Option<Place>,
}

/// An airport, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The IATA code.
    pub iata: String,
    /// The name.
    pub name: String,
    /// Degrees north.
    pub latitude: f64,
}

impl Default for Welcome {
    /// The user of examples, so that the body `{}` works.
    fn default() -> Self {
        Self { email: "ada@example.org".to_owned() }
    }
}

impl Default for Import {
    fn default() -> Self {
        let (rows_per_page, pause_s, so_far) = (1_000, 2, Tally::default());
        Self { rows_per_page, pause_s, validation: Validation::Skipped, needs_approval: false, so_far }
    }
}
