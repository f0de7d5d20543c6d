//! Handlers of events.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use dacapo_core::{
    attempt::EventAttempt,
    function::{ErasedEventHandler, Handlers},
};
use dacapo_domain::{AttemptError, Json, Requirements, Retry, Subscription, code, limits};
use futures::future::BoxFuture;

use crate::{
    EventContext, EventRef, TaskError,
    definition::{Definition, Function},
    handler::{IsAsync, IsResult},
    task::Memory,
};

/// A handler of an event, and how its deliveries are treated. Handlers of any events share an array.
///
/// Made by [`on`]. It may be called more than once for one event, and bears that.
#[must_use = "a handler is part of an app where its crate's `function()` returns it"]
pub struct EventHandler<V = ()> {
    subscription: Subscription,
    memory: Memory,
    pub(crate) requires: Requirements,
    call: Call<V>,
}

type Call<V> = Arc<dyn Fn(Json, EventContext<V>) -> BoxFuture<'static, Result<(), AttemptError>> + Send + Sync>;

/// A handler of this event: an `async fn` that gets its body and an [`EventContext`].
///
/// # Example: two handlers of one function
///
/// ```
/// use dacapo::prelude::*;
///
/// const USER_JOINED: EventRef<String> = EventRef::new("user.joined");
///
/// pub fn function() -> impl Function {
///     [on(USER_JOINED, greet), on(USER_JOINED, count).timeout(seconds(10)).dead_letter()]
/// }
///
/// async fn greet(_email: String, _cx: EventContext) -> Result<(), TaskError> {
///     Ok(())
/// }
///
/// async fn count(_email: String, _cx: EventContext) -> Result<(), TaskError> {
///     Ok(())
/// }
/// ```
pub fn on<B, V, F, W, R>(event: EventRef<B>, handler: F) -> EventHandler<V>
where
    B: Send + 'static,
    V: Send + Sync + 'static,
    F: Fn(B, EventContext<V>) -> W + Send + Sync + 'static,
    W: IsAsync<Output = R> + Send + 'static,
    R: IsResult<Value = ()>,
{
    let handler = Arc::new(handler);
    let call = move |body: Json, cx: EventContext<V>| -> BoxFuture<'static, Result<(), AttemptError>> {
        let handler = Arc::clone(&handler);
        Box::pin(async move {
            let body = event.body.decode(&body).map_err(|error| {
                let (name, place, cause) = (event.name(), error.path(), error.inner());
                AttemptError::terminal(
                    code::BODY_MISMATCH,
                    format!("the body is none of event {name:?}: at {place}: {cause}"),
                )
            })?;
            handler(body, cx.clone()).await.into_result().map_err(|error| cx.attempt_error(error))
        })
    };
    let subscription = Subscription {
        event: event.name().into_owned(),
        handler: std::any::type_name::<F>().to_owned(),
        timeout: Duration::from_secs(5),
        retry: Retry::of_events(),
        dead_letter: false,
    };
    EventHandler { subscription, memory: Memory::DEFAULT, requires: Requirements::default(), call: Arc::new(call) }
}

impl<V: Send + Sync + 'static> EventHandler<V> {
    /// Makes what the handler's context holds, before each attempt. If it fails, the attempt fails with `INIT_ERROR`, and
    /// is tried again as the error says.
    ///
    /// # Example: a handler with a mailer
    ///
    /// ```
    /// use dacapo::prelude::*;
    ///
    /// const USER_JOINED: EventRef<String> = EventRef::new("user.joined");
    ///
    /// struct Mailer;
    /// # impl Mailer { async fn send(&self, _: &str) -> Result<(), std::io::Error> { Ok(()) } }
    ///
    /// pub fn function() -> impl Function {
    ///     on(USER_JOINED, greet).init(async |_| Ok(Mailer))
    /// }
    ///
    /// async fn greet(email: String, cx: EventContext<Mailer>) -> Result<(), TaskError> {
    ///     Ok(cx.init().send(&email).await?)
    /// }
    /// # dacapo::Definition::of(function()).describe("user-joined").unwrap();
    /// ```
    pub fn init<W>(self, hook: impl Fn(EventContext) -> W + Send + Sync + 'static) -> EventHandler
    where
        W: Future<Output = Result<V, TaskError>> + Send + 'static,
    {
        let (hook, call) = (Arc::new(hook), self.call.clone());
        self.calling(Arc::new(move |body, cx: EventContext| {
            let (hook, call) = (hook.clone(), call.clone());
            Box::pin(async move {
                let value = hook(cx.clone()).await;
                let value = value.map_err(|error| cx.attempt_error(error.code(code::INIT_ERROR)))?;
                call(body, cx.with(Arc::new(value))).await
            })
        }))
    }

    /// The same, ready made: all attempts share it. For tests, and for what is cheap to have.
    pub fn value(self, value: V) -> EventHandler {
        let (value, call) = (Arc::new(value), self.call.clone());
        self.calling(Arc::new(move |body, cx: EventContext| call(body, cx.with(value.clone()))))
    }

    fn calling(self, call: Call<()>) -> EventHandler {
        let Self { subscription, memory, requires, call: _ } = self;
        EventHandler { subscription, memory, requires, call }
    }
}

