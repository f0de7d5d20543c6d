//! The warnings of the engine and of what runs within it, which go to `tracing`: each becomes a line.

use std::io::{self, Write};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    fmt::layer,
    layer::SubscriberExt,
    registry,
};

use super::lines::{Lines, Stream};

/// The subscriber that makes lines of Dacapo's own warnings and errors.
pub fn subscriber(
    lines: Lines,
) -> impl tracing_subscriber::util::SubscriberInitExt + tracing::Subscriber + Send + Sync {
    let of_dacapo = filter_fn(|about| about.target().starts_with("dacapo") && *about.level() <= LevelFilter::WARN);
    let warnings = layer().without_time().with_target(false).with_ansi(false);
    registry().with(warnings.with_writer(move || Warning { lines: lines.clone(), text: vec![] }).with_filter(of_dacapo))
}

/// A warning, written piece by piece.
struct Warning {
    lines: Lines,
    text: Vec<u8>,
}

impl Write for Warning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Warning {
    fn drop(&mut self) {
        self.lines.add(Stream::Err, &super::plain(String::from_utf8_lossy(&self.text).trim()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warning_of_the_engine_is_a_line_and_what_others_say_is_not() {
        let (tell, told) = std::sync::mpsc::channel();
        let lines = Lines::written(move |stream, line| tell.send((stream, line.to_owned())).map_err(io::Error::other));
        tracing::subscriber::with_default(subscriber(lines.clone()), || {
            tracing::warn!(target: "hyper::proto", "a connection broke");
            tracing::info!("all is well");
            tracing::error!(record = "run/1\u{1b}[31m", "a record could not be reconciled");
        });
        lines.finish();
        let all: Vec<_> = told.try_iter().collect();
        assert_eq!(all.len(), 1, "{all:?}");
        let (stream, line) = &all[0];
        assert_eq!(*stream, Stream::Err);
        assert!(line.starts_with("ERROR a record could not be reconciled record=\"run/1"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}
