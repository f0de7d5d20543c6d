//! A function's needs of the account, said where the function is.

use dacapo_domain::{FileSystem, Requirements, Right, SecretSource, Sends, Vpc};

use crate::{EventHandler, EventRef, Task, TaskRef};

/// The needs of a function of the account beside what Dacapo uses itself, as options of its task or of its event handlers.
/// All that the handlers of one function say is put together.
///
/// In each text `${Name}` is a parameter or a resource of the app's own `infra/resources.yaml`, and `${Name.Attribute}`
/// a resource's attribute, as in CloudFormation's `Fn::Sub`. The names of variables are Lambda's: two or more letters,
/// digits and underscores, the first a letter.
///
/// # Example: a task that reads a bucket and sends mail
///
/// ```
/// use dacapo::prelude::*;
///
/// const SEND_INVOICE: TaskRef<String> = TaskRef::new("send-invoice");
///
/// pub fn function() -> impl Function {
///     task(SEND_INVOICE, send_invoice)
///         .allow("s3:GetObject", "${Invoices.Arn}/*")
///         .allow("ses:SendEmail", "arn:aws:ses:eu-west-1:111122223333:identity/shop.example")
///         .environment("INVOICES", "${Invoices}")
///         .environment("SENDER", "mail@shop.example")
///         .secret("SMTP_PASSWORD", "shop/smtp")
///         .secret("API_KEY", ssm("/shop/api-key"))
/// }
///
/// async fn send_invoice(_number: String, cx: TaskContext) -> Result<(), TaskError> {
///     let (sender, password) = (cx.variable("SENDER")?, cx.variable("SMTP_PASSWORD")?);
///     # let _ = (sender, password);
///     Ok(())
/// }
/// # dacapo::Definition::of(function()).describe("send-invoice").unwrap();
/// ```
pub trait Requires: Sized {
    #[doc(hidden)]
    fn requirements(&mut self) -> &mut Requirements;

    /// Lets the function's role do this, as `s3:GetObject`, to what has this ARN.
    #[must_use]
    fn allow(mut self, action: impl Into<String>, resource: impl Into<String>) -> Self {
        let right = Right { action: action.into(), resource: resource.into() };
        self.requirements().allow.push(right);
        self
    }

    /// Sets an environment variable. On the embedded engine the environment or `.env` may give another value.
    #[must_use]
    fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.requirements().environment.insert(name.into(), value.into());
        self
    }

    /// Names a secret that each process reads once, at its start: one of Secrets Manager by its name or ARN, or a
    /// [parameter of SSM](crate::ssm). It is in no template and in no log. On the embedded engine the environment or `.env`
    /// gives it.
    #[must_use]
    fn secret(mut self, name: impl Into<String>, secret: impl Into<SecretSource>) -> Self {
        self.requirements().secrets.insert(name.into(), secret.into());
        self
    }

    /// Says that handlers and hooks start runs of this task. A function that says so of one starts and publishes nothing else
    /// than what it says, and its role may send to no other queue. One that says nothing may start and publish whatever
    /// the app has.
    ///
    /// # Example: an order's task
    ///
    /// ```
    /// use dacapo::prelude::*;
    ///
    /// const SHIP: TaskRef<String> = TaskRef::new("ship");
    /// const PACK: TaskRef<String> = TaskRef::new("pack");
    /// const SHIPPED: EventRef<String> = EventRef::new("order.shipped");
    ///
    /// pub fn function() -> impl Function {
    ///     task(SHIP, ship).starts(PACK).publishes(SHIPPED)
    /// }
    ///
    /// async fn ship(order: String, cx: TaskContext) -> Result<(), TaskError> {
    ///     cx.run(PACK, order.clone()).await?;
    ///     cx.publish(SHIPPED, order).await?;
    ///     Ok(())
    /// }
    /// # dacapo::Definition::of(function()).describe("ship").unwrap();
    /// ```
    #[must_use]
    fn starts<I, O>(mut self, task: TaskRef<I, O>) -> Self {
        sends(&mut self).tasks.insert(task.name().to_owned());
        self
    }

    /// Says that handlers and hooks publish this event, as [`starts`](Self::starts) does of a task.
    #[must_use]
    fn publishes<B>(mut self, event: EventRef<B>) -> Self {
        sends(&mut self).events.insert(event.name().into_owned());
        self
    }

    /// Says that handlers and hooks start and publish nothing.
    #[must_use]
    fn sends_nothing(mut self) -> Self {
        sends(&mut self);
        self
    }

    /// Lets handlers make a [`Client`](crate::Client) of their own, which aborts, pauses, lists and puts schedules: the
    /// function's role has all the rights that a client needs. What the context has needs no client.
    #[must_use]
    fn uses_client(mut self) -> Self {
        self.requirements().uses_client = true;
        self
    }

    /// Adds a layer, by the ARN of its version.
    #[must_use]
    fn layer(mut self, arn: impl Into<String>) -> Self {
        self.requirements().layers.push(arn.into());
        self
    }

    /// Puts the function into these subnets, with these security groups.
    #[must_use]
    fn vpc<S: Into<String>, G: Into<String>>(
        mut self,
        subnets: impl IntoIterator<Item = S>,
        security_groups: impl IntoIterator<Item = G>,
    ) -> Self {
        self.requirements().vpc = Some(Vpc {
            subnets: subnets.into_iter().map(Into::into).collect(),
            security_groups: security_groups.into_iter().map(Into::into).collect(),
        });
        self
    }

    /// Mounts the file system of this access point, given by its ARN, at a folder beneath `/mnt/`.
    #[must_use]
    fn file_system(mut self, access_point: impl Into<String>, path: impl Into<String>) -> Self {
        let mounted = FileSystem { access_point: access_point.into(), path: path.into() };
        self.requirements().file_system = Some(mounted);
        self
    }

    /// Sets the size of `/tmp`: 512 to 10,240 MB, 512 by default.
    #[must_use]
    fn ephemeral_storage(mut self, mb: u32) -> Self {
        self.requirements().ephemeral_storage_mb = Some(mb);
        self
    }

    /// Lets X-Ray record the function's invocations. Off by default.
    #[must_use]
    fn tracing(mut self) -> Self {
        self.requirements().tracing = true;
        self
    }

    /// Sets the least severe lines of the process's own log: `trace`, `debug`, `info` (the default), `warn` or `error`.
    #[must_use]
    fn log_level(mut self, level: impl Into<String>) -> Self {
        self.requirements().log_level = Some(level.into());
        self
    }
}

fn sends(function: &mut impl Requires) -> &mut Sends {
    function.requirements().sends.get_or_insert_default()
}

impl<I, O, V, N> Requires for Task<I, O, V, N> {
    fn requirements(&mut self) -> &mut Requirements {
        &mut self.requires
    }
}

impl<V> Requires for EventHandler<V> {
    fn requirements(&mut self) -> &mut Requirements {
        &mut self.requires
    }
}