impl<V> Clone for EventHandler<V> {
    fn clone(&self) -> Self {
        let Self { subscription, memory, requires, call } = self;
        let (subscription, requires, call) = (subscription.clone(), requires.clone(), call.clone());
        Self { subscription, memory: *memory, requires, call }
    }
}

impl<V> EventHandler<V> {
    /// The limit of one attempt: 1 s to 60 s, 5 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.subscription.timeout = timeout;
        self
    }

    /// The retry policy after a failed attempt: by default another every six minutes, for up to 14 days.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.subscription.retry = retry;
        self
    }

    /// Puts what would be dropped into the function's dead-letter queue too.
    pub fn dead_letter(mut self) -> Self {
        self.subscription.dead_letter = true;
        self
    }

    /// The Lambda's memory: 128 to 10,240 MB, 256 by default, or a [`Machine`](crate::Machine). Of the handlers of one
    /// function the largest counts.
    pub fn memory(mut self, memory: impl Into<Memory>) -> Self {
        self.memory = memory.into();
        self
    }

    fn problems(&self) -> impl Iterator<Item = String> {
        let Subscription { event, timeout, retry, .. } = &self.subscription;
        let allowed = limits::MIN_TIMEOUT..=limits::MAX_EVENT_TIMEOUT;
        let timeout = (!allowed.contains(timeout)).then(|| {
            format!("timeout of {timeout:?} (allowed: 1 s to 60 s; a handler that needs longer starts a task)")
        });
        let retry = retry.check().err().map(|error| error.to_string());
        timeout
            .into_iter()
            .chain(retry)
            .chain(self.memory.problem())
            .map(move |problem| format!("handler of event {event:?}: {problem}"))
    }
}

#[async_trait]
impl ErasedEventHandler for EventHandler {
    fn subscription(&self) -> Subscription {
        self.subscription.clone()
    }

    async fn call(&self, body: Json, attempt: Arc<EventAttempt>) -> Result<(), AttemptError> {
        (self.call)(body, EventContext::new(attempt)).await
    }
}

impl Function for EventHandler {
    fn define(self) -> Definition {
        [self].define()
    }
}

impl<const N: usize> Function for [EventHandler; N] {
    fn define(self) -> Definition {
        let mut problems = if N == 0 {
            vec!["a function without a handler (give it one by `on(EVENT, handler)`)".to_owned()]
        } else {
            self.iter().flat_map(EventHandler::problems).collect()
        };
        let mut handlers = self;
        number_alike(&mut handlers);
        let memory_mb = handlers.iter().map(|handler| handler.memory.mb()).max().unwrap_or_default();
        let of_all = |problem| format!("handlers of one function: {problem}");
        let mut of_each = handlers.iter_mut().map(|handler| std::mem::take(&mut handler.requires));
        let mut requires = of_each.next().unwrap_or_default();
        for other in of_each {
            let different = requires.merge(other).err().unwrap_or_default();
            problems.extend(different.into_iter().map(of_all));
        }
        problems.extend(requires.problems().into_iter().map(of_all));
        let handlers = handlers.into_iter().map(|handler| Arc::new(handler) as Arc<dyn ErasedEventHandler>).collect();
        Definition { memory_mb, requires, handlers: Handlers::Events(handlers), problems }
    }
}

/// Tells handlers of one event apart whose functions have one path, as closures have.
fn number_alike(handlers: &mut [EventHandler]) {
    let mut seen: HashMap<(String, String), u32> = HashMap::new();
    for Subscription { event, handler, .. } in handlers.iter_mut().map(|handler| &mut handler.subscription) {
        let count = seen.entry((event.clone(), handler.clone())).or_default();
        *count += 1;
        if *count > 1 {
            handler.push_str(&format!("#{count}"));
        }
    }
}
