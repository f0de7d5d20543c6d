//! Reads the airports of the world, page by page: a long task that continues, waits for others and for an approval, reports
//! and can be aborted.

mod airports;

use app::{IMPORT_AIRPORTS, Import, Imported, VALIDATE_PAGE, Validation};
use dacapo::prelude::*;

/// The task.
pub fn function() -> impl Function {
    task(IMPORT_AIRPORTS, import_airports).timeout(minutes(1)).history(days(30))
}

async fn import_airports(mut job: Import, cx: TaskContext) -> Result<Outcome<Import, Imported>, TaskError> {
    if job.rows_per_page == 0 {
        return Err(TaskError::terminal("rows_per_page is 0 (allowed: 1 and more)").code("BAD_PAGE"));
    }
    if job.needs_approval {
        let token = cx.token("approve").timeout(days(3)).await?;
        match cx.told::<bool>("approve").await? {
            None => {
                cx.log_info("to be approved: complete this token with `true` or `false`", &token).await?;
                return Ok(Continue::when_told(token, job));
            }
            Some(Told::Value(true)) => job.needs_approval = false,
            Some(Told::Value(false) | Told::TimedOut) => return Ok(Aborted),
        }
    }
    match job.validation {
        Validation::Asked => {
            let pages = airports::pages(job.rows_per_page).terminal()?;
            let checks = cx.batch(VALIDATE_PAGE, pages).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
            return Ok(Continue::when_done(checks, Import { validation: Validation::Started, ..job }));
        }
        Validation::Started => {
            let rows = cx.children(VALIDATE_PAGE).await?.results().await?;
            cx.log_info(format!("{} pages have no fault", rows.len()), ()).await?;
            job.validation = Validation::Skipped;
        }
        Validation::Skipped => {}
    }
    let total = airports::total();
    loop {
        if cx.is_aborted().await? {
            return Ok(Aborted);
        }
        let page = airports::page(job.so_far.rows, job.rows_per_page).terminal()?;
        airports::add(&mut job.so_far, page);
        let rows = job.so_far.rows;
        cx.progress(format!("{rows} of {total} airports"), rows as f64 / total as f64).await?;
        cx.log_info(format!("read {rows} of {total} airports"), ()).await?;
        if rows >= total {
            return Ok(Done(airports::sum_up(job.so_far)));
        }
        if job.pause_s > 0 || cx.is_close_to_timeout() {
            return Ok(Continue::after(seconds(job.pause_s), job));
        }
    }
}
