//! Fires the schedules of an EventBridge Scheduler that only stores them, as LocalStack's does.
//!
//! It uses public APIs alone, so it works beside any LocalStack. Like the service it delivers at least once, counts
//! a `rate` from its creation, deletes what asks to be deleted once used, and puts what it can't deliver into the
//! schedule's dead-letter queue. Unlike it, it tries three times in a row instead of for a day.
//!
//! A schedule fires as the service keeps it at that moment: replaced or deleted a moment before, it fires as it is now
//! or not at all.

mod clock;
mod known;
mod plan;
mod target;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_scheduler::{primitives::DateTime, types::ScheduleSummary};
use jiff::Timestamp;
use tokio::time::Instant;

pub use clock::FirerClock;
use known::Known;
use plan::Plan;
use target::{Target, Targets};

/// The time between two ticks.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries of one delivery.
const TRIES: u32 = 3;
/// Fires of one schedule that are made up for at once, where the clock was moved over many.
const LATEST: usize = 20;

/// The firer of all schedules at an endpoint.
pub struct ScheduleFirer {
    scheduler: aws_sdk_scheduler::Client,
    targets: Targets,
    clock: FirerClock,
    twice: Option<String>,
    /// The time of the first tick. A recurring schedule's fires before it were another firer's, or are lost.
    since: Option<Timestamp>,
    known: HashMap<Name, Known>,
}

/// Group and name of a schedule.
type Name = (String, String);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

impl ScheduleFirer {
    /// A firer of all schedules at an endpoint.
    #[must_use]
    pub fn new(config: &SdkConfig, clock: FirerClock) -> Self {
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
                eprintln!("schedule firer: {}", chain(&*error));
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
            if let Err(error) = self.look_at(&name, summary.last_modification_date()).await {
                eprintln!("schedule firer: schedule {}/{}: {}", name.0, name.1, chain(&*error));
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

    async fn look_at(&mut self, name: &Name, modified: Option<&DateTime>) -> Result<(), AnyError> {
        if self.known.get(name).is_none_or(|known| known.may_have_changed(modified)) {
            self.read(name).await?;
        }
        let now = self.clock.now(&name.1);
        if self.known.get(name).is_some_and(|known| !known.due(now).is_empty()) {
            self.read(name).await?;
            self.fire_what_is_due(name, now).await;
        }
        if self.known.get(name).is_some_and(Known::is_used_up) {
            // It may have been replaced while it fired.
            self.read(name).await?;
            if self.known.get(name).is_some_and(Known::is_used_up) {
                self.delete(name).await?;
            }
        }
        Ok(())
    }

    /// Learns what the service keeps of a schedule now.
    async fn read(&mut self, name: &Name) -> Result<(), AnyError> {
        let asked = Instant::now();
        let reply = match self.scheduler.get_schedule().group_name(&name.0).name(&name.1).send().await {
            Ok(reply) => reply,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                self.known.remove(name);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let plan = Plan::read(&reply)?;
        match self.known.get_mut(name) {
            Some(known) if known.plan == plan => known.is_the_same(asked),
            _ => {
                // One that fires once is still there, so nobody has fired it.
                let done = if self.since.is_none() && !plan.is_once() { Timestamp::now() } else { Timestamp::MIN };
                self.known.insert(name.clone(), Known::new(plan, done, Instant::now()));
            }
        }
        Ok(())
    }

    async fn fire_what_is_due(&mut self, name: &Name, now: Timestamp) {
        let Some(known) = self.known.get(name) else { return };
        let due = known.due(now);
        for time in due.iter().skip(due.len().saturating_sub(LATEST)) {
            for _ in 0..if self.twice.as_ref() == Some(&name.0) { 2 } else { 1 } {
                self.fire(&known.plan, *time).await;
            }
        }
        if let Some(last) = due.last() {
            self.known.entry(name.clone()).and_modify(|known| known.done = *last);
        }
    }

    async fn delete(&mut self, name: &Name) -> Result<(), AnyError> {
        match self.scheduler.delete_schedule().group_name(&name.0).name(&name.1).send().await {
            Err(error) if !error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Err(error.into());
            }
            // Whoever makes one of this name again makes another.
            _ => self.known.remove(name),
        };
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
                    eprintln!("schedule firer: fired {} for {time}", plan.name);
                    return true;
                }
                Err(error) => eprintln!("schedule firer: {} for {time}: {}", plan.name, chain(&*error)),
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
