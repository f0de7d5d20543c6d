use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use super::{Emulator, failed, root};

/// The patience with its first start, which installs it.
const PATIENCE: Duration = Duration::from_secs(900);
/// The longest time that one answer about its health may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Ports that are asked for by number alone: the kernel gives those from 32768 on to any program that connects, so
/// that one of them may be taken before LocalStack listens.
const PORTS: Range<u16> = 20_000..32_000;
/// Starts on one port after another, where others take them.
const STARTS: u32 = 5;
/// The longest time that it may take to stop by itself.
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
        Self::launch(Emulator::LocalStack, port, state, |_| Ok(()))
    }

    /// Starts an emulator on a port that is free.
    ///
    /// # Errors
    /// If it can't be started, or ends before it answers: it has said why on standard error.
    pub fn start_on_a_free_port(emulator: Emulator, state: &Path) -> io::Result<Self> {
        let mut starts = 1;
        loop {
            let port = free_port()?;
            match Self::launch(emulator, port, Some(state), |_| Ok(())) {
                Err(_) if starts < STARTS && !is_free(port) => starts += 1, // Another was faster.
                result => return result,
            }
        }
    }

    /// Starts one as [`start`](Self::start) does, but what it says goes to a file.
    ///
    /// # Errors
    /// If it can't be started, or ends before it answers: it has said why in the file.
    pub fn start_quietly(port: u16, state: Option<&Path>, log: &File) -> io::Result<Self> {
        Self::launch(Emulator::LocalStack, port, state, |command| {
            command.stdout(log.try_clone()?).stderr(log.try_clone()?);
            Ok(())
        })
    }

    fn launch(
        emulator: Emulator,
        port: u16,
        state: Option<&Path>,
        output: impl FnOnce(&mut Command) -> io::Result<()>,
    ) -> io::Result<Self> {
        let address = format!("127.0.0.1:{port}");
        let mut command = tied_to_us(&root().join("tests/localstack").join(emulator.program()));
        command.arg(&address).args(state);
        output(&mut command)?;
        let child = command.spawn()?;
        let mut server = Self { child, endpoint: format!("http://{address}") };
        let deadline = Instant::now() + PATIENCE;
        while let Err(seen) = is_healthy(&address) {
            if let Some(status) = server.child.try_wait()? {
                return Err(failed(format!("{emulator:?} ended with {status}")));
            }
            if Instant::now() > deadline {
                let text = format!("{emulator:?} isn't healthy at {address} after {PATIENCE:?}; the last look: {seen}");
                return Err(failed(text));
            }
            thread::sleep(PAUSE);
        }
        Ok(server)
    }

    /// The address.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The status of its end, if it has ended.
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

/// A port that is free.
fn free_port() -> io::Result<u16> {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(PORTS)).take(1_000);
    ports.find(|port| is_free(*port)).ok_or_else(|| failed(format!("no port of {PORTS:?} is free")))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Is true once it says that it is up: a port that takes connections may not answer yet, or be another program's.
fn is_healthy(address: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    stream.write_all(format!("GET /_localstack/health HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(failed(format!("it answers {status:?}"))) }
}

/// A command that the kernel ends when we end, however we do. Elsewhere than on Linux it outlives a kill -9 of ours.
fn tied_to_us(program: &Path) -> Command {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].map(PathBuf::from).into_iter().find(|path| path.exists());
    let Some(setpriv) = setpriv else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}
