//! One-time and recurring schedules, over EventBridge Scheduler.

use std::{sync::Arc, time::Duration};

use aws_sdk_scheduler::{
    Client,
    error::SdkError,
    operation::{
        create_schedule::CreateScheduleError, delete_schedule::DeleteScheduleError,
        update_schedule::UpdateScheduleError,
    },
    types::{
        ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState, Target,
    },
};
use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult};
use dacapo_domain::{APP_DLQ, AWS_SCHEDULED_TIME, Json, Recurrence, Schedule, ScheduleError, aws_at};
use jiff::Timestamp;

use crate::{
    error::Operation,
    schedule_name::{hashed, plain},
    stack::{Service, Stack},
};

/// The app's group of schedules: one-time ones, and recurring ones made at run time.
pub(crate) struct Scheduler {
    client: Client,
    dynamodb: aws_sdk_dynamodb::Client,
    stack: Arc<Stack>,
    clock: Arc<dyn Clock>,
}

/// A schedule as the service keeps it. An update resets what it doesn't name, so all of it is named each time.
struct Entry<'a> {
    name: &'a str,
    expression: String,
    time_zone: &'a str,
    /// The function whose queue is sent to.
    function: &'a str,
    /// The message.
    input: String,
    /// Is true where it is deleted once used.
    once: bool,
}

/// The soonest that a one-time schedule is set for: Scheduler takes a time that has passed and then does nothing, and
/// its precision is a minute.
const SOONEST: Duration = Duration::from_secs(60);
/// A schedule may come or go between two calls; more often than this is no coincidence.
const TRIES: u32 = 3;

impl Scheduler {
    pub(crate) fn new(
        client: Client,
        dynamodb: aws_sdk_dynamodb::Client,
        stack: Arc<Stack>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client, dynamodb, stack, clock }
    }

    /// Sets a one-time schedule, which is deleted once used.
    pub(crate) async fn put_timer(&self, timer: &str, function: &str, message: &Json, at: Timestamp) -> PortResult<()> {
        let at = at.max(self.clock.now() + SOONEST);
        let (expression, input) = (aws_at(at), message.text().to_owned());
        self.put(&Entry { name: &plain(timer), expression, time_zone: "UTC", function, input, once: true }).await
    }

    /// Deletes a one-time schedule. One that isn't there is no error.
    pub(crate) async fn cancel_timer(&self, timer: &str) -> PortResult<()> {
        self.delete(&plain(timer)).await
    }

    /// Sets a recurring schedule. Its name ends in a hash, so that it is never taken for a declared one.
    pub(crate) async fn put_schedule(&self, name: &str, function: &str, schedule: &Schedule) -> PortResult<()> {
        let recurrence = schedule.check().map_err(refused)?;
        let (expression, once) = match (&recurrence, recurrence.aws_expression()) {
            (_, Some(expression)) => (expression, false),
            (Recurrence::At(when), None) => {
                let at = when.resolve(self.clock.now()).map_err(|error| refused(error.into()))?;
                (aws_at(at), true)
            }
            (_, None) => return Err(PortError::new(PortErrorKind::Refused, format!("{schedule} has no expression"))),
        };
        let (time_zone, input) = (recurrence.aws_time_zone(), fire(name));
        self.put(&Entry { name: &hashed(name), expression, time_zone, function, input, once }).await
    }

    /// Deletes a recurring schedule. One that isn't there is no error.
    pub(crate) async fn delete_schedule(&self, name: &str) -> PortResult<()> {
        self.delete(&hashed(name)).await
    }

    /// Creates the schedule, or replaces the one of this name.
    async fn put(&self, entry: &Entry<'_>) -> PortResult<()> {
        let target = self.target(entry).await?;
        for _ in 0..TRIES {
            if self.create(entry, &target).await? || self.update(entry, &target).await? {
                return Ok(());
            }
        }
        let message = format!("failed to put the schedule {:?}: it comes and goes (try again)", entry.name);
        Err(PortError::new(PortErrorKind::Transient, message))
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        let delete = self.client.delete_schedule().group_name(self.stack.prefix()).name(name);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), DeleteScheduleError::ResourceNotFoundException(_)) =>
            {
                Ok(())
            }
            Err(error) => {
                Err(self.stack.errors(Service::Scheduler).port(Operation::of("delete the schedule", name), error))
            }
        }
    }

    /// Creates the schedule, and says whether there was none of this name.
    async fn create(&self, entry: &Entry<'_>, target: &Target) -> PortResult<bool> {
        let create = self
            .client
            .create_schedule()
            .group_name(self.stack.prefix())
            .name(entry.name)
            .schedule_expression(&entry.expression)
            .schedule_expression_timezone(entry.time_zone)
            .flexible_time_window(on_time())
            .action_after_completion(after(entry))
            .state(ScheduleState::Enabled)
            .target(target.clone());
        match create.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), CreateScheduleError::ConflictException(_)) =>
            {
                Ok(false)
            }
            Err(error) => {
                Err(self.stack.errors(Service::Scheduler).port(Operation::of("create the schedule", entry.name), error))
            }
        }
    }

    /// Replaces the schedule, and says whether there was one of this name.
    async fn update(&self, entry: &Entry<'_>, target: &Target) -> PortResult<bool> {
        let update = self
            .client
            .update_schedule()
            .group_name(self.stack.prefix())
            .name(entry.name)
            .schedule_expression(&entry.expression)
            .schedule_expression_timezone(entry.time_zone)
            .flexible_time_window(on_time())
            .action_after_completion(after(entry))
            .state(ScheduleState::Enabled)
            .target(target.clone());
        match update.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), UpdateScheduleError::ResourceNotFoundException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(self
                .stack
                .errors(Service::Scheduler)
                .port(Operation::of("replace the schedule", entry.name), error)),
        }
    }

    /// The function's queue; what can't be sent there goes into the app's dead-letter queue, which the conductor drains.
    async fn target(&self, entry: &Entry<'_>) -> PortResult<Target> {
        let queue = self.stack.arn(&self.dynamodb, "sqs", &self.stack.queue(entry.function)).await?;
        let app_dlq = self.stack.arn(&self.dynamodb, "sqs", &self.stack.queue(APP_DLQ)).await?;
        let role = format!("role/{}-scheduler", self.stack.prefix());
        let role = self.stack.arn(&self.dynamodb, "iam", &role).await?;
        Target::builder()
            .arn(queue)
            .role_arn(role)
            .input(inert(&entry.input))
            .dead_letter_config(DeadLetterConfig::builder().arn(app_dlq).build())
            .build()
            .map_err(incomplete)
    }
}

