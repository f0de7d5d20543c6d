//! What a process writes, line by line.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    task::JoinHandle,
};

use crate::report::{Report, Reports};

/// Lines of error output that a crash quotes, at most.
const QUOTED: usize = 10;

/// The last lines of a process's error output.
#[derive(Clone, Default)]
pub struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    pub fn get(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == QUOTED {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }
}

/// Tells of each line until the output ends, and keeps the last ones where asked to.
pub fn follow(
    output: impl AsyncRead + Send + Unpin + 'static,
    function: String,
    reports: Reports,
    last: Option<LastLines>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut output = BufReader::new(output);
        let mut bytes = vec![];
        // A function may write anything: what is no UTF-8 is shown as far as it is.
        while let Ok(1..) = output.read_until(b'\n', &mut bytes).await {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            if let Some(last) = &last {
                last.push(&line);
            }
            reports(Report::Line { function: function.clone(), line });
            bytes.clear();
        }
    })
}
