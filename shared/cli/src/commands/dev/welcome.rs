//! The few lines that say what runs and what to try next.

use std::{collections::BTreeSet, path::Path};

use console::style;
use dacapo::ScheduleState;
use dacapo_dashboard::show::ago;
use dacapo_domain::Manifest;
use jiff::Timestamp;
use serde::Serialize;

use crate::output::{line, quoted};

/// The engine that has started. A program is told its address and its manifest.
#[derive(Serialize)]
pub struct Started<'a> {
    /// The manifest of its functions.
    pub manifest: &'a Manifest,
    /// All schedules, declared ones and others.
    #[serde(skip)]
    pub schedules: &'a [ScheduleState],
    /// The engine's address, as `http://127.0.0.1:8787`.
    #[serde(rename = "url")]
    pub address: &'a str,
    /// The file in which everything is kept.
    #[serde(skip)]
    pub database: &'a Path,
    /// True if clients find it without being told its address.
    #[serde(skip)]
    pub is_at_home: bool,
    /// The command line, as it is called here.
    #[serde(skip)]
    pub program: &'a str,
}

impl Started<'_> {
    /// The lines.
    pub fn text(&self, now: Timestamp) -> String {
        let head = |text: &str| style(format!("{text:<10}")).dim().to_string();
        let mut lines = vec![
            format!(
                "{} runs at {}/ (pages for your browser; Ctrl-C ends it)",
                style(&self.manifest.app).bold(),
                self.address
            ),
            format!("{}{}", head("tasks"), names(self.manifest.tasks().map(|(_, task)| &*task.name))),
        ];
        let events = self.manifest.functions.iter().flat_map(|function| function.subscriptions());
        lines.push(format!("{}{}", head("events"), names(events.map(|it| &*it.event))));
        for schedule in self.schedules {
            let next = match schedule.next.first() {
                _ if schedule.paused => "paused".to_owned(),
                Some(fire) => format!("next {}", ago(*fire, now)),
                None => "never again".to_owned(),
            };
            let (name, rule) = (line(&schedule.name, 40), line(&schedule.schedule.to_string(), 80));
            lines.push(format!("{}{name}: {rule}, {next}", head("schedule")));
        }
        lines.push(format!("{}{}", head("database"), self.database.display()));
        lines.extend(self.advice().into_iter().map(|it| format!("{}{it}", head("try"))));
        lines.join("\n")
    }

    fn advice(&self) -> Vec<String> {
        let at = if self.is_at_home { String::new() } else { format!("DACAPO_LOCAL={} ", self.address) };
        let program = self.program;
        let mut advice = vec![];
        let open = self.manifest.tasks().map(|(_, task)| task).find(|task| !task.private);
        if let Some(task) = open {
            advice.push(format!("{at}{program} run {} --local --wait", quoted(&task.name)));
        }
        let event = self.manifest.functions.iter().flat_map(|function| function.subscriptions()).next();
        if let Some(event) = event {
            advice.push(format!("{at}{program} publish {} --local --body '{{…}}'", quoted(&event.event)));
        }
        if let Some(function) = self.manifest.functions.first() {
            advice.push(format!("change functions/{}   (what is built again is served at once)", function.crate_name));
        }
        advice
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<String> = names.map(|name| line(name, 64)).collect();
    if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") }
}

/// The command line, as it is called here: by its name if the path finds it, else by its file.
pub fn program() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("dacapo{}", std::env::consts::EXE_SUFFIX);
    if std::env::split_paths(&path).any(|folder| folder.join(&file).is_file()) {
        return "dacapo".to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let own = std::env::current_exe().unwrap_or_else(|_| "dacapo".into());
    own.strip_prefix(here).unwrap_or(&own).display().to_string()
}
