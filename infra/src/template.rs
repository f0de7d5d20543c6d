//! A CloudFormation template, in the order in which it is best read, with its parameters, conditions and outputs.

use dacapo_domain::{
    Manifest, check_stack,
    limits::{APP_CHARS, STAGE_CHARS},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    OwnResources, alarms, dashboard, functions, kms,
    names::{HAS_EVENT_URL, HAS_TOKEN_URL, HAS_URL, NEW_LOOP, NEW_TABLE, arn, code_parameter, prefix},
    resource::{Named, Resource, TemplateError},
    roles, schedules, settings, state_machine, table, token_url,
};

/// Resources of one stack, at most; CloudFormation's limit.
const RESOURCES: usize = 500;
/// Bytes of a template, at most; CloudFormation's limit.
const TEMPLATE_BYTES: usize = 1_000_000;

/// A CloudFormation template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    #[serde(rename = "AWSTemplateFormatVersion")]
    version: &'static str,
    description: String,
    parameters: Named<Value>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    mappings: Named<Value>,
    conditions: Named<Value>,
    resources: Named<Resource>,
    outputs: Named<Value>,
}

impl Template {
    /// The template as text: JSON, with a line feed at its end; indented where that leaves it small enough. The same
    /// manifest gives the same text.
    ///
    /// # Panics
    /// Never: all of it can be serialized.
    #[must_use]
    #[expect(clippy::expect_used, reason = "texts, numbers, lists and maps of them can be serialized")]
    pub fn to_text(&self) -> String {
        let pretty = serde_json::to_string_pretty(self).expect("a template can be serialized") + "\n";
        if pretty.len() <= TEMPLATE_BYTES { pretty } else { self.compact() }
    }

    #[expect(clippy::expect_used, reason = "as `to_text`")]
    fn compact(&self) -> String {
        serde_json::to_string(self).expect("a template can be serialized") + "\n"
    }
}

/// Writes the template of an app: the same for every stage, region and account, which are parameters.
///
/// # Errors
/// If the app can't become a stack: its name, no conductor, a schedule that is none, too many functions, a function that
/// needs what isn't there, a resource of its own that is named as one of Dacapo's.
pub fn template(manifest: &Manifest, own: &OwnResources) -> Result<Template, TemplateError> {
    check_stack(&manifest.app, "stage")?;
    manifest.check_bytes()?;
    if !manifest.functions.iter().any(functions::is_conductor) {
        return Err(TemplateError::NoConductor);
    }
    if let Some((function, task)) = manifest.unknown_start() {
        return Err(TemplateError::UnknownTask { function: function.to_owned(), task: task.to_owned() });
    }

    let mut resources = Named::new();
    table::add(&mut resources);
    state_machine::add(manifest, own, &mut resources);
    functions::add_app_dlq(&mut resources);
    schedules::add_group(&mut resources);
    roles::add_shared(manifest, &mut resources);
    for function in &manifest.functions {
        functions::add(function, own, &mut resources)?;
        roles::add(manifest, function, own, &mut resources)?;
        schedules::add(function, &mut resources)?;
        alarms::add(function, &mut resources);
    }
    functions::add_conductors(&mut resources);
    token_url::add(&mut resources);
    schedules::add_sweep(&mut resources);
    alarms::add_shared(&mut resources);
    kms::add(manifest, &mut resources);
    dashboard::add(&mut resources);
    resources.add_own("Resources", own.section("Resources"), Resource::Own)?;
    own.check_apart(&parameters(manifest))?;

    if resources.len() > RESOURCES {
        return Err(TemplateError::TooLarge { resources: resources.len(), functions: manifest.functions.len() });
    }
    let named = |section: &str, mut ours: Named<Value>| -> Result<_, TemplateError> {
        ours.add_own(section, own.section(section), |value| value)?;
        Ok(ours)
    };
    let template = Template {
        version: "2010-09-09",
        description: format!("{}, written by `make template` from what its functions say of themselves.", manifest.app),
        parameters: named("Parameters", parameters(manifest))?,
        mappings: named("Mappings", Named::new())?,
        conditions: named("Conditions", conditions())?,
        resources,
        outputs: named("Outputs", outputs())?,
    };
    let bytes = template.to_text().len();
    if bytes > TEMPLATE_BYTES {
        return Err(TemplateError::TooLong { bytes, allowed: TEMPLATE_BYTES });
    }
    Ok(template)
}

