//! Names that a filter of deliveries may say.

use dacapo_domain::{DeliveryFilter, Manifest};

use super::suggestion;
use crate::{Error, ErrorKind};

/// Checks that the app has the function and the event that a filter names.
pub(super) fn check_names(filter: &DeliveryFilter, manifest: &Manifest) -> Result<(), Error> {
    let with_handlers = manifest.functions.iter().filter(|function| !function.subscriptions().is_empty());
    let functions: Vec<&str> = with_handlers.map(|function| &*function.name).collect();
    let events: Vec<&str> = manifest.events().into_iter().collect();
    for (what, name, known) in
        [("function of event handlers", &filter.function, functions), ("handler of an event", &filter.event, events)]
    {
        if let Some(name) = name.as_deref().filter(|name| !known.contains(name)) {
            let text = format!("find a {what} named {name:?}{}", suggestion(name, &known));
            return Err(Error::new(ErrorKind::NotFound, text));
        }
    }
    Ok(())
}
