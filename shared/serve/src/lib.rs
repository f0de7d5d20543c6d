//! Serves a function: on Lambda with AWS, or on the embedded engine.
