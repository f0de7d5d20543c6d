//! A CloudFormation template, in the order in which it is best read.

use dacapo_domain::{Manifest, check_stack};
use serde::Serialize;
use serde_json::Value;

use crate::{
    alarms, functions, parameters, queues,
    resource::{Named, Resource, TemplateError},
    roles, schedules, state_machine, table,
};

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
    queues::add_app_dlq(&mut resources);
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

    if resources.len() > RESOURCES {
        return Err(TemplateError::TooLarge { resources: resources.len(), functions: manifest.functions.len() });
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
