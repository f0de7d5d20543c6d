//! The event's name, and what it carries.

use dacapo::EventRef;
use serde::{Deserialize, Serialize};

/// The event.
pub const MY_NAME: EventRef<MyNameBody> = EventRef::new("my.name");

/// The body of the event. What is left out has its default, so that the body `{}` works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MyNameBody {
    /// The one it is about.
    pub who: String,
}
