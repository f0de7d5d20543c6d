use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;

use super::{Context, cron::preview, moment};
use crate::failure::Done;

/// The fires of a schedule that is created at --from: the first is its creation.
#[derive(Debug, Args)]
pub struct Every {
    /// A whole number of minutes, hours or days
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// When the schedule is created, as an RFC 3339 timestamp [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// So many fires
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    next: u16,
}

impl Every {
    pub fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        preview(cx, &dacapo_domain::every(self.text), self.from, self.next)
    }
}
