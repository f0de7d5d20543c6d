//! The history of a run with its times, and what is still to come.

use dacapo_domain::{RunView, State};
use jiff::Timestamp;
use maud::{Markup, html};

use super::parts;

/// The list of moments, earliest first.
pub fn show(run: &RunView, now: Timestamp) -> Markup {
    html! {
        ol class="timeline" {
            @for (name, at, class) in moments(run) {
                @let class = if at > now { "ahead" } else { class };
                li class=[(!class.is_empty()).then_some(class)] {
                    b { (name) } " "
                    small { (parts::moment(at, now)) }
                    small { (at.strftime("%F %T")) " UTC" }
                }
            }
        }
    }
}

fn moments(run: &RunView) -> Vec<(&'static str, Timestamp, &'static str)> {
    let next = match run.state {
        State::Waiting => Some(("next iteration", run.due_at, "")),
        State::Submitted if run.started_at.is_some() => Some(("next attempt", run.due_at, "")),
        _ => None,
    };
    let once = [
        Some(("created", run.created_at, "")),
        run.scheduled_at.map(|at| ("due", at, "")),
        run.submitted_at.filter(|at| Some(*at) != run.scheduled_at).map(|at| ("submitted", at, "")),
        run.started_at.map(|at| ("started", at, "")),
        next,
        run.completed_at.map(|at| ("completed", at, "completed")),
        run.failed_at.map(|at| ("failed", at, "failed")),
        run.aborted_at.map(|at| ("aborted", at, "")),
        run.expired_at.map(|at| ("expired", at, "")),
    ];
    let mut moments: Vec<_> = once.into_iter().flatten().collect();
    moments.sort_by_key(|(_, at, _)| *at);
    moments
}
