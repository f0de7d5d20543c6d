//! `dacapo-infra manifest` asks the functions what they are; `dacapo-infra template` writes what they become.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use dacapo_domain::Manifest;

/// Writes the manifest and the CloudFormation template of an app.
#[derive(Parser)]
enum Command {
    /// Runs the functions' binaries and writes what they say of themselves.
    Manifest {
        /// The app's name.
        #[arg(long)]
        app: String,
        /// The file to write. Left as it is if nothing but the time would change.
        #[arg(long)]
        out: PathBuf,
        /// The functions' binaries.
        #[arg(required = true)]
        binaries: Vec<PathBuf>,
    },
    /// Prints a line for each function: its name, its crate, and the template's parameter for its code.
    Functions {
        /// The manifest.
        manifest: PathBuf,
    },
    /// Writes the template to standard output.
    Template {
        /// The manifest.
        manifest: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Manifest { app, out, binaries } => write_manifest(&app, &out, &binaries),
        Command::Functions { manifest } => print_functions(&manifest),
        Command::Template { manifest } => write_template(&manifest),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    for line in error.to_string().lines() {
        eprintln!("error: {line}");
    }
    ExitCode::FAILURE
}

fn write_manifest(app: &str, out: &Path, binaries: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    let mut manifest = dacapo_infra::collect(app, binaries)?;
    // The time tells the newer of two manifests. It stays while nothing else changes, so that a deploy of the same
    // functions changes nothing.
    if let Ok(former) = read_manifest(out) {
        manifest.made_ms = former.made_ms;
        if manifest == former {
            return Ok(());
        }
    }
    manifest.made_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    manifest.check_fires()?;
    fs::write(out, serde_json::to_string_pretty(&manifest)? + "\n")
        .map_err(|error| format!("can't write {}: {error}", out.display()))?;
    Ok(())
}

fn print_functions(manifest: &Path) -> Result<(), Box<dyn Error>> {
    for function in read_manifest(manifest)?.functions {
        let code = dacapo_infra::code_parameter(&function);
        io::Write::write_fmt(&mut io::stdout(), format_args!("{} {} {code}\n", function.name, function.crate_name))?;
    }
    Ok(())
}

fn write_template(manifest: &Path) -> Result<(), Box<dyn Error>> {
    let template = dacapo_infra::template(&read_manifest(manifest)?)?;
    io::Write::write_all(&mut io::stdout(), template.to_text().as_bytes())?;
    Ok(())
}

fn read_manifest(path: &Path) -> Result<Manifest, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{} is no manifest: {error}", path.display()))?)
}
