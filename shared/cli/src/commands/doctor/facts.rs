//! The facts that findings follow from.

use std::collections::BTreeSet;

use dacapo::Health;
use dacapo_domain::Manifest;
use jiff::SignedDuration;

use super::finding::Severity;

/// The answer to a question, or why it isn't known.
pub type Known<T> = Result<T, String>;

/// A tool that something needs.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The name.
    pub name: &'static str,
    /// The first line that it says of its version, if it is there.
    pub version: Option<String>,
    /// The severity of its absence.
    pub without: Severity,
    /// The use of it, and how it is got.
    pub remedy: &'static str,
}

/// The facts of a place, as far as they were asked for.
#[derive(Debug, Default)]
pub struct Facts {
    pub tools: Vec<Tool>,
    /// The crates in the workspace's `functions`, where there is one that is this app's.
    pub crates: Option<BTreeSet<String>>,
    pub manifest: Option<Manifest>,
    pub health: Option<Known<Health>>,
    /// AWS's clock, or the engine's, less this machine's.
    pub skew: Option<SignedDuration>,
    pub account: Option<Account>,
}

/// The facts of an account of AWS.
#[derive(Debug)]
pub struct Account {
    /// `{app}-{stage}`.
    pub stack_name: String,
    pub region: String,
    /// The caller's account and ARN.
    pub identity: Known<(String, String)>,
    pub stack: Known<Option<Stack>>,
    /// The functions of the manifest, as Lambda has them.
    pub functions: Vec<(String, Known<Option<Lambda>>)>,
    /// Lambda's limit of invocations at once, and the most of the last quarter of an hour.
    pub concurrency: Known<(u64, Option<f64>)>,
    /// Messages in flight of the queue that has most.
    pub in_flight: Known<Option<(String, u64)>>,
    /// Messages in the app's dead-letter queue.
    pub app_dlq: Known<u64>,
    /// Calls that Scheduler held back in the last hour.
    pub scheduler_throttles: Known<Option<f64>>,
    /// Open executions of Step Functions, and their limit.
    pub executions: Known<Option<(f64, f64)>>,
    /// Calls of the conductor in the last ten minutes; `None` where nothing is measured.
    pub heartbeats: Known<Option<f64>>,
}

impl Account {
    /// An account that can't be asked.
    pub fn unknown(stack_name: String, why: String) -> Self {
        let not_asked = String::new;
        Self {
            stack_name,
            region: String::new(),
            identity: Err(why),
            stack: Err(not_asked()),
            functions: vec![],
            concurrency: Err(not_asked()),
            in_flight: Err(not_asked()),
            app_dlq: Err(not_asked()),
            scheduler_throttles: Err(not_asked()),
            executions: Err(not_asked()),
            heartbeats: Err(not_asked()),
        }
    }
}

/// A stack.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    pub status: String,
    /// The zip of each crate, as `arm64/send-welcome-0123456789abcdef.zip`.
    pub zips: Vec<String>,
}

/// A function's Lambda.
#[derive(Clone, Debug)]
pub struct Lambda {
    pub crate_name: String,
    /// The SHA-256 of its zip.
    pub code: String,
    pub state: String,
    pub last_update: String,
}
