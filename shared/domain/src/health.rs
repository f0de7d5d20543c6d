//! Health: what an app's runs, queues and deliveries come to, and what of it needs a look.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{RunView, State, WaitsFor, until};

/// The time after which a run that is due and not taken is overdue: the conductor would have sent it again by then.
const OVERDUE: Duration = Duration::from_secs(150);
/// A task fails where so many of its last runs did, and of those that ended one in so many.
const FAILURES: usize = 3;
const ONE_IN: usize = 5;

/// The facts that health is told from.
#[derive(Clone, Debug, Default)]
pub struct HealthFacts {
    /// Unfinished runs, or those of them that are due first.
    pub unfinished: Vec<RunView>,
    /// Is true where there are more of them.
    pub has_more: bool,
    /// The states of the last runs of each task.
    pub last: Vec<(String, Vec<State>)>,
    /// The queues that are paused and for which runs wait.
    pub paused: Vec<String>,
    /// Deliveries that are tried again.
    pub retrying: usize,
    /// Dead letters.
    pub dead_letters: usize,
}

/// The health of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The things that need a look, the gravest first; none of an app that is well.
    pub findings: Vec<Finding>,
    /// The tasks, by name.
    pub tasks: Vec<TaskHealth>,
    /// Is true where there are more unfinished runs than were counted.
    pub has_more: bool,
    /// Deliveries that are tried again: 1,000 may be more.
    pub retrying: usize,
    /// Dead letters: 1,000 may be more.
    pub dead_letters: usize,
}

/// The runs of a task: its unfinished ones, as far as they were counted, and what became of its last ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskHealth {
    /// The task.
    pub task: String,
    /// Runs that are not due yet, or wait for a time, a token or their children.
    pub waiting: usize,
    /// Runs that are due.
    pub due: usize,
    /// The time since which the first of those is due.
    pub oldest_due_at: Option<Timestamp>,
    /// Runs of which an attempt executes.
    pub running: usize,
    /// Runs that wait for a place.
    pub parked: usize,
    /// Runs that are paused.
    pub paused: usize,
    /// Those of the last runs that have ended.
    pub ended: usize,
    /// Those of them that failed.
    pub failed: usize,
}

/// A thing that needs a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Finding {
    /// Runs of a task are due for minutes, and no function takes them.
    Overdue {
        /// The task.
        task: String,
        /// Their number.
        count: usize,
        /// The time since which the first is due.
        oldest_due_at: Timestamp,
    },
    /// Of a task's last runs many failed.
    Failing {
        /// The task.
        task: String,
        /// Those that failed.
        failed: usize,
        /// Those that ended.
        ended: usize,
    },
    /// Deliveries were given up.
    DeadLetters {
        /// Their number.
        count: usize,
    },
    /// A queue is paused, and runs wait for it.
    Paused {
        /// The queue.
        queue: String,
    },
}

impl Health {
    /// The health that follows from the facts.
    #[must_use]
    pub fn of(facts: HealthFacts, now: Timestamp) -> Self {
        let HealthFacts { unfinished, has_more, last, paused, retrying, dead_letters } = facts;
        let mut tasks: Vec<TaskHealth> =
            last.into_iter().map(|(task, states)| TaskHealth::ended(task, &states)).collect();
        let mut overdue: Vec<(String, Timestamp)> = vec![];
        for run in &unfinished {
            if is_due(run, now) && until(run.due_at, now) >= OVERDUE {
                overdue.push((run.name.clone(), run.due_at));
            }
            match tasks.iter_mut().find(|it| it.task == run.name) {
                Some(task) => task.count(run, now),
                None => {
                    let mut task = TaskHealth { task: run.name.clone(), ..TaskHealth::default() };
                    task.count(run, now);
                    tasks.push(task);
                }
            }
        }
        tasks.sort_by(|a, b| a.task.cmp(&b.task));
        let of_tasks = tasks.iter().flat_map(|task| [task.overdue(&overdue), task.failing()]).flatten();
        let dead = (dead_letters > 0).then_some(Finding::DeadLetters { count: dead_letters });
        let mut findings: Vec<Finding> =
            of_tasks.chain(dead).chain(paused.into_iter().map(|queue| Finding::Paused { queue })).collect();
        findings.sort_by_key(Finding::rank);
        Self { findings, tasks, has_more, retrying, dead_letters }
    }