/// A [`Message::Fire`](dacapo_domain::Message::Fire) whose time the service writes.
fn fire(schedule: &str) -> String {
    let schedule = serde_json::Value::from(schedule);
    format!(r#"{{"fire/1":{{"schedule":{schedule},"time":"{PLACEHOLDER}"}}}}"#)
}

/// The stand-in for the scheduled time until the rest of an input is inert. No JSON string holds the character itself.
const PLACEHOLDER: &str = "\u{1}scheduled-time\u{1}";

/// The input without the service's placeholders but for our own. Scheduler writes times and ids where it finds
/// `<aws.scheduler.…>`, in a user's text too; JSON needs no `<`, so it is escaped.
fn inert(input: &str) -> String {
    input.replace('<', "\\u003c").replace(PLACEHOLDER, AWS_SCHEDULED_TIME)
}

#[expect(clippy::expect_used, reason = "the mode, which it demands, is set")]
fn on_time() -> FlexibleTimeWindow {
    let mut window = FlexibleTimeWindow::builder();
    window = window.mode(FlexibleTimeWindowMode::Off);
    window.build().expect("the mode is set")
}

fn after(entry: &Entry<'_>) -> ActionAfterCompletion {
    if entry.once { ActionAfterCompletion::Delete } else { ActionAfterCompletion::None }
}

fn incomplete(error: aws_sdk_scheduler::error::BuildError) -> PortError {
    PortError::new(PortErrorKind::Refused, "failed to describe the schedule's target").caused_by(error)
}

fn refused(error: ScheduleError) -> PortError {
    PortError::new(PortErrorKind::Refused, format!("failed to put the schedule: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use dacapo_domain::Message;

    use super::*;

    #[test]
    fn input_of_a_recurring_schedule_leaves_the_service_the_time_to_write_and_nothing_else() {
        let name = "tenant <aws.scheduler.execution-id> \"7\"";
        let input = inert(&fire(name));
        assert_eq!(input.matches("<aws.scheduler.").count(), 1);

        let sent = input.replace("<aws.scheduler.scheduled-time>", "2026-11-21T19:00:00Z");
        let Message::Fire(fire) = Message::from_text(&sent).unwrap() else { panic!("{sent}") };
        assert_eq!(fire.schedule, name);
        assert_eq!(fire.time, "2026-11-21T19:00:00Z".parse().unwrap());
    }
}
