//! Policies of IAM: statements, and the document that holds them.

use serde_json::{Value, json};

/// The statement that allows actions on a resource, or on a list of them.
pub(crate) fn allow(actions: &[&str], resource: Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// The policy of these statements.
pub(crate) fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
