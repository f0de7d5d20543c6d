//! What a process writes, line by line.

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    task::JoinHandle,
};

use crate::report::{Report, Reports};

/// Tells of each line until the output ends.
pub fn follow(output: impl AsyncRead + Send + Unpin + 'static, function: String, reports: Reports) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut output = BufReader::new(output);
        let mut bytes = vec![];
        // A function may write anything: what is no UTF-8 is shown as far as it is.
        while let Ok(1..) = output.read_until(b'\n', &mut bytes).await {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            reports(Report::Line { function: function.clone(), line });
            bytes.clear();
        }
    })
}
