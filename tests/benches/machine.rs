//! The machine and the numbers, as all sections need them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

use crate::AnyError;

/// The cores that the numbers to reach are given for.
const CORES: usize = 2;

/// A runtime of as many threads.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(CORES).enable_all().build()
}

/// The machine, as far as it matters to a reader who compares two tables.
pub fn about() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned();
    format!("{cores} cores, load {load}")
}

/// The most memory that a living process had resident, in KiB.
pub fn peak_kib(pid: u32) -> Result<u64, AnyError> {
    let file = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&file).map_err(|error| format!("{file}: {error} (only Linux has it)"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A process and all that it has started, as far as they live.
pub fn family(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children: Vec<String> =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok()).collect();
    let children = children.iter().flat_map(|pids| pids.split_whitespace()).filter_map(|pid| pid.parse().ok());
    children.flat_map(family).chain([pid]).collect()
}

/// The processor time that a process has used.
pub fn cpu(pid: u32) -> Result<Duration, AnyError> {
    // In ticks of a hundredth of a second, after the name, which may have any character: `man proc_pid_stat`.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// The bytes that a process has had written to disks.
pub fn written(pid: u32) -> Result<u64, AnyError> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).ok_or("no write_bytes")?;
    Ok(line.parse()?)
}

/// Lets a process and its threads run on one core alone.
pub fn pin(pid: u32) -> Result<(), AnyError> {
    let pinned = Command::new("taskset").args(["-a", "-c", "-p", "0", &pid.to_string()]).output();
    let pinned = pinned.map_err(|error| format!("taskset: {error} (only Linux has it)"))?;
    if pinned.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&pinned.stderr).into()) }
}

/// A directory that ends with the value, on the disk that is built on: a temporary file system may be memory.
pub fn directory() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in(target())
}

/// The folder that cargo builds in. A bench is two folders below: `release/deps`.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// Builds one of the programs beside this one that are a workspace of their own, named after their folder; gives its binary.
pub fn built(folder: &str) -> Result<PathBuf, AnyError> {
    let target = target().join(folder);
    fs::create_dir_all(&target)?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(folder).join("Cargo.toml");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest).env("CARGO_TARGET_DIR", &target);
    run(&mut build, &target.join("cargo.log"))?;
    Ok(target.join(format!("release/bench-{folder}")))
}

/// Runs a command to its end, with what it says in a log.
pub fn run(command: &mut Command, log: &Path) -> Result<(), AnyError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = File::create(log)?;
    let command = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} ended with {status} ({})", log.display()).into()) }
}

/// The value below which this share of them lies.
pub fn percentile<T: Copy + Ord + Default>(values: &mut [T], share: f64) -> T {
    values.sort_unstable();
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}

pub fn median<T: Copy + Ord + Default>(values: &mut [T]) -> T {
    percentile(values, 0.5)
}

/// As `1.53 ms`.
pub fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} µs", s * 1e6),
    }
}

/// As `1.04×`.
pub fn ratio(this: f64, that: f64) -> String {
    format!("{:.2}×", this / that)
}

/// A list that many may add to.
#[derive(Clone, Default)]
pub struct Shared<T>(Arc<Mutex<Vec<T>>>);

impl<T> Shared<T> {
    pub fn push(&self, value: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(value);
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
