//! `dacapo-infra manifest` asks the functions what they are; `dacapo-infra template` writes what they become.

use std::{
    collections::BTreeMap,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use dacapo_domain::Manifest;
use dacapo_infra::OwnResources;

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

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Manifest { app, out, binaries } => write_manifest(&app, &out, &binaries),
        Command::Functions { manifest } => print_functions(&manifest),
        Command::Template { manifest, resources } => write_template(&manifest, resources.as_deref()),
        Command::Parameters { template, values, set } => write_parameters(&template, &values, set),
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

fn write_template(manifest: &Path, resources: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let own = match resources.filter(|file| file.is_file()) {
        Some(file) => OwnResources::read(&read(file)?)?,
        None => OwnResources::default(),
    };
    let manifest = read_manifest(manifest)?;
    let template = dacapo_infra::template(&manifest, &own)?;
    for warning in dacapo_infra::warnings(&manifest) {
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
    let parameters = dacapo_infra::parameters(&template, &set.into_iter().collect(), &file, &values)?;
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
