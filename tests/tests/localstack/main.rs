//! The sample app on LocalStack, from the deployed template: what AWS itself must carry.
//!
//! All tests share one stack, so each looks at runs of its own, and waits until what it expects is there.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod account;
mod app;
mod borders;
#[path = "../../../shared/dashboard/tests/all/browser.rs"]
#[expect(dead_code, reason = "the dashboard's own tests need all of it")]
mod browser;
mod bulk;
#[path = "../../../shared/dashboard/tests/browser/chromium.rs"]
#[expect(dead_code, reason = "the dashboard's own tests need all of it")]
mod chromium;
mod contract;
mod crashes;
mod direct;
mod events;
mod families;
mod inspected;
mod kept;
#[cfg(target_os = "linux")]
mod killed;
mod later;
mod load;
mod long;
mod lost;
mod outside;
mod project;
mod replaced;
mod rounds;
mod schedules;
mod seen;
mod shared;
mod throttled;
mod tokens;
mod undelivered;
