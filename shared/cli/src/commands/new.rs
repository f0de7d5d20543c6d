//! The commands that make a workspace: `new` from nothing, `init` out of one that is there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use dacapo_domain::check_stack;

use crate::{
    context::Context,
    failure::{CliError, CliResult},
    output::quoted,
    scaffold::{Kind, Name, Plan, Source, add_function, add_missing, skeleton},
};

/// Makes the workspace of an app with a task, an event handler and a schedule, each with its test.
#[derive(Debug, Args)]
pub struct New {
    /// The app's name, and the folder's; of a path, its last part
    name: PathBuf,
    #[command(flatten)]
    from: From,
    /// Say which files it would write, and write none
    #[arg(long)]
    dry_run: bool,
}

/// Adds to the cargo workspace in this folder what an app needs, and touches nothing else.
#[derive(Debug, Args)]
pub struct Init {
    #[command(flatten)]
    from: From,
    /// Say which files it would write, and write none
    #[arg(long)]
    dry_run: bool,
}

/// The place that the crates come from.
#[derive(Debug, Args)]
struct From {
    /// The source of Dacapo's crates: path:FOLDER of a checkout, git:URL, git:URL#TAG, or a version of cargo's registry
    /// [default: the checkout that this program was built from]
    #[arg(long, value_name = "SOURCE", value_parser = Source::parse)]
    from: Option<Source>,
}

impl From {
    fn source(self) -> CliResult<Source> {
        self.from.or_else(Source::of_this_program).ok_or_else(|| {
            CliError::usage(
                "the checkout that this program was built from is not there any more (say where Dacapo's crates come \
                 from: --from path:FOLDER, or --from git:URL#TAG)",
            )
        })
    }
}

impl New {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let app = named(&self.name)?;
        let source = self.from.source()?;
        if fs::read_dir(&self.name).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(CliError::usage(format!(
                "{} is not empty (give another name; in a cargo workspace use `dacapo init`)",
                self.name.display()
            )));
        }
        let mut plan = Plan::new(self.name.clone());
        skeleton(&mut plan)?;
        add_missing(&mut plan, &app, &source)?;
        add_function(&mut plan, Kind::Task, &Name::of_task("greet")?)?;
        add_function(&mut plan, Kind::Event, &Name::of_event("user.joined")?)?;
        add_function(&mut plan, Kind::Schedule, &Name::of_task("daily-report")?)?;
        let written = if self.dry_run { plan.would() } else { plan.write()? };
        let next = format!("cd {} && make dev", quoted(&self.name.display().to_string()));
        Ok(cx.output.give(&written, || written.text(&next)))
    }
}

impl Init {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let folder = std::env::current_dir()
            .map_err(|error| CliError::failed(format!("failed to find the current folder: {error}")))?;
        let app = cx.global.app.clone().map_or_else(|| named(&folder), |app| named(Path::new(&app)))?;
        let source = self.from.source()?;
        let mut plan = Plan::new(folder);
        add_missing(&mut plan, &app, &source)?;
        let written = if self.dry_run { plan.would() } else { plan.write()? };
        Ok(cx.output.give(&written, || written.text("dacapo add task NAME")))
    }
}

/// The name of an app that is called as the last part of a path.
fn named(path: &Path) -> CliResult<String> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    match check_stack(&name, "dev") {
        Ok(()) => Ok(name),
        Err(error) => Err(CliError::usage(format!("{error} (AWS's names begin with the app's; give another)"))),
    }
}
