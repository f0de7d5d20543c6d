//! Validates a page of airports: one of many runs, side by side, that `import-airports` waits for.

use app::{Page, Place, VALIDATE_PAGE};
use dacapo::prelude::*;

/// The task.
pub fn function() -> impl Function {
    task(VALIDATE_PAGE, validate).private().concurrency(4)
}

async fn validate(page: Page, _: TaskContext) -> Result<usize, TaskError> {
    match page.airports.iter().zip(page.first_row..).find(|(airport, _)| !is_valid(airport)) {
        Some((Place { iata, latitude, .. }, row)) => {
            let text = format!("row {row} is no airport: {iata:?} at {latitude} degrees north");
            Err(TaskError::terminal(text).code("BAD_AIRPORT"))
        }
        None => Ok(page.airports.len()),
    }
}

/// Three letters, and a place on Earth.
fn is_valid(airport: &Place) -> bool {
    let Place { iata, name, latitude } = airport;
    iata.len() == 3 && iata.bytes().all(|byte| byte.is_ascii_uppercase()) && !name.is_empty() && latitude.abs() <= 90.0
}
