//! The files that `new`, `init` and `add` make, out of templates, planned first and written only if all of them can be.

mod function;
mod name;
mod plan;
mod root_manifest;
mod source;
mod workspace;

pub use function::{Kind, add_function};
pub use name::Name;
pub use plan::Plan;
pub use source::Source;
pub use workspace::{add_missing, skeleton};
