use std::borrow::Cow;

use dacapo_domain::{LifecycleEvent, RunView, is_event_name, is_task_name, same_slug};

use crate::payload::{Codec, Payload};

/// A task as others know it: its name, and the types of its input and its result.
///
/// # Example: a task's reference, checked at build time
///
/// ```
/// use dacapo::TaskRef;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// pub struct Welcome {
///     pub email: String,
/// }
///
/// pub const SEND_WELCOME: TaskRef<Welcome> = TaskRef::new("send-welcome");
/// assert_eq!(SEND_WELCOME.name(), "send-welcome");
/// ```
#[derive(Debug)]
pub struct TaskRef<I, O = ()> {
    name: &'static str,
    pub(crate) input: Codec<I>,
    pub(crate) output: Codec<O>,
}

/// An event as its publishers and its handlers know it: its name, and the type of its body.
///
/// # Example: an event's reference, checked at build time
///
/// ```
/// use dacapo::EventRef;
///
/// pub const USER_JOINED: EventRef<String> = EventRef::new("user.joined");
/// assert_eq!(USER_JOINED.name(), "user.joined");
/// ```
#[derive(Debug)]
pub struct EventRef<B> {
    /// The beginning of the names of lifecycle events.
    prefix: &'static str,
    name: &'static str,
    pub(crate) body: Codec<B>,
}

impl<I, O> TaskRef<I, O> {
    /// The task of this name: any text of 1 to 64 characters that doesn't begin with `dacapo.`, unique in the app.
    ///
    /// # Panics
    /// If the name is none. A `const` reference so fails to build.
    #[must_use]
    pub const fn new(name: &'static str) -> Self
    where
        I: Payload,
        O: Payload,
    {
        assert!(is_task_name(name), "a task's name has 1 to 64 characters, and doesn't begin with `dacapo.`");
        Self { name, input: Codec::new(), output: Codec::new() }
    }

    /// The task's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<B> EventRef<B> {
    /// The event of this name: any text of 1 to 128 characters that doesn't begin with `task.`.
    ///
    /// # Panics
    /// If the name is none. A `const` reference so fails to build.
    #[must_use]
    pub const fn new(name: &'static str) -> Self
    where
        B: Payload,
    {
        assert!(is_event_name(name), "an event's name has 1 to 128 characters and doesn't begin with `task.`");
        Self { prefix: "", name, body: Codec::new() }
    }

    /// The event's name.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        if self.prefix.is_empty() { self.name.into() } else { format!("{}{}", self.prefix, self.name).into() }
    }
}

impl EventRef<RunView> {
    pub(crate) const fn of_life(event: LifecycleEvent, task: &'static str) -> Self {
        Self { prefix: event.prefix(), name: task, body: Codec::new() }
    }
}

impl<I, O> Clone for TaskRef<I, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I, O> Copy for TaskRef<I, O> {}

impl<B> Clone for EventRef<B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for EventRef<B> {}

/// Stops the build where two names have one slug, and so one name on AWS.
///
/// # Panics
/// If two of the names do.
///
/// # Example: all tasks of an app, once
///
/// ```
/// use dacapo::{TaskRef, assert_unique};
///
/// const SEND: TaskRef<String> = TaskRef::new("send");
/// const IMPORT: TaskRef<u32> = TaskRef::new("import");
/// const _: () = assert_unique(&[SEND.name(), IMPORT.name()]);
/// ```
pub const fn assert_unique(names: &[&str]) {
    let mut one = 0;
    while one < names.len() {
        let mut other = one + 1;
        while other < names.len() {
            assert!(!same_slug(names[one], names[other]), "two names have one slug, and so one name on AWS");
            other += 1;
        }
        one += 1;
    }
}
