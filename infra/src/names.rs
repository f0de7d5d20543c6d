//! Names and ARNs: each thing's own, so that no role reaches another app's, and the names of the template's parts.

use dacapo_domain::{FunctionEntry, Manifest};
use serde_json::{Value, json};

/// The beginning of every name on AWS.
const PREFIX: &str = "${App}-${Stage}";

/// The logical id of the app's dead-letter queue.
pub(crate) const APP_DLQ_ID: &str = "Undelivered";

/// The condition under which the stack makes the table, instead of adopting one that an earlier stack left.
pub(crate) const NEW_TABLE: &str = "NewTable";
/// The same condition for the state machine.
pub(crate) const NEW_LOOP: &str = "NewLoop";
/// The condition under which tokens can be completed over HTTPS.
pub(crate) const HAS_TOKEN_URL: &str = "HasTokenUrl";
/// The condition under which events can be published over HTTPS.
pub(crate) const HAS_EVENT_URL: &str = "HasEventUrl";
/// The condition under which the conductor has an address.
pub(crate) const HAS_URL: &str = "HasUrl";

/// Text with CloudFormation's placeholders.
pub(crate) fn sub(text: impl Into<String>) -> Value {
    json!({ "Fn::Sub": text.into() })
}

/// `{app}-{stage}`.
pub(crate) fn prefix() -> Value {
    sub(PREFIX)
}

/// `{app}-{stage}-{name}`.
pub(crate) fn name(name: &str) -> Value {
    sub(format!("{PREFIX}-{name}"))
}

/// The ARN of something whose name begins with `{app}-{stage}`, as in `states`, `stateMachine:`, `-loop`.
pub(crate) fn arn(service: &str, kind: &str, rest: &str) -> Value {
    sub(format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{kind}{PREFIX}{rest}"))
}

/// A queue's ARN.
pub(crate) fn queue_arn(queue: &str) -> Value {
    arn("sqs", "", &format!("-{queue}"))
}

/// A function's ARN.
pub(crate) fn function_arn(function: &str) -> Value {
    arn("lambda", "function:", &format!("-{function}"))
}

/// The queues that functions read, each named after its function.
pub(crate) fn function_queues(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.functions.iter().map(|function| function.name.as_str())
}

/// The dead-letter queues that functions asked for.
pub(crate) fn function_dlqs(manifest: &Manifest) -> impl Iterator<Item = String> {
    manifest.functions.iter().filter_map(FunctionEntry::dlq)
}

/// The ARN of the role that Scheduler takes to send.
pub(crate) fn scheduler_role_arn() -> Value {
    sub(format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{PREFIX}-scheduler"))
}

/// The logical id of a function's part: `send-welcome` and `Queue` make `SendWelcomeQueue`.
///
/// Two slugs never meet: a word that begins with a digit gets an `X` before it, and so does one that begins with an
/// `x`. The kind is one word and comes last, and what belongs to no function never ends in one of the kinds.
pub(crate) fn id(slug: &str, kind: &str) -> String {
    let mut id = String::new();
    for word in slug.split('-') {
        if word.starts_with(|c: char| c.is_ascii_digit() || c == 'x') {
            id.push('X');
            id.push_str(word);
        } else if let Some(first) = word.chars().next() {
            id.push(first.to_ascii_uppercase());
            id.push_str(&word[1..]);
        }
    }
    id + kind
}

/// The parameter that says where a function's code is in the bucket of artifacts.
#[must_use]
pub fn code_parameter(function: &FunctionEntry) -> String {
    id(&function.name, "Code")
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn logical_ids_of_two_slugs_are_different() {
        assert_eq!(id("send-welcome", "Queue"), "SendWelcomeQueue");
        assert_eq!(id("my-task-2", "Queue"), "MyTaskX2Queue");
        assert_eq!(id("my-task2", "Queue"), "MyTask2Queue");
        assert_eq!(id("my-task-x2", "Queue"), "MyTaskXx2Queue");
    }
}
