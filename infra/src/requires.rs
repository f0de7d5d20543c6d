//! The requirements of a function as the template has them: its variables, its rights, its network.

use dacapo_domain::{FunctionEntry, Manifest, Requirements, Right, SecretSource};
use serde_json::{Value, json};

use crate::{
    own_resources::{OwnResources, placeholder},
    policy::{allow, document},
    resource::TemplateError,
};

/// The prefixes of IAM actions, one a line, as the Service Authorization Reference lists the services.
const SERVICES: &str = include_str!("services.txt");
/// Types of resources whose `Ref` is a name or a URL, and whose ARN is an attribute.
const NAMED: [&str; 6] = [
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
];
/// Characters of a role's inline policies, but for what Dacapo itself takes of IAM's 10,240.
const INLINE_CHARS: usize = 8_000;

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
    let texts = |texts: &[String]| own.texts(&function.crate_name, texts);
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
    // Statements of one resource are one, and so are those of all secrets of one store: IAM counts characters.
    let mut actions_on: Vec<(&str, Vec<&str>)> = vec![];
    for right in rights {
        check_right(function, right, own)?;
        match actions_on.iter_mut().find(|(resource, _)| *resource == right.resource) {
            Some((_, actions)) => actions.push(&right.action),
            None => actions_on.push((&right.resource, vec![&right.action])),
        }
    }
    let mut statements = vec![];
    for (resource, actions) in actions_on {
        statements.push(allow(&actions, text(resource)?));
    }
    for (action, arns) in secret_arns(secrets.values(), own) {
        let arns = arns.iter().map(|arn| text(arn)).collect::<Result<Vec<_>, _>>()?;
        if !arns.is_empty() {
            statements.push(allow(&[action], arns.into()));
        }
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
    let policy = document(&statements);
    let (chars, function) = (filled_chars(&policy), function.crate_name.clone());
    if chars > INLINE_CHARS {
        return Err(TemplateError::TooManyRights { function, chars, room: INLINE_CHARS });
    }
    Ok((!statements.is_empty()).then_some(policy))
}

/// The characters of a policy once its placeholders are filled, about: an ARN of the app's own has up to 100 or so.
fn filled_chars(policy: &Value) -> usize {
    let text = policy.to_string();
    let own = text.split("${").skip(1).filter(|rest| !rest.starts_with("AWS::")).count();
    text.len() + own * 80
}

/// A line for each right of a function to everything: in order where AWS lets nothing be named, and wrong elsewhere.
#[must_use]
pub fn warnings(manifest: &Manifest) -> Vec<String> {
    let of_all =
        manifest.functions.iter().flat_map(|function| function.requires.allow.iter().map(move |it| (function, it)));
    let wide = of_all.filter(|(_, right)| right.resource == "*" || right.action.contains('*'));
    wide.map(|(function, right)| {
        let (action, resource, crate_name) = (&right.action, &right.resource, &function.crate_name);
        format!(
            "{crate_name}: it may do {action} to {resource} (name the action and the ARN, where AWS lets them be named)"
        )
    })
    .collect()
}

/// The ARNs of secrets, under the action that reads them.
fn secret_arns<'a>(
    sources: impl Iterator<Item = &'a SecretSource>,
    own: &OwnResources,
) -> [(&'static str, Vec<String>); 2] {
    let arn = |service: &str, rest: &str| {
        format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")
    };
    let (mut secrets, mut parameters) = (vec![], vec![]);
    for source in sources {
        match source {
            SecretSource::SecretsManager(secret) if is_arn(secret, own) => secrets.push(secret.clone()),
            // AWS ends a secret's ARN in six random characters.
            SecretSource::SecretsManager(name) => secrets.push(arn("secretsmanager", &format!("secret:{name}-??????"))),
            SecretSource::Ssm(parameter) if is_arn(parameter, own) => parameters.push(parameter.clone()),
            SecretSource::Ssm(parameter) => {
                // A version or a label is no part of the ARN; the slash at the beginning of a path is.
                let name =
                    if parameter.contains('$') { parameter } else { parameter.split(':').next().unwrap_or_default() };
                if !name.starts_with('/') {
                    parameters.push(arn("ssm", &format!("parameter/{name}")));
                }
                if name.starts_with(['/', '$']) {
                    parameters.push(arn("ssm", &format!("parameter{name}")));
                }
            }
        }
    }
    [("secretsmanager:GetSecretValue", secrets), ("ssm:GetParameters", parameters)]
}

/// Is true of a text that is an ARN, or stands for one.
fn is_arn(text: &str, own: &OwnResources) -> bool {
    let stands_for_one = |name: &str| name.contains('.') || own.type_of(name) == Some("AWS::SecretsManager::Secret");
    text.starts_with("arn:") || placeholder(text).is_some_and(stands_for_one)
}

/// Refuses an action of no service, and a resource that is named by what is no ARN.
fn check_right(function: &FunctionEntry, right: &Right, own: &OwnResources) -> Result<(), TemplateError> {
    let named = right.resource.strip_prefix("${").and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
    if let Some(name) = named.filter(|name| own.type_of(name).is_some_and(|kind| NAMED.contains(&kind))) {
        let (function, action) = (function.crate_name.clone(), right.action.clone());
        return Err(TemplateError::NoArn { function, action, name: name.to_owned() });
    }
    check_service(function, right.service(), &right.action)
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
