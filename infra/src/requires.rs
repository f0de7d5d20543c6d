//! What a function asks for of the account: its variables, its rights, its network, as the template has them.

use dacapo_domain::{FunctionEntry, Requirements, SecretSource};
use serde_json::{Value, json};

use crate::{
    own_resources::OwnResources,
    policy::{allow, document},
    resource::TemplateError,
};

/// The prefixes of IAM actions, one a line, as the Service Authorization Reference lists the services.
const SERVICES: &str = include_str!("services.txt");

/// The variables of a function's environment that its definition asks for.
///
/// # Errors
/// If a text names what isn't there.
pub(crate) fn environment(function: &FunctionEntry, own: &OwnResources) -> Result<Vec<(String, Value)>, TemplateError> {
    let Requirements { environment, secrets, .. } = &function.requires;
    let mut variables = vec![];
    for (name, value) in environment {
        variables.push((name.clone(), own.text(&function.crate_name, value)?));
    }
    if !secrets.is_empty() {
        variables.push(("DACAPO_SECRETS".to_owned(), own.text(&function.crate_name, &json!(secrets).to_string())?));
    }
    Ok(variables)
}

/// The properties of a function's Lambda that its definition asks for.
///
/// # Errors
/// If a text names what isn't there.
pub(crate) fn properties(
    function: &FunctionEntry,
    own: &OwnResources,
) -> Result<Vec<(&'static str, Value)>, TemplateError> {
    let Requirements { layers, vpc, file_system, ephemeral_storage_mb, tracing, .. } = &function.requires;
    let texts = |texts: &[String]| -> Result<Value, TemplateError> {
        texts.iter().map(|text| own.text(&function.crate_name, text)).collect()
    };
    let mut properties = vec![];
    if !layers.is_empty() {
        properties.push(("Layers", texts(layers)?));
    }
    if let Some(vpc) = vpc {
        let groups = texts(&vpc.security_groups)?;
        properties.push(("VpcConfig", json!({ "SubnetIds": texts(&vpc.subnets)?, "SecurityGroupIds": groups })));
    }
    if let Some(mounted) = file_system {
        let arn = own.text(&function.crate_name, &mounted.access_point)?;
        properties.push(("FileSystemConfigs", json!([{ "Arn": arn, "LocalMountPath": mounted.path }])));
    }
    if let Some(mb) = ephemeral_storage_mb {
        properties.push(("EphemeralStorage", json!({ "Size": mb })));
    }
    if *tracing {
        properties.push(("TracingConfig", json!({ "Mode": "Active" })));
    }
    Ok(properties)
}

/// The policy of what a function may do beside what Dacapo does; `None` where that is nothing.
///
/// # Errors
/// If a text names what isn't there, or an action is of no service that is known.
pub(crate) fn policy(function: &FunctionEntry, own: &OwnResources) -> Result<Option<Value>, TemplateError> {
    let Requirements { allow: rights, secrets, vpc, file_system, tracing, .. } = &function.requires;
    let text = |text: &str| own.text(&function.crate_name, text);
    let mut statements = vec![];
    for right in rights {
        check_service(function, right.service(), &right.action)?;
        statements.push(allow(&[&right.action], text(&right.resource)?));
    }
    for source in secrets.values() {
        statements.push(match source {
            SecretSource::SecretsManager(secret) => {
                // AWS ends a secret's ARN in six random characters.
                let arn = arn_of(secret, "secretsmanager", "secret:", "-??????");
                allow(&["secretsmanager:GetSecretValue"], text(&arn)?)
            }
            SecretSource::Ssm(parameter) => {
                let name = parameter.strip_prefix('/').unwrap_or(parameter);
                allow(&["ssm:GetParameters"], text(&arn_of(name, "ssm", "parameter/", ""))?)
            }
        });
    }
    if vpc.is_some() {
        // The network interfaces are Lambda's own, made for the function: AWS lets none be named.
        let interfaces = [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ];
        statements.push(allow(&interfaces, json!("*")));
    }
    if let Some(mounted) = file_system {
        let of = "arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:file-system/*";
        let mut mount =
            allow(&["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], json!({ "Fn::Sub": of }));
        let access_point = text(&mounted.access_point)?;
        mount["Condition"] = json!({ "StringEquals": { "elasticfilesystem:AccessPointArn": access_point } });
        statements.push(mount);
    }
    if *tracing {
        // X-Ray has no resources that could be named.
        statements.push(allow(&["xray:PutTelemetryRecords", "xray:PutTraceSegments"], json!("*")));
    }
    Ok((!statements.is_empty()).then(|| document(&statements)))
}

/// What the functions may do to everything, which AWS may let be named: a line each.
pub(crate) fn warnings(functions: &[FunctionEntry]) -> Vec<String> {
    let of_all = functions.iter().flat_map(|function| function.requires.allow.iter().map(move |it| (function, it)));
    let wide = of_all.filter(|(_, right)| right.resource == "*" || right.action.contains('*'));
    wide.map(|(function, right)| {
        let (action, resource, crate_name) = (&right.action, &right.resource, &function.crate_name);
        format!(
            "{crate_name}: it may do {action} to {resource} (name the action and the ARN, where AWS lets them be named)"
        )
    })
    .collect()
}

/// The ARN of a secret or parameter, given by its ARN, a resource's reference, or its name.
fn arn_of(given: &str, service: &str, kind: &str, end: &str) -> String {
    if given.starts_with("arn:") || given.starts_with("${") {
        return given.to_owned();
    }
    format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{kind}{given}{end}")
}

fn check_service(function: &FunctionEntry, service: &str, action: &str) -> Result<(), TemplateError> {
    if SERVICES.lines().any(|known| known == service) {
        return Ok(());
    }
    let near = SERVICES.lines().filter(|known| known.starts_with(service) || service.starts_with(known));
    let near: Vec<&str> = near.filter(|known| known.len() > 1).take(3).collect();
    let (function, action) = (function.crate_name.clone(), action.to_owned());
    let near = if near.is_empty() { String::new() } else { format!("such as {}; ", near.join(", ")) };
    Err(TemplateError::Service { function, action, near })
}
