//! The vocabulary of a template: a resource, named things in their order, and the reasons why there is no template.

use dacapo_domain::{ManifestTooLarge, NameError};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// One resource of a template.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Resource {
    /// One that Dacapo needs.
    Ours(Ours),
    /// One of the app's own.
    Own(Value),
}

/// A resource that Dacapo needs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ours {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_replace_policy: Option<&'static str>,
    properties: Value,
}

impl Resource {
    /// A resource that comes and goes with the stack.
    pub fn new(kind: &'static str, properties: Value) -> Self {
        Self::Ours(Ours::new(kind, properties))
    }

    /// A resource that is made after these.
    pub fn after(kind: &'static str, properties: Value, depends_on: Vec<String>) -> Self {
        Self::Ours(Ours { depends_on, ..Ours::new(kind, properties) })
    }

    /// A resource that is there where the condition holds.
    pub fn conditional(kind: &'static str, condition: &'static str, properties: Value) -> Self {
        Self::Ours(Ours { condition: Some(condition), ..Ours::new(kind, properties) })
    }

    /// A resource that outlives the stack, and is there already where the condition doesn't hold.
    pub fn retained(kind: &'static str, condition: &'static str, properties: Value) -> Self {
        let (condition, retain) = (Some(condition), Some("Retain"));
        let ours = Ours::new(kind, properties);
        Self::Ours(Ours { condition, deletion_policy: retain, update_replace_policy: retain, ..ours })
    }
}

impl Ours {
    fn new(kind: &'static str, properties: Value) -> Self {
        let (deletion_policy, update_replace_policy) = (None, None);
        Self { kind, condition: None, depends_on: vec![], deletion_policy, update_replace_policy, properties }
    }
}

/// A part of the template: names and what they stand for, in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(taken, _)| taken == name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the app's own things.
    ///
    /// # Errors
    /// If one is named as one that is there.
    pub fn add_own<'a>(
        &mut self,
        section: &str,
        things: impl Iterator<Item = (&'a String, &'a Value)>,
        of: impl Fn(Value) -> T,
    ) -> Result<(), TemplateError> {
        for (name, value) in things {
            if self.has(name) {
                return Err(TemplateError::Taken { section: section.to_owned(), name: name.clone() });
            }
            self.0.push((name.clone(), of(value.clone())));
        }
        Ok(())
    }

    /// Adds a thing under a name.
    ///
    /// # Panics
    /// If the name is taken: names are made so that they can't be.
    pub fn add(&mut self, name: impl Into<String>, value: T) {
        let name = name.into();
        assert!(!self.has(&name), "two things in the template are named {name}");
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

/// The reasons why an app can't become a stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The app's name is not one that AWS takes.
    #[error(transparent)]
    App(#[from] NameError),
    /// The app has no conductor.
    #[error("the app has no conductor, which repairs what is stuck (keep functions/conductor)")]
    NoConductor,
    /// A function says that it starts what isn't there.
    #[error("{function}: it says that it starts task {task:?}, which no function of the app holds")]
    UnknownTask {
        /// The function's crate.
        function: String,
        /// The task.
        task: String,
    },
    /// A schedule that a task declares can't be one.
    #[error("schedule {name}: {problem}")]
    Schedule {
        /// The schedule's name.
        name: String,
        /// The problem with it.
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
    /// More text than a template may have.
    #[error(
        "the template would have {bytes} bytes (CloudFormation allows {allowed}; split the functions over two apps)"
    )]
    TooLong {
        /// Bytes.
        bytes: usize,
        /// Bytes that are allowed.
        allowed: usize,
    },
    /// `infra/resources.yaml` can't be read.
    #[error("infra/resources.yaml: {0}")]
    OwnResources(String),
    /// The app's own file names something as Dacapo does.
    #[error("{name} of infra/resources.yaml is named as one of the stack's {section} (give it another name)")]
    Taken {
        /// The section.
        section: String,
        /// The name.
        name: String,
    },
    /// A function names something that isn't there.
    #[error(
        "{function}: {text} {problem} (infra/resources.yaml has {known}; Dacapo's are App and Stage; a literal begins with ${{!)"
    )]
    Unknown {
        /// The function's crate.
        function: String,
        /// The part of its text, as `${Name}`.
        text: String,
        /// The problem with it.
        problem: &'static str,
        /// The names that there are.
        known: String,
    },
    /// A right to something by its name, where its ARN is needed.
    #[error("{function}: the right {action:?} is on ${{{name}}}, which is no ARN (write ${{{name}.Arn}})")]
    NoArn {
        /// The function's crate.
        function: String,
        /// The action.
        action: String,
        /// The resource.
        name: String,
    },
    /// More rights than a role has room for.
    #[error(
        "{function}: its rights are about {chars} characters long (its role has room for {room} of the 10,240 that IAM allows; name fewer, or split the function)"
    )]
    TooManyRights {
        /// The function's crate.
        function: String,
        /// Characters.
        chars: usize,
        /// Characters that there is room for beside what Dacapo needs.
        room: usize,
    },
    /// A right of no service.
    #[error(
        "{function}: the right {action:?} is of no service that IAM knows ({near}see the Service Authorization Reference)"
    )]
    Service {
        /// The function's crate.
        function: String,
        /// The action.
        action: String,
        /// Services of like names.
        near: String,
    },
    /// The manifest is too large.
    #[error(transparent)]
    Manifest(#[from] ManifestTooLarge),
}
