//! Sample function send-welcome.
