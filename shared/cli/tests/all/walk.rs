//! A walk through every command, as a new user takes it, with what was seen kept as a snapshot: `INSTA_UPDATE=always` writes
//! it anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    dacapo::{Said, call, dacapo},
    engine::Engine,
};
use dacapo_domain::{Retry, hours};
use regex_lite::Regex;

/// A text that is another one each time, and the word that stands for it.
const DIFFERS: [(&str, &str); 10] = [
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
    (r"just now|\d+ (s|min|h|d) ago|in \d+(\.\d+)? (ms|s|min|h|d)( \d+ (s|min|h))?\b", "WHEN"),
    (r"took  \d.*", "took  SPAN"),
    (r"took \d+ ms", "took SPAN"),
    (r"http://127\.0\.0\.1:\d+", "http://engine"),
    (r"complete \S+", "complete TOKEN"),
    (r"path:\S+", "path:CHECKOUT"),
    (" {3,}", "  "),
    (r"(?m) +$", ""),
];

/// The lines typed and seen so far.
struct Walk {
    engine: Engine,
    folder: PathBuf,
    told: String,
    typed: BTreeSet<String>,
    ids: BTreeMap<String, String>,
}

impl Walk {
    /// Types a line, and tells what was seen.
    fn types(&mut self, line: &str) -> Said {
        let said = self.engine.call(line).within(&self.folder).said();
        let err = if line.contains("wait") && said.code == 0 { "" } else { &said.err }; // How far it was differs.
        self.tells(line, &format!("{}{err}", said.out), &format!("exit {}", said.code));
        said
    }

    fn id(&mut self, line: &str) -> String {
        let said = self.types(line);
        let id = Regex::new(ID).unwrap().find(&said.out).unwrap_or_else(|| panic!("no id: {said}"));
        id.as_str().to_owned()
    }

    fn tells(&mut self, line: &str, seen: &str, end: &str) {
        self.typed.insert(line.to_owned());
        let text = self.redacted(&format!("$ dacapo {line}\n{seen}{end}\n\n"));
        self.told += &text;
    }

    fn redacted(&mut self, text: &str) -> String {
        let replaced = |text: String, (pattern, word): &(&str, &str)| {
            Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
        };
        let same = DIFFERS.iter().fold(text.to_owned(), replaced);
        for id in Regex::new(ID).unwrap().find_iter(&same) {
            let next = format!("ID-{}", self.ids.len() + 1);
            self.ids.entry(id.as_str().to_owned()).or_insert(next);
        }
        self.ids.iter().fold(same, |text, (id, name)| text.replace(id, name))
    }

    fn has_typed(&self, command: &str) -> bool {
        self.typed.iter().any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(command))
    }
}

const ID: &str = "[0-9A-HJKMNP-TV-Z]{26}";

#[test]
fn every_command_shows_a_new_user_what_it_showed_before() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, folder) = (Engine::start(), folder.path());
    let mut walk =
        Walk { engine, folder: folder.to_owned(), told: String::new(), typed: BTreeSet::new(), ids: BTreeMap::new() };
    looks_around(&mut walk);
    makes_a_workspace(&mut walk, folder);
    runs_tasks(&mut walk);
    publishes(&mut walk);
    schedules(&mut walk);
    does_much_at_once(&mut walk);
    goes_wrong(&mut walk);
    for command in dacapo("help --json").json()["commands"].as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        assert!(walk.has_typed(name), "the walk leaves out {name}");
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("walk", walk.told);
    });
}

fn looks_around(walk: &mut Walk) {
    walk.types("--help");
    walk.types("run --help");
    walk.types("help TIMEOUT");
    walk.types("when '3 months' --from 2026-01-31T12:00:00Z");
    walk.types("every '6 hours' --from 2026-01-31T12:00:00Z --next 2");
    walk.types("cron '0 6 ? * MON-FRI *' --timezone Europe/Berlin --from 2026-01-31T12:00:00Z --next 2");
    let script = dacapo("completions bash").out;
    walk.tells("completions bash", &format!("{}\n", script.lines().next().unwrap()), "…");
    let report = walk.engine.said("doctor --local --json");
    assert!(report.code <= 1, "{report}");
    walk.tells("doctor --local", "", "… (tools differ)");
    walk.types("manifest --local");
    walk.types("stats --local");
    walk.types("queues list --local");
}

