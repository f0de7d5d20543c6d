//! The real program, as a shell calls it.

use std::{
    fmt,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The output of a call, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A call in an empty folder, without those variables of the tester's environment that the program reads.
pub struct Call {
    command: Command,
    input: Option<String>,
}

/// Calls `dacapo` with the words of a line; a word in single quotes may hold spaces.
pub fn dacapo(line: &str) -> Said {
    call(line).said()
}

pub fn call(line: &str) -> Call {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| listens_to(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.current_dir(std::env::temp_dir()).args(words(line)).env("AWS_EC2_METADATA_DISABLED", "true");
    Call { command, input: None }
}

fn listens_to(name: &str) -> bool {
    ["DACAPO_", "AWS_", "CLICOLOR", "NO_COLOR", "RUST_LOG"].iter().any(|start| name.starts_with(start))
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    for (i, part) in line.split('\'').enumerate() {
        match i % 2 {
            0 => words.extend(part.split_whitespace().map(ToOwned::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

impl Call {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Lets it run at a terminal of its own.
    #[cfg(unix)]
    pub fn at_terminal(mut self) -> Self {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let mut command = Command::new("script");
        command.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(std::env::temp_dir()).env("TERM", "xterm");
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
        self
    }

    /// Gives it a text on standard input.
    pub fn hears(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Lets it run until the value is dropped.
    pub fn runs(mut self) -> Running {
        Running(self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Lets it run until the value is dropped, with its words in pipes.
    pub fn speaks(mut self) -> Running {
        Running(self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    pub fn said(mut self) -> Said {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that refuses its arguments doesn't read what it is told.
        let _ = stdin.write_all(self.input.unwrap_or_default().as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A call that goes on.
pub struct Running(Child);

impl Running {
    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Closes the end of the pipe that its output goes to.
    pub fn is_not_read(&mut self) {
        drop(self.0.stdout.take());
    }

    /// Waits until it has ended.
    pub fn ends_within(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it goes on after {time:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The lines of its output, as they come.
    pub fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        BufReader::new(self.0.stdout.take().unwrap()).lines().map(Result::unwrap)
    }

    /// All that it has said on standard error, once it has ended.
    pub fn errors(&mut self) -> String {
        std::io::read_to_string(self.0.stderr.take().unwrap()).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Said {
    /// The one JSON document of a call that ended well.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The same without the place that it is of.
    #[track_caller]
    pub fn answer(&self) -> Value {
        let mut answer = self.json();
        let place = answer.as_object_mut().unwrap().remove("place");
        assert!(place.is_some(), "it doesn't say which app answered: {self}");
        answer
    }

    /// The error's one JSON document.
    #[track_caller]
    pub fn error(&self) -> Value {
        assert_eq!(self.out, "", "nothing but the error: {self}");
        serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}exit {}", self.out, self.err, self.code)
    }
}
