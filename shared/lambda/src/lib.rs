//! Lambda payloads in and out.
