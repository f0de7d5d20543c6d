//! `doctor`: what is wrong with the tools, the account, the stack and the app, and what to do about it.

mod ask;
#[cfg_attr(all(not(feature = "aws"), not(test)), expect(dead_code, reason = "only AWS has accounts"))]
mod facts;
mod finding;
mod findings;
mod on_aws;
#[cfg(test)]
mod tests;
mod tools;

use std::process::ExitCode;

use clap::Args;
use console::style;
use dacapo::Health;
use serde::Serialize;

use self::{
    finding::{Finding, Severity, is, ok},
    findings::findings,
};
use super::stats;
use crate::{
    context::{Context, Place},
    failure::{CliResult, exit},
    output::line,
};

/// Exits with 0 if nothing worse than a warning is found, with 1 for a problem, 3 if the app isn't deployed, 4 without
/// access.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Show also what is as it should be
    #[arg(long)]
    all: bool,
}

/// The document for programs.
#[derive(Serialize)]
struct Report<'a> {
    /// The app and where it is, unless that can't be known.
    place: Option<&'a Place>,
    worst: Severity,
    findings: &'a [Finding],
}

impl Doctor {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let facts = ask::facts(cx).await?;
        let now = crate::output::now();
        let mut found = findings(&facts.facts);
        found.extend(facts.unreachable);
        match &facts.facts.health {
            Some(Ok(health)) => found.extend(of_health(health, now, &cx.global.typed_place)),
            Some(Err(why)) => {
                let next = Some(format!("dacapo stats{}", cx.global.typed_place));
                found.push(is("health", Severity::Note, why, next));
            }
            None => {}
        }
        let worst = found.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok);
        let code = found.iter().map(|finding| finding.exit).max().unwrap_or(exit::DONE);
        let report = Report { place: facts.place.as_ref(), worst, findings: &found };
        let given = cx.output.give(&report, || text(&report, self.all));
        Ok(if code == exit::DONE { given } else { ExitCode::from(code) })
    }
}

/// The findings of the app's own health.
fn of_health(health: &Health, now: jiff::Timestamp, place: &str) -> Vec<Finding> {
    if health.is_well() {
        return vec![ok("health", format!("{} tasks, all is well", health.tasks.len()))];
    }
    let problem = |finding: &dacapo::Finding| {
        let severity = match finding {
            dacapo::Finding::Overdue { .. } | dacapo::Finding::Failing { .. } => Severity::Problem,
            dacapo::Finding::DeadLetters { .. } | dacapo::Finding::Paused { .. } => Severity::Warning,
        };
        is("health", severity, stats::says(finding, now), Some(stats::next(finding) + place))
    };
    health.findings.iter().map(problem).collect()
}

fn text(report: &Report<'_>, all: bool) -> String {
    let word = |severity| match severity {
        Severity::Ok => style("ok     ").green(),
        Severity::Note => style("note   ").dim(),
        Severity::Warning => style("warning").yellow().bold(),
        Severity::Problem => style("problem").red().bold(),
    };
    let place = report.place.map(|place| format!("{place}: ")).unwrap_or_default();
    let verdict = match report.worst {
        Severity::Ok | Severity::Note => style("all is well").green().bold(),
        Severity::Warning | Severity::Problem => style("needs a look").red().bold(),
    };
    let mut lines = vec![format!("{place}{verdict}")];
    let mut shown: Vec<&Finding> = report.findings.iter().filter(|it| all || it.severity != Severity::Ok).collect();
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in shown {
        lines.push(format!("  {}  {:<11}  {}", word(finding.severity), finding.check, line(&finding.found, 200)));
        if let Some(next) = &finding.next {
            lines.push(format!("  {:7}  {:<11}  {}", "", "", style(next).dim()));
        }
    }
    let fine = report.findings.iter().filter(|it| it.severity == Severity::Ok).count();
    if !all {
        lines.push(format!("  {fine} others are as they should be (--all shows them)"));
    }
    lines.join("\n")
}
