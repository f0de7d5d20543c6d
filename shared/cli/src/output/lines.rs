//! Lines of a command that goes on: one thread writes them, so that a reader that stops reading stops nothing else.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Lines that wait to be written, at most: those that come then are counted and left out.
const WAITING: usize = 1_000;

/// The time that lines have at the end of the command.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// The output that a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Lines on their way.
#[derive(Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<(Stream, String)>,
    left_out: usize,
    is_writing: bool,
}

impl Queue {
    fn note_what_is_left_out(&mut self) {
        if self.left_out > 0 {
            self.lines.push_back((Stream::Err, format!("… {} lines left out", self.left_out)));
            self.left_out = 0;
        }
    }
}

impl Lines {
    /// Lines that are written as fast as they are read, until the process ends.
    pub fn written(write: impl FnMut(Stream, &str) -> io::Result<()> + Send + 'static) -> Self {
        let lines = Self::default();
        let taken = lines.clone();
        std::thread::spawn(move || taken.write(write));
        lines
    }

    /// Adds a line. Returns at once, whether the lines are read or not.
    pub fn add(&self, stream: Stream, text: &str) {
        let mut queue = self.lock();
        if queue.lines.len() < WAITING {
            queue.note_what_is_left_out();
            queue.lines.push_back((stream, text.to_owned()));
            self.0.changed.notify_all();
        } else {
            queue.left_out += 1;
        }
    }

    /// Waits until all is written, but not for long.
    pub fn finish(&self) {
        let mut queue = self.lock();
        queue.note_what_is_left_out();
        self.0.changed.notify_all();
        let is_unwritten = |queue: &mut Queue| queue.is_writing || !queue.lines.is_empty();
        let _ = self.0.changed.wait_timeout_while(queue, WRITTEN_WITHIN, is_unwritten);
    }

    fn write(&self, mut write: impl FnMut(Stream, &str) -> io::Result<()>) {
        let mut queue = self.lock();
        loop {
            if let Some((stream, line)) = queue.lines.pop_front() {
                queue.is_writing = true;
                drop(queue);
                // With nobody left to read there is nowhere to say it.
                let _ = write(stream, &line);
                queue = self.lock();
                queue.is_writing = false;
                self.0.changed.notify_all();
            } else {
                queue = self.0.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Lines whose writer takes the first, then waits until it is let go on; and what was written.
    fn stuck() -> (Lines, mpsc::Sender<()>, mpsc::Receiver<String>) {
        let (let_go, waits) = mpsc::channel::<()>();
        let (tell, written) = mpsc::channel();
        let lines = Lines::written(move |_, line| {
            tell.send(line.to_owned()).unwrap();
            // Once nobody holds it back, it writes on.
            let _ = waits.recv();
            Ok(())
        });
        lines.add(Stream::Err, "first");
        assert_eq!(written.recv().unwrap(), "first");
        (lines, let_go, written)
    }

    #[test]
    fn lines_that_nobody_reads_are_counted_and_left_out_and_hold_up_nothing() {
        let (lines, let_go, written) = stuck();
        for n in 0..WAITING + 120 {
            lines.add(Stream::Err, &n.to_string());
        }
        drop(let_go);
        for n in 0..WAITING {
            assert_eq!(written.recv().unwrap(), n.to_string());
        }
        lines.add(Stream::Err, "next");
        assert_eq!([written.recv().unwrap(), written.recv().unwrap()], ["… 120 lines left out", "next"]);
    }

    #[test]
    fn end_waits_for_the_lines_but_not_for_a_reader_that_has_stopped() {
        let (lines, let_go, written) = stuck();
        lines.add(Stream::Out, "second");
        lines.finish();
        assert!(written.try_recv().is_err(), "it is still stuck");
        drop(let_go);
        lines.add(Stream::Out, "third");
        lines.finish();
        assert_eq!(written.try_iter().collect::<Vec<_>>(), ["second", "third"]);
    }
}
