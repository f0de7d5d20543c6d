//! The guide: how Dacapo is used, chapter by chapter.
//!
//! | chapter | says |
//! |---|---|
//! | [`words`] | what each term means |
//! | [`project`] | how an app of your own begins, grows, and is deployed |
//! | [`functions`] | what a function is, and the options of a task |
//! | [`account`] | what a function needs of the account: rights, variables, secrets, resources of the app's own |
//! | [`deploys`] | what a deploy changes, when it asks, and what becomes of functions that are renamed or removed |
//! | [`runs`] | how runs are started, deduplicated, aborted and repeated |
//! | [`times`] | the forms in which a time is given |
//! | [`schedules`] | `every` and `cron`, declared or made at run time |
//! | [`handler`] | what a handler is told, may ask, and may return |
//! | [`states`] | the states of a run, and the fields of its record |
//! | [`errors`] | what is retried, and each error code |
//! | [`hooks`] | what runs around the handler and after the end |
//! | [`long_runs`] | how a run continues for months |
//! | [`load`] | how many attempts execute at once, and how many start in a time |
//! | [`tokens`] | how a run waits for a word from outside |
//! | [`events`] | how events are published, delivered and dropped |
//! | [`formats`] | how the AWS command line, other programs and rules of EventBridge start runs and publish events |
//! | [`lists`] | how runs are found again: by task, tag, parent, schedule, time, or when they are due |
//! | [`client`] | the client, its errors, and the command line |
//! | [`dashboard`] | the pages, and what they do by themselves |
//! | [`observability`] | what an app tells of itself: logs, metrics, alarms, traces |
//! | [`testing`] | how functions are tested |
//! | [`guarantees`] | what holds when something fails |
//! | [`limits`] | all numbers, and prices |
//! | [`recipes`] | fan-out and join, approval, debounce, catch-up, long import, outbox, webhook |
//! | [`troubleshooting`] | what each error code means, and what to do |
//! | [`coming_from`] | what is called how elsewhere, and the differences that bite |

#[doc = include_str!("account.md")]
pub mod account {}
#[doc = include_str!("client.md")]
pub mod client {}
#[doc = include_str!("coming_from.md")]
pub mod coming_from {}
#[doc = include_str!("dashboard.md")]
#[doc = include_str!("images/overview.md")]
#[doc = include_str!("images/run.md")]
#[doc = include_str!("images/phone.md")]
pub mod dashboard {}
#[doc = include_str!("deploys.md")]
pub mod deploys {}
#[doc = include_str!("errors.md")]
pub mod errors {}
#[doc = include_str!("events.md")]
pub mod events {}
#[doc = include_str!("formats.md")]
pub mod formats {}
#[doc = include_str!("functions.md")]
pub mod functions {}
#[doc = include_str!("guarantees.md")]
pub mod guarantees {}
#[doc = include_str!("handler.md")]
pub mod handler {}
#[doc = include_str!("hooks.md")]
pub mod hooks {}
#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("lists.md")]
pub mod lists {}
#[doc = include_str!("load.md")]
pub mod load {}
#[doc = include_str!("long_runs.md")]
pub mod long_runs {}
#[doc = include_str!("observability.md")]
pub mod observability {}
#[doc = include_str!("project.md")]
pub mod project {}
#[doc = include_str!("recipes.md")]
pub mod recipes {}
#[doc = include_str!("runs.md")]
pub mod runs {}
#[doc = include_str!("schedules.md")]
pub mod schedules {}
#[doc = include_str!("states.md")]
pub mod states {}
#[doc = include_str!("testing.md")]
pub mod testing {}
#[doc = include_str!("times.md")]
pub mod times {}
#[doc = include_str!("tokens.md")]
pub mod tokens {}
#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}
#[doc = include_str!("words.md")]
pub mod words {}

mod codes;
#[cfg(test)]
mod tests;

pub use codes::about;