    /// Is true where nothing needs a look.
    #[must_use]
    pub const fn is_well(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Is true of a run whose attempt could begin.
fn is_due(run: &RunView, now: Timestamp) -> bool {
    run.state == State::Submitted && run.due_at <= now && !is_parked(run)
}

const fn is_parked(run: &RunView) -> bool {
    matches!(run.waits_for, Some(WaitsFor::Place { .. }))
}

impl TaskHealth {
    fn ended(task: String, states: &[State]) -> Self {
        let ended = states.iter().filter(|state| state.is_final()).count();
        let failed = states.iter().filter(|state| **state == State::Failed).count();
        Self { task, ended, failed, ..Self::default() }
    }

    fn count(&mut self, run: &RunView, now: Timestamp) {
        match run.state {
            State::Running => self.running += 1,
            State::Paused => self.paused += 1,
            _ if is_parked(run) => self.parked += 1,
            _ if is_due(run, now) => {
                self.due += 1;
                self.oldest_due_at = Some(self.oldest_due_at.map_or(run.due_at, |oldest| oldest.min(run.due_at)));
            }
            _ => self.waiting += 1,
        }
    }

    fn overdue(&self, overdue: &[(String, Timestamp)]) -> Option<Finding> {
        let due = || overdue.iter().filter(|(task, _)| *task == self.task).map(|(_, due_at)| *due_at);
        due().min().map(|oldest_due_at| Finding::Overdue {
            task: self.task.clone(),
            count: due().count(),
            oldest_due_at,
        })
    }

    fn failing(&self) -> Option<Finding> {
        let Self { task, failed, ended, .. } = self;
        let fails = *failed >= FAILURES && failed * ONE_IN >= *ended;
        fails.then(|| Finding::Failing { task: task.clone(), failed: *failed, ended: *ended })
    }
}

impl Finding {
    const fn rank(&self) -> u8 {
        match self {
            Self::Overdue { .. } => 0,
            Self::Failing { .. } => 1,
            Self::DeadLetters { .. } => 2,
            Self::Paused { .. } => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seconds;

    fn now() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    fn run(task: &str, state: State, due_at: Timestamp) -> RunView {
        let text = format!(
            r#"{{"id":"01KDVJ29Q0Q0B9FME0N1VT25N3","name":"{task}","state":"{state}","trigger":"run","tags":[],"attempt":1,
            "iteration":1,"createdAt":"2026-01-01T00:00:00Z","dueAt":"{due_at}"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn of(unfinished: Vec<RunView>) -> Health {
        Health::of(HealthFacts { unfinished, ..HealthFacts::default() }, now())
    }

    #[test]
    fn app_is_well_where_its_runs_are_taken_and_most_of_them_complete() {
        let mut last = vec![State::Completed; 17];
        last.extend([State::Failed, State::Failed, State::Running]);
        let unfinished = vec![run("a", State::Running, now()), run("b", State::Submitted, now() - seconds(100))];
        let facts =
            HealthFacts { unfinished, last: vec![("a".to_owned(), last)], retrying: 2, ..HealthFacts::default() };
        let health = Health::of(facts, now());
        assert!(health.is_well(), "{health:?}");
        let a = TaskHealth { task: "a".to_owned(), running: 1, ended: 19, failed: 2, ..TaskHealth::default() };
        let oldest_due_at = Some(now() - seconds(100));
        let b = TaskHealth { task: "b".to_owned(), due: 1, oldest_due_at, ..TaskHealth::default() };
        assert_eq!(health.tasks, [a, b]);
    }

    #[test]
    fn run_that_is_due_for_minutes_is_found_but_not_one_that_waits_for_a_place_or_is_paused() {
        let since = now() - seconds(200);
        let mut parked = run("a", State::Submitted, since);
        parked.waits_for = Some(WaitsFor::Place { scope: "task.a".to_owned(), key: None });
        let paused = run("a", State::Paused, since);
        let later = run("a", State::Scheduled, now() + seconds(60));
        let health = of(vec![parked.clone(), paused.clone(), later.clone()]);
        assert!(health.is_well(), "{health:?}");
        let TaskHealth { parked: on_line, paused: held, waiting, .. } = health.tasks[0];
        assert_eq!((on_line, held, waiting), (1, 1, 1));
        let due = [run("a", State::Submitted, since), run("a", State::Submitted, since - seconds(60))];
        let found = Finding::Overdue { task: "a".to_owned(), count: 2, oldest_due_at: since - seconds(60) };
        assert_eq!(of([vec![parked, paused, later], due.to_vec()].concat()).findings, [found]);
    }

    #[test]
    fn findings_are_told_gravest_first_and_few_failures_are_none() {
        let states =
            |failed: usize, completed: usize| [vec![State::Failed; failed], vec![State::Completed; completed]].concat();
        let (few, rare, many) = (states(2, 0), states(3, 13), states(3, 12));
        let last = [("few", few), ("rare", rare), ("many", many)].map(|(task, states)| (task.to_owned(), states));
        let facts = HealthFacts {
            unfinished: vec![run("z", State::Submitted, now() - seconds(200))],
            last: last.to_vec(),
            paused: vec!["mail".to_owned()],
            dead_letters: 4,
            ..HealthFacts::default()
        };
        let oldest_due_at = now() - seconds(200);
        let expected = [
            Finding::Overdue { task: "z".to_owned(), count: 1, oldest_due_at },
            Finding::Failing { task: "many".to_owned(), failed: 3, ended: 15 },
            Finding::DeadLetters { count: 4 },
            Finding::Paused { queue: "mail".to_owned() },
        ];
        assert_eq!(Health::of(facts, now()).findings, expected);
    }
}
