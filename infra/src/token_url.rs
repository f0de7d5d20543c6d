//! The address at which tokens are completed and events published over HTTPS: a function URL in front of the conductor,
//! where the stack is asked for one of both. A token's text is all that the first asks for; the second asks for a
//! signature, by a secret that the conductor reads at its start.

use dacapo_domain::{CONDUCTOR, SecretSource};
use serde_json::{Value, json};

use crate::{
    names::{HAS_EVENT_URL, HAS_URL, id},
    policy::{allow, document},
    resource::{Named, Resource},
};

/// The parameter that names the secret.
pub(crate) const EVENT_URL_SECRET: &str = "EventUrlSecret";

/// The variables by which the conductor knows what it takes.
pub(crate) fn environment() -> [(&'static str, Value); 2] {
    let source = json!({ "WEBHOOK_SECRET": SecretSource::from(format!("${{{EVENT_URL_SECRET}}}")) });
    // The braces of JSON are none of CloudFormation's: those begin with a dollar sign.
    let secrets = json!({ "Fn::Sub": source.to_string() });
    let secrets = json!({ "Fn::If": [HAS_EVENT_URL, secrets, { "Ref": "AWS::NoValue" }] });
    [("DACAPO_TOKEN_URL", json!({ "Ref": "TokenUrl" })), ("DACAPO_SECRETS", secrets)]
}

pub(crate) fn add(resources: &mut Named<Resource>) {
    let function = json!({ "Ref": id(CONDUCTOR, "Function") });
    let target = json!({ "Fn::GetAtt": [id(CONDUCTOR, "Function"), "Arn"] });
    let add = |resources: &mut Named<Resource>, name: &str, kind, properties| {
        resources.add(name, Resource::conditional(kind, HAS_URL, properties));
    };
    let url = json!({ "AuthType": "NONE", "TargetFunctionArn": target });
    add(resources, "TokenUrlEndpoint", "AWS::Lambda::Url", url);
    // Function URLs need both since October 2025.
    let by_url = json!({
        "Action": "lambda:InvokeFunctionUrl", "FunctionName": function, "Principal": "*", "FunctionUrlAuthType": "NONE",
    });
    add(resources, "TokenUrlIsOpen", "AWS::Lambda::Permission", by_url);
    let via_url = json!({
        "Action": "lambda:InvokeFunction", "FunctionName": function, "Principal": "*", "InvokedViaFunctionUrl": true,
    });
    add(resources, "TokenUrlInvokes", "AWS::Lambda::Permission", via_url);
    let read = allow(&["secretsmanager:GetSecretValue"], json!({ "Ref": EVENT_URL_SECRET }));
    let properties = json!({
        "Description": "Reads the secret that webhooks are signed with.",
        "PolicyDocument": document(&[read]),
        "Roles": [{ "Ref": id(CONDUCTOR, "Role") }],
    });
    let policy = Resource::conditional("AWS::IAM::ManagedPolicy", HAS_EVENT_URL, properties);
    resources.add("MayReadWebhookSecret", policy);
}
