//! The runs that a handler waits for.

use dacapo_domain::Child;

use crate::Started;

/// Runs that a handler waits for, of one task or several: what `cx.run` or `cx.batch` gave, a list or a tuple of that.
///
/// # Example: one run and a batch
///
/// ```
/// # use dacapo::{TaskRef, prelude::*};
/// # const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
/// # const CHECK: TaskRef<String> = TaskRef::new("check");
/// async fn total(step: u8, cx: TaskContext) -> Result<Outcome<u8, u32>, TaskError> {
///     if step == 0 {
///         let counts = cx.batch(COUNT, 0..100).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
///         let check = cx.run(CHECK, "the source".to_owned()).await?;
///         return Ok(Continue::when_done((counts, check), 1));
///     }
///     Ok(Done(cx.children(COUNT).await?.results().await?.into_iter().sum()))
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaited(Vec<Child>);

impl Awaited {
    pub(crate) fn into_children(self) -> Vec<Child> {
        self.0
    }
}

impl<O> From<Started<O>> for Awaited {
    fn from(started: Started<O>) -> Self {
        Self(vec![started.into_child()])
    }
}

impl<T: Into<Self>> FromIterator<T> for Awaited {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        Self(all.into_iter().flat_map(|some| some.into().0).collect())
    }
}

impl<T: Into<Self>> From<Vec<T>> for Awaited {
    fn from(all: Vec<T>) -> Self {
        all.into_iter().collect()
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Awaited {
    fn from(all: [T; N]) -> Self {
        all.into_iter().collect()
    }
}

impl<A: Into<Self>, B: Into<Self>> From<(A, B)> for Awaited {
    fn from((one, other): (A, B)) -> Self {
        [one.into(), other.into()].into()
    }
}

impl<A: Into<Self>, B: Into<Self>, C: Into<Self>> From<(A, B, C)> for Awaited {
    fn from((one, other, third): (A, B, C)) -> Self {
        [one.into(), other.into(), third.into()].into()
    }
}
