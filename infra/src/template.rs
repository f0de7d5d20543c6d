//! A CloudFormation template, in the order in which it is best read.

use dacapo_domain::{Manifest, NameError, check_stack};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::{alarms, functions, parameters, queues, roles, schedules, state_machine, table};

/// Resources of one stack, at most; CloudFormation's limit.
const RESOURCES: usize = 500;

/// A CloudFormation template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    #[serde(rename = "AWSTemplateFormatVersion")]
    version: &'static str,
    description: String,
    parameters: Named<Value>,
    conditions: Named<Value>,
    resources: Named<Resource>,
    outputs: Named<Value>,
}

/// One resource of a template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Resource {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_replace_policy: Option<&'static str>,
    properties: Value,
}

impl Resource {
    /// A resource that comes and goes with the stack.
    pub fn new(kind: &'static str, properties: Value) -> Self {
        Self { kind, condition: None, deletion_policy: None, update_replace_policy: None, properties }
    }

    /// A resource that outlives the stack, and is there already where the condition doesn't hold.
    pub fn retained(kind: &'static str, condition: &'static str, properties: Value) -> Self {
        let (condition, retain) = (Some(condition), Some("Retain"));
        Self { kind, condition, deletion_policy: retain, update_replace_policy: retain, properties }
    }
}

/// A part of the template: names and what they stand for, in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// # Panics
    /// If the name is taken: names are made so that they can't be.
    pub fn add(&mut self, name: impl Into<String>, value: T) {
        let name = name.into();
        assert!(self.0.iter().all(|(taken, _)| *taken != name), "two things in the template are named {name}");
        self.0.push((name, value));
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Why an app can't become a stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The app's name is not one that AWS takes.
    #[error(transparent)]
    App(#[from] NameError),
    /// There is no conductor.
    #[error("the app has no conductor, which repairs what is stuck (keep functions/conductor)")]
    NoConductor,
    /// Two queues would have one name.
    #[error("two queues would be named {{app}}-{{stage}}-{0} (rename the task or crate {0:?})")]
    SameQueue(String),
    /// A schedule that a task declares can't be one.
    #[error("schedule {name}: {problem}")]
    Schedule {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More than fits into a stack.
    #[error(
        "the stack would have {resources} resources (CloudFormation allows 500; split the {functions} functions over two apps)"
    )]
    TooLarge {
        /// Resources.
        resources: usize,
        /// Functions.
        functions: usize,
    },
}

/// Writes the template of an app: the same for every stage, region and account, which are parameters.
///
/// # Errors
/// If the app can't become a stack: its name, no conductor, two queues of one name, a schedule that is none, too many
/// functions.
pub fn template(manifest: &Manifest) -> Result<Template, TemplateError> {
    check_stack(&manifest.app, "stage")?;
    if !manifest.functions.iter().any(functions::is_conductor) {
        return Err(TemplateError::NoConductor);
    }
    queues::check_names(manifest)?;

    let mut resources = Named::new();
    table::add(&mut resources);
    state_machine::add(manifest, &mut resources);
    queues::add_undelivered(&mut resources);
    schedules::add_group(&mut resources);
    roles::add_shared(manifest, &mut resources);
    for function in &manifest.functions {
        functions::add(function, &mut resources);
        queues::add(function, &mut resources);
        roles::add(manifest, function, &mut resources);
        schedules::add(function, &mut resources)?;
        alarms::add(function, &mut resources);
    }
    functions::add_conductors(&mut resources);
    schedules::add_sweep(&mut resources);
    alarms::add_shared(&mut resources);

    if resources.0.len() > RESOURCES {
        return Err(TemplateError::TooLarge { resources: resources.0.len(), functions: manifest.functions.len() });
    }
    Ok(Template {
        version: "2010-09-09",
        description: format!("{}, written by `make template` from what its functions say of themselves.", manifest.app),
        parameters: parameters::parameters(manifest),
        conditions: parameters::conditions(),
        resources,
        outputs: parameters::outputs(),
    })
}

impl Template {
    /// The template as text: JSON, with a line feed at its end. The same manifest gives the same text.
    ///
    /// # Panics
    /// Never: all of it can be serialized.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a template can be serialized") + "\n"
    }
}
