use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use jiff::Timestamp;

/// The firer's clock: the machine's, moved ahead for the schedules that a file names.
///
/// A line of the file is the beginning of a schedule's name, a tab, and milliseconds. The file may be written by another
/// process while the firer runs, a line at a time. So one test's time passes without another's.
#[derive(Clone, Debug, Default)]
pub struct FirerClock {
    file: Option<PathBuf>,
}

impl FirerClock {
    /// A clock that looks into a file, which needn't be there yet.
    #[must_use]
    pub fn moved_by(file: PathBuf) -> Self {
        Self { file: Some(file) }
    }

    /// Lets so much time pass for the schedules whose names begin like this.
    ///
    /// # Errors
    /// If the file can't be written, or the clock has none.
    pub fn advance(&self, schedules: &str, time: Duration) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let mut file = OpenOptions::new().create(true).append(true).open(file)?;
        file.write_all(format!("{schedules}\t{}\n", time.as_millis()).as_bytes())
    }

    /// Now, for a schedule.
    pub(super) fn now(&self, schedule: &str) -> Timestamp {
        let lines = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let moves = lines.lines().filter_map(|line| line.split_once('\t'));
        let moves = moves.filter(|(schedules, _)| schedule.starts_with(schedules));
        let moved_ms = moves.filter_map(|(_, moved_ms)| moved_ms.parse::<u64>().ok()).sum();
        Timestamp::now() + Duration::from_millis(moved_ms)
    }
}
