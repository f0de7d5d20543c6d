//! The state that every page is made from.

use dacapo::Client;
use jiff::Timestamp;

use crate::guard::Token;

/// The client of the app, its name for the corner of a page, and the token that forms carry.
#[derive(Clone)]
pub struct Dashboard {
    pub client: Client,
    pub place: String,
    pub token: Token,
}

impl Dashboard {
    pub fn now(&self) -> Timestamp {
        self.client.ports().clock.now()
    }
}
