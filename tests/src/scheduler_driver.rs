//! Fires the schedules of an EventBridge Scheduler that only stores them, as LocalStack's does.
//!
//! It uses public APIs alone, so it works beside any LocalStack. Like the service it delivers at least once, counts
//! a `rate` from its creation, deletes what asks to be deleted once used, and puts what it can't deliver into the
//! schedule's dead-letter queue. Unlike it, it tries three times in a row instead of for a day.

mod clock;
mod plan;
mod target;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_scheduler::types::ScheduleSummary;
use jiff::Timestamp;

pub use clock::DriverClock;
use plan::Plan;
use target::{Target, Targets};

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries of one delivery.
const TRIES: u32 = 3;
/// Fires of one schedule that are made up for at once, where the clock was moved over many.
const LATEST: usize = 20;

/// What fires.
pub struct Driver {
    scheduler: aws_sdk_scheduler::Client,
    targets: Targets,
    clock: DriverClock,
    twice: Option<String>,
    /// When it first looked. What a recurring schedule should have fired before, somebody else has fired or nobody.
    since: Option<Timestamp>,
    known: HashMap<Name, Known>,
}

/// Group and name of a schedule.
type Name = (String, String);

struct Known {
    plan: Plan,
    /// Fires up to here are done.
    done: Timestamp,
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

impl Driver {
    /// A driver of all schedules at an endpoint.
    #[must_use]
    pub fn new(config: &SdkConfig, clock: DriverClock) -> Self {
        let scheduler = aws_sdk_scheduler::Client::new(config);
        Self { scheduler, targets: Targets::new(config), clock, twice: None, since: None, known: HashMap::new() }
    }

    /// The same, but every fire of this group is delivered twice: "at least once" made visible.
    #[must_use]
    pub fn twice_in(mut self, group: &str) -> Self {
        self.twice = Some(group.to_owned());
        self
    }

    /// Fires what is due, for ever. What goes wrong is said and tried again.
    pub async fn run(mut self) {
        loop {
            if let Err(error) = self.tick().await {
                eprintln!("scheduler driver: {}", chain(&*error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Fires what is due now.
    async fn tick(&mut self) -> Result<(), AnyError> {
        let summaries = self.list().await?;
        let names: HashSet<Name> = summaries.iter().map(name).collect();
        self.known.retain(|name, _| names.contains(name));
        for summary in summaries {
            let name = name(&summary);
            if let Err(error) = self.look_at(&name, &summary).await {
                eprintln!("scheduler driver: schedule {}/{}: {}", name.0, name.1, chain(&*error));
            }
        }
        self.since.get_or_insert_with(Timestamp::now);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<ScheduleSummary>, AnyError> {
        let mut pages = self.scheduler.list_schedules().into_paginator().items().send();
        let mut summaries = vec![];
        while let Some(summary) = pages.next().await {
            summaries.push(summary?);
        }
        Ok(summaries)
    }

    async fn look_at(&mut self, name: &Name, summary: &ScheduleSummary) -> Result<(), AnyError> {
        let modified = plan::modified(summary.last_modification_date());
        if self.known.get(name).is_none_or(|known| known.plan.modified != modified) {
            let reply = self.scheduler.get_schedule().group_name(&name.0).name(&name.1).send().await?;
            let plan = Plan::read(&reply)?;
            // One that fires once is still there, so nobody has fired it.
            let done = if self.since.is_none() && !plan.is_once() { Timestamp::now() } else { Timestamp::MIN };
            self.known.insert(name.clone(), Known { plan, done });
        }
        let Some(Known { plan, done }) = self.known.get(name) else { return Ok(()) };
        let now = self.clock.now(&name.1);
        let due = plan.due(*done, now);
        for time in due.iter().skip(due.len().saturating_sub(LATEST)) {
            for _ in 0..if self.twice.as_ref() == Some(&name.0) { 2 } else { 1 } {
                self.fire(plan, *time).await;
            }
        }
        if let Some(last) = due.last() {
            if plan.is_once() && plan.is_deleted_after {
                self.scheduler.delete_schedule().group_name(&name.0).name(&name.1).send().await?;
            }
            let done = *last;
            self.known.entry(name.clone()).and_modify(|known| known.done = done);
        }
        Ok(())
    }

    async fn fire(&self, plan: &Plan, time: Timestamp) {
        if !self.deliver(&plan.target, plan, time, TRIES).await
            && let Some(dead_letters) = &plan.dead_letters
        {
            self.deliver(dead_letters, plan, time, 1).await;
        }
    }

    /// Says whether one of the tries went well.
    async fn deliver(&self, target: &Target, plan: &Plan, time: Timestamp, tries: u32) -> bool {
        for attempt in 1..=tries {
            match self.targets.deliver(target, &plan.input_of(time, attempt)).await {
                Ok(()) => {
                    eprintln!("scheduler driver: fired {} for {time}", plan.name);
                    return true;
                }
                Err(error) => eprintln!("scheduler driver: {} for {time}: {}", plan.name, chain(&*error)),
            }
        }
        false
    }
}

fn name(summary: &ScheduleSummary) -> Name {
    (summary.group_name().unwrap_or_default().to_owned(), summary.name().unwrap_or_default().to_owned())
}

/// An error with its causes: the SDK's own text is "service error".
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts.join(": ")
}
