//! The schedules that tasks declare, and the minute by which the conductor sweeps.

use dacapo_domain::{AWS_SCHEDULED_TIME, CONDUCTOR, FunctionEntry, Holds, ScheduleEntry};
use serde_json::{Value, json};

use crate::{
    names::{APP_DLQ_ID, NEW_LOOP, NEW_TABLE, id, name, prefix},
    resource::{Named, Resource, TemplateError},
};

/// The logical id of the schedule group.
const GROUP: &str = "Schedules";

pub(crate) fn add_group(resources: &mut Named<Resource>) {
    // Schedules made at run time are in it too, and vanish with it.
    resources.add(GROUP, Resource::new("AWS::Scheduler::ScheduleGroup", json!({ "Name": prefix() })));
}

pub(crate) fn add(function: &FunctionEntry, resources: &mut Named<Resource>) -> Result<(), TemplateError> {
    let Holds::Task(task) = &function.holds else { return Ok(()) };
    for entry in &task.schedules {
        resources.add(id(&entry.name, "Schedule"), declared(function, entry)?);
    }
    Ok(())
}

/// The schedule that a task declares. A fire carries its schedule's name and time: twice the same is one run.
fn declared(function: &FunctionEntry, entry: &ScheduleEntry) -> Result<Resource, TemplateError> {
    let refused = |problem: String| TemplateError::Schedule { name: entry.name.clone(), problem };
    let timetable = entry.schedule.check().map_err(|error| refused(error.to_string()))?;
    let expression = timetable.aws_expression().ok_or_else(|| {
        refused("it fires once (declare `every` or `cron`; start a run `.at(…)` otherwise)".to_owned())
    })?;
    let fire = json!({ "fire/1": { "schedule": entry.name, "time": AWS_SCHEDULED_TIME } });
    let target = json!({
        "Arn": { "Fn::GetAtt": [id(&function.name, "Queue"), "Arn"] },
        "RoleArn": { "Fn::GetAtt": ["RoleOfScheduler", "Arn"] },
        "Input": fire.to_string(),
        "RetryPolicy": { "MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185 },
        "DeadLetterConfig": { "Arn": { "Fn::GetAtt": [APP_DLQ_ID, "Arn"] } },
    });
    Ok(schedule(&entry.name, &expression, timetable.aws_time_zone(), &target))
}

/// Adds the schedule of the sweep, which calls the conductor directly: a sweep that waited in a queue behind others
/// would be worth nothing.
pub(crate) fn add_sweep(resources: &mut Named<Resource>) {
    let target = json!({
        "Arn": { "Fn::GetAtt": [id(CONDUCTOR, "Function"), "Arn"] },
        "RoleArn": { "Fn::GetAtt": ["RoleOfSweep", "Arn"] },
        "Input": json!({ "sweep/1": {} }).to_string(),
        "RetryPolicy": { "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0 },
    });
    // No task's schedule has a dot in its name.
    resources.add("Sweep", schedule("conductor.sweep", "rate(1 minute)", "UTC", &target));
}

fn schedule(name: &str, expression: &str, time_zone: &str, target: &Value) -> Resource {
    Resource::new(
        "AWS::Scheduler::Schedule",
        json!({
            "Name": name,
            "GroupName": { "Ref": GROUP },
            "Description": description(),
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": time_zone,
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": target,
        }),
    )
}

/// The description, which makes a schedule depend on the table and the loop. A `rate` fires as soon as it is made, and
/// what it starts needs both: so schedules refer to both, and are made after them. `DependsOn` may not name what a
/// condition leaves out.
fn description() -> Value {
    let table = json!({ "Fn::If": [NEW_TABLE, { "Ref": "Table" }, prefix()] });
    let machine = json!({ "Fn::If": [NEW_LOOP, { "Fn::GetAtt": ["Loop", "Name"] }, name("loop")] });
    let text = "Declared in code. The history is in ${Table}, long runs are driven by ${Loop}.";
    json!({ "Fn::Sub": [text, { "Table": table, "Loop": machine }] })
}
