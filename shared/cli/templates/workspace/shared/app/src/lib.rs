//! Names and types that the functions share, and the hooks around all of them.

use dacapo::Hooks;

/// The hooks of the whole app: each function's `main` serves it within them.
pub fn hooks() -> Hooks {
    Hooks::new()
}
