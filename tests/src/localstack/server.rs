use std::{
    fs::File,
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use super::{failed, root};

/// Its first start installs it.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long it may take to stop by itself.
const STOPS_WITHIN: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

/// A LocalStack of our own, which ends with this process.
pub struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    /// Starts one on a port of the loopback device. Its state is in a folder, else where `run` puts it.
    ///
    /// # Errors
    /// If it can't be started, or ends before it answers: it has said why on standard error.
    pub fn start(port: u16, state: Option<&Path>) -> io::Result<Self> {
        Self::launch(port, state, |_| Ok(()))
    }

    /// The same, but what it says goes to a file.
    ///
    /// # Errors
    /// If it can't be started, or ends before it answers: it has said why in the file.
    pub fn start_quietly(port: u16, state: Option<&Path>, log: &File) -> io::Result<Self> {
        Self::launch(port, state, |command| {
            command.stdout(log.try_clone()?).stderr(log.try_clone()?);
            Ok(())
        })
    }

    fn launch(
        port: u16,
        state: Option<&Path>,
        output: impl FnOnce(&mut Command) -> io::Result<()>,
    ) -> io::Result<Self> {
        let address = format!("127.0.0.1:{port}");
        let mut command = tied_to_us(&root().join("tests/localstack/run"));
        command.arg(&address).args(state);
        output(&mut command)?;
        let child = command.spawn()?;
        let mut server = Self { child, endpoint: format!("http://{address}") };
        let deadline = Instant::now() + PATIENCE;
        // It listens when its services are there, not before.
        while TcpStream::connect(&address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(failed(format!("LocalStack ended with {status}")));
            }
            if Instant::now() > deadline {
                return Err(failed(format!("LocalStack doesn't answer at {address} after {PATIENCE:?}")));
            }
            thread::sleep(PAUSE);
        }
        Ok(server)
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the operating system doesn't tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + STOPS_WITHIN;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// A port that nobody listens on.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A command that the kernel ends when we end, however we do. Elsewhere than on Linux it outlives a kill -9 of ours.
fn tied_to_us(program: &Path) -> Command {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].map(PathBuf::from).into_iter().find(|path| path.exists());
    let Some(setpriv) = setpriv else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}