/// The parameters, by which stages differ.
fn parameters(manifest: &Manifest) -> Named<Value> {
    const PLAIN: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
    let mut parameters = Named::new();
    parameters.add(
        "App",
        json!({ "Type": "String", "Default": manifest.app, "AllowedPattern": PLAIN, "MaxLength": APP_CHARS }),
    );
    parameters.add("Stage", json!({ "Type": "String", "AllowedPattern": PLAIN, "MaxLength": STAGE_CHARS }));
    parameters
        .add("Architecture", json!({ "Type": "String", "Default": "arm64", "AllowedValues": ["arm64", "x86_64"] }));
    parameters
        .add("Artifacts", json!({ "Type": "String", "Description": "The bucket that holds the functions' code." }));
    for function in &manifest.functions {
        let what = format!("Where {}'s code is in the bucket: a key that names its content.", function.name);
        parameters.add(code_parameter(function), json!({ "Type": "String", "Description": what }));
    }
    parameters.add("LogRetentionDays", json!({ "Type": "Number", "Default": 30 }));
    settings::add_parameters(&mut parameters);
    parameters.add(
        "TokenUrl",
        json!({
            "Type": "String", "Default": "off", "AllowedValues": ["off", "on"],
            "Description": "Whether tokens can be completed over HTTPS, at a function URL of the conductor.",
        }),
    );
    let what = "ARN of a secret of Secrets Manager that webhooks are signed with; without one no event is published over HTTPS.";
    let pattern = "^(arn:[^: ]+:secretsmanager:[^: ]+:[0-9]{12}:secret:[^ ]+)?$";
    parameters.add(
        token_url::EVENT_URL_SECRET,
        json!({ "Type": "String", "Default": "", "AllowedPattern": pattern, "Description": what }),
    );
    for (name, what) in [("AdoptTable", "history"), ("AdoptLoop", "state machine")] {
        let what = format!("Whether the {what} of an earlier stack is there and is taken over.");
        let values = ["true", "false"];
        parameters
            .add(name, json!({ "Type": "String", "Default": "false", "AllowedValues": values, "Description": what }));
    }
    parameters
}

/// The conditions made of the parameters.
fn conditions() -> Named<Value> {
    let mut conditions = Named::new();
    conditions.add(NEW_TABLE, json!({ "Fn::Equals": [{ "Ref": "AdoptTable" }, "false"] }));
    conditions.add(NEW_LOOP, json!({ "Fn::Equals": [{ "Ref": "AdoptLoop" }, "false"] }));
    conditions.add(HAS_TOKEN_URL, json!({ "Fn::Equals": [{ "Ref": "TokenUrl" }, "on"] }));
    let secret = json!({ "Ref": token_url::EVENT_URL_SECRET });
    conditions.add(HAS_EVENT_URL, json!({ "Fn::Not": [{ "Fn::Equals": [secret, ""] }] }));
    let either = [HAS_TOKEN_URL, HAS_EVENT_URL].map(|condition| json!({ "Condition": condition }));
    conditions.add(HAS_URL, json!({ "Fn::Or": either }));
    settings::add_conditions(&mut conditions);
    conditions
}

/// The outputs that a deploy reads afterwards.
fn outputs() -> Named<Value> {
    let mut outputs = Named::new();
    outputs.add("Table", json!({ "Value": prefix() }));
    outputs.add("Loop", json!({ "Value": arn("states", "stateMachine:", "-loop") }));
    outputs.add(
        "TokenUrl",
        json!({ "Condition": HAS_TOKEN_URL, "Value": { "Fn::GetAtt": ["TokenUrlEndpoint", "FunctionUrl"] } }),
    );
    let event = json!({ "Fn::Sub": "${TokenUrlEndpoint.FunctionUrl}event" });
    outputs.add("EventUrl", json!({ "Condition": HAS_EVENT_URL, "Value": event }));
    outputs.add("LoopRole", json!({ "Value": { "Fn::GetAtt": ["RoleOfLoop", "Arn"] } }));
    outputs
}
