//! What one-time and recurring schedules have in common, over EventBridge Scheduler.

use std::sync::Arc;

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
use dacapo::port::{Clock, PortError, PortErrorKind, PortResult};

use crate::{Stack, error::What, stack::UNDELIVERED};

/// The app's group of schedules: the port of one-time ones, and of those made at run time.
pub(crate) struct Scheduler {
    client: Client,
    dynamodb: aws_sdk_dynamodb::Client,
    stack: Arc<Stack>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A schedule as the service keeps it. An update resets what it doesn't name, so all of it is named each time.
pub(crate) struct Plan<'a> {
    pub(crate) name: &'a str,
    pub(crate) expression: String,
    pub(crate) time_zone: &'a str,
    /// The function whose queue is sent to.
    pub(crate) function: &'a str,
    /// The message.
    pub(crate) input: String,
    /// Whether it is deleted once used.
    pub(crate) once: bool,
}

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

    /// Creates the schedule, or replaces the one of this name.
    pub(crate) async fn keep(&self, plan: &Plan<'_>) -> PortResult<()> {
        let target = self.target(plan).await?;
        for _ in 0..TRIES {
            if self.create(plan, &target).await? || self.update(plan, &target).await? {
                return Ok(());
            }
        }
        let message = format!("failed to put the schedule {:?}: it comes and goes (try again)", plan.name);
        Err(PortError::new(PortErrorKind::Transient, message))
    }

    /// Deletes the schedule. One that isn't there is no error.
    pub(crate) async fn remove(&self, name: &str) -> PortResult<()> {
        let delete = self.client.delete_schedule().group_name(self.stack.prefix()).name(name);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), DeleteScheduleError::ResourceNotFoundException(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.stack.errors().port(What::of("delete the schedule", name), error)),
        }
    }

    /// Says whether there was none of this name.
    async fn create(&self, plan: &Plan<'_>, target: &Target) -> PortResult<bool> {
        let create = self
            .client
            .create_schedule()
            .group_name(self.stack.prefix())
            .name(plan.name)
            .schedule_expression(&plan.expression)
            .schedule_expression_timezone(plan.time_zone)
            .flexible_time_window(on_time())
            .action_after_completion(after(plan))
            .state(ScheduleState::Enabled)
            .target(target.clone());
        match create.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), CreateScheduleError::ConflictException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.stack.errors().port(What::of("create the schedule", plan.name), error)),
        }
    }

    /// Says whether there was one of this name.
    async fn update(&self, plan: &Plan<'_>, target: &Target) -> PortResult<bool> {
        let update = self
            .client
            .update_schedule()
            .group_name(self.stack.prefix())
            .name(plan.name)
            .schedule_expression(&plan.expression)
            .schedule_expression_timezone(plan.time_zone)
            .flexible_time_window(on_time())
            .action_after_completion(after(plan))
            .state(ScheduleState::Enabled)
            .target(target.clone());
        match update.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), UpdateScheduleError::ResourceNotFoundException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.stack.errors().port(What::of("replace the schedule", plan.name), error)),
        }
    }

    /// The function's queue; what can't be sent there goes into the app's dead-letter queue, which the conductor drains.
    async fn target(&self, plan: &Plan<'_>) -> PortResult<Target> {
        let queue = self.stack.arn(&self.dynamodb, "sqs", &self.stack.queue(plan.function)).await?;
        let undelivered = self.stack.arn(&self.dynamodb, "sqs", &self.stack.queue(UNDELIVERED)).await?;
        let role = format!("role/{}-scheduler", self.stack.prefix());
        let role = self.stack.arn(&self.dynamodb, "iam", &role).await?;
        Target::builder()
            .arn(queue)
            .role_arn(role)
            .input(inert(&plan.input))
            .dead_letter_config(DeadLetterConfig::builder().arn(undelivered).build())
            .build()
            .map_err(incomplete)
    }
}

/// Scheduler writes times and ids where it finds `<aws.scheduler.…>` in an input, in a user's text too. JSON needs no
/// `<`, so it is escaped; who wants a placeholder puts it in afterwards.
pub(crate) fn inert(input: &str) -> String {
    input.replace('<', "\\u003c").replace(PLACEHOLDER, dacapo_domain::AWS_SCHEDULED_TIME)
}

/// What stands for the scheduled time until the rest of an input is inert. No JSON string holds the character itself.
pub(crate) const PLACEHOLDER: &str = "\u{1}scheduled-time\u{1}";

fn on_time() -> FlexibleTimeWindow {
    let mut window = FlexibleTimeWindow::builder();
    window = window.mode(FlexibleTimeWindowMode::Off);
    window.build().expect("the mode is set")
}

fn after(plan: &Plan<'_>) -> ActionAfterCompletion {
    if plan.once { ActionAfterCompletion::Delete } else { ActionAfterCompletion::None }
}

fn incomplete(error: aws_sdk_scheduler::error::BuildError) -> PortError {
    PortError::new(PortErrorKind::Refused, "failed to describe the schedule's target").caused_by(error)
}
