//! The program behind an app's `make build`, `make deploy` and `make destroy`. `manifest` asks the functions what they
//! are, `template` writes what they become; the scripts beside this crate's `src` do the rest.

use std::{
    collections::BTreeMap,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Parser, ValueEnum};
use dacapo_domain::Manifest;

use crate::{OwnResources, script};

/// Builds, deploys and destroys the app whose workspace it is called in.
#[derive(Parser)]
enum Command {
    /// Builds the functions' zips, the manifest and the template.
    Build {
        /// No more than a deploy needs.
        #[arg(value_enum)]
        what: Option<Step>,
    },
    /// Creates or updates the stack {app}-{STAGE} with what is built.
    Deploy,
    /// Removes the stack.
    Destroy,
    /// Runs LocalStack without Docker until it is stopped. Recurring schedules don't fire in it.
    Localstack {
        /// The port on 127.0.0.1.
        #[arg(default_value_t = 4566)]
        port: u16,
    },
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
    /// Writes the template to standard output, and to standard error what functions may do to everything.
    Template {
        /// The manifest.
        manifest: PathBuf,
        /// The app's own resources; passed over where the file isn't there.
        #[arg(long)]
        resources: Option<PathBuf>,
    },
    /// Writes a deploy's parameters to standard output, as `create-stack` takes them.
    Parameters {
        /// The template.
        template: PathBuf,
        /// The JSON file that gives values to the app's own parameters; passed over where it isn't there.
        #[arg(long)]
        values: PathBuf,
        /// The parameters that the deploy itself sets, as NAME=VALUE.
        #[arg(value_parser = name_and_value)]
        set: Vec<(String, String)>,
    },
}

/// The extent of a build.
#[derive(Clone, Copy, ValueEnum)]
enum Step {
    Deploy,
}

/// Runs the program with the arguments of this process: all that the `main` of an app's own `infra` is.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Build { what } => script::run("infra/build", what.map(|Step::Deploy| "deploy")),
        Command::Deploy => script::run("infra/deploy", None),
        Command::Destroy => script::run("infra/destroy", None),
        Command::Localstack { port } => script::run("tests/localstack/run", Some(&format!("127.0.0.1:{port}"))),
        Command::Manifest { app, out, binaries } => done(write_manifest(&app, &out, &binaries)),
        Command::Functions { manifest } => done(print_functions(&manifest)),
        Command::Template { manifest, resources } => done(write_template(&manifest, resources.as_deref())),
        Command::Parameters { template, values, set } => done(write_parameters(&template, &values, set)),
    };
    result.unwrap_or_else(|error| {
        for line in error.to_string().lines() {
            eprintln!("error: {line}");
        }
        ExitCode::FAILURE
    })
}

fn done(result: Result<(), Box<dyn Error>>) -> Result<ExitCode, Box<dyn Error>> {
    result.map(|()| ExitCode::SUCCESS)
}

fn write_manifest(app: &str, out: &Path, binaries: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    let mut manifest = crate::collect(app, binaries)?;
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
        let code = crate::code_parameter(&function);
        io::Write::write_fmt(&mut io::stdout(), format_args!("{} {} {code}\n", function.name, function.crate_name))?;
    }
    Ok(())
}

fn write_template(manifest: &Path, resources: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let own = match resources.filter(|file| file.is_file()) {
        Some(file) => OwnResources::read(&read(file)?)?,
        None => OwnResources::default(),
    };
    let manifest = read_manifest(manifest)?;
    let template = crate::template(&manifest, &own)?;
    for warning in crate::warnings(&manifest) {
        eprintln!("warning: {warning}");
    }
    io::Write::write_all(&mut io::stdout(), template.to_text().as_bytes())?;
    Ok(())
}

fn write_parameters(template: &Path, values: &Path, set: Vec<(String, String)>) -> Result<(), Box<dyn Error>> {
    let file = values.display().to_string();
    let template = serde_json::from_str(&read(template)?)?;
    let values: BTreeMap<String, String> = match values.is_file() {
        true => serde_json::from_str(&read(values)?)
            .map_err(|error| format!("{file}: {error} (expected as {{\"Sender\": \"mail@shop.example\"}})"))?,
        false => BTreeMap::new(),
    };
    let parameters = crate::parameters(&template, &set.into_iter().collect(), &file, &values)?;
    io::Write::write_fmt(&mut io::stdout(), format_args!("{parameters}\n"))?;
    Ok(())
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))
}

fn read_manifest(path: &Path) -> Result<Manifest, Box<dyn Error>> {
    Ok(serde_json::from_str(&read(path)?).map_err(|error| format!("{} is no manifest: {error}", path.display()))?)
}
