//! Sends the report of the day, or of the week: a task that only its schedules start.

use app::{NIGHTLY_REPORT, Report, Sent};
use dacapo::prelude::*;

/// The task: on working days at six in the morning, and every seven days.
pub fn function() -> impl Function {
    task(NIGHTLY_REPORT, send_report)
        .schedule(cron("0 6 ? * MON-FRI *").timezone("Europe/Berlin"), Report::Day)
        .schedule(every("7 days").skip_while_running(), Report::Week)
        .private()
}

async fn send_report(report: Report, cx: TaskContext) -> Result<Sent, TaskError> {
    let days = match report {
        Report::Day => 1,
        Report::Week => 7,
    };
    cx.log_info("report sent", report).await?;
    Ok(Sent { days })
}
