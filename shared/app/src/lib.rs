//! Names and types that the functions of the sample app share, no code.

mod airports;
mod report;
mod user;

use dacapo::{EventRef, TaskRef, assert_unique};

pub use airports::{Import, Imported, Place, Tally};
pub use report::{Report, Sent};
pub use user::{UserJoined, Welcome};

/// Reads the airports of the world, page by page.
pub const IMPORT_AIRPORTS: TaskRef<Import, Imported> = TaskRef::new("import-airports");
/// Sends the mail that welcomes a user.
pub const SEND_WELCOME: TaskRef<Welcome> = TaskRef::new("send-welcome");
/// Sends the report of the day, or of the week.
pub const NIGHTLY_REPORT: TaskRef<Report, Sent> = TaskRef::new("nightly-report");
/// A user has joined.
pub const USER_JOINED: EventRef<UserJoined> = EventRef::new("user.joined");

const _: () = assert_unique(&[IMPORT_AIRPORTS.name(), SEND_WELCOME.name(), NIGHTLY_REPORT.name()]);