fn makes_a_workspace(walk: &mut Walk, folder: &Path) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    walk.types(&format!("new shop --from path:{}", checkout.display()));
    folder.join("shop").clone_into(&mut walk.folder);
    walk.types("add task resize-image --dry-run");
    walk.types("add event order.placed");
    walk.types("add schedule weekly-report");
    walk.types(&format!("init --app shop --from path:{} --dry-run", checkout.display()));

    let hello = crate::dev::workspace(&folder.join("greeter"));
    crate::dev::describes_itself(&hello, 30);
    let target = folder.join("greeter/target").display().to_string();
    let dev = call("dev --no-build --port 0").within(&folder.join("greeter")).env("CARGO_TARGET_DIR", &target);
    begins(walk, "dev --no-build --port 0", dev.speaks());
    let pages = walk.engine.call("dashboard --port 0 --local").speaks();
    begins(walk, "dashboard --port 0 --local", pages);
}

/// Tells the first line of a command that goes on, and ends it.
fn begins(walk: &mut Walk, line: &str, mut goes_on: crate::dacapo::Running) {
    let first = goes_on.lines().next().unwrap();
    goes_on.signal("INT");
    goes_on.ends_within(Duration::from_secs(60));
    walk.tells(line, &format!("{first}\n"), "…");
}

fn runs_tasks(walk: &mut Walk) {
    let run = walk.id("run import-airports --when '2 days' --tag yearly --body '{\"file\": \"a.csv\"}' --local");
    walk.types("list --task import-airports --local");
    walk.types(&format!("state {run} --local"));
    walk.types(&format!("pause {run} --local"));
    walk.types(&format!("resume {run} --local"));
    walk.types(&format!("reschedule {run} '3 days' --local"));
    walk.engine.logs(&run, 1, "page 1 of 4", Some("{\"rows\":100}"));
    walk.types(&format!("logs {run} --local"));
    let token = walk.engine.token_of(&run);
    walk.types(&format!("complete {token} '{{\"granted\": true}}' --local"));
    walk.types("queues pause import-airports --local"); // What is due now waits, whatever the engine is quick enough for.
    let again = walk.id(&format!("replay {run} --local"));
    walk.types(&format!("abort {again} --message 'wrong file' --local"));
    walk.types("queues resume import-airports --local");
    walk.types(&format!("wait {again} --local"));
}

fn publishes(walk: &mut Walk) {
    walk.id("publish user.joined --when '1 day' --body '{\"email\": \"ada@example.org\"}' --local");
    let retried = walk.engine.fails("{\"email\": \"ada@example.org\"}", Retry::every(hours(1)));
    walk.types("deliveries list --local");
    walk.types(&format!("deliveries show {retried} --local"));
    let [redriven, deleted] = ["1", "2"].map(|body| walk.engine.fails(body, Retry::never()));
    walk.types(&format!("dead-letters show {redriven} --local"));
    walk.types(&format!("dead-letters delete {deleted} --local"));
    walk.types("dead-letters list --local");
    walk.types("stats --local");
    // What becomes of it then is the engine's, which has no such function here.
    walk.types(&format!("dead-letters redrive {redriven} --local"));
}

fn schedules(walk: &mut Walk) {
    walk.types("schedules put tenant-7 import-airports --cron '0 6 1 JAN ? *' --timezone Europe/Berlin --local");
    walk.types("schedules list --local");
    walk.types("schedules get tenant-7 --local");
    walk.types("schedules upcoming tenant-7 --next 1 --local");
    walk.types("schedules pause tenant-7 --local");
    walk.types("schedules resume tenant-7 --local");
    walk.types("schedules delete tenant-7 --local");
}

fn does_much_at_once(walk: &mut Walk) {
    walk.types("bulk replay --tag yearly --dry-run --local");
    walk.types("bulk replay --tag yearly --yes --wait --local");
    walk.types("bulk abort --tag yearly --local");
    walk.types("bulk abort --tag yearly --yes --wait --local");
    walk.types("bulk redrive --all --dry-run --local");
}

fn goes_wrong(walk: &mut Walk) {
    walk.types("run import-airport --local");
    walk.types("state 01KDVJ29Q0Q0B9FME0N1VT25N3 --local");
    walk.types("run import-airports --when tomorrow --local");
}
