//! The template of an app that has one of everything, as its tests read it.

use dacapo_domain::{
    FunctionEntry, Json, Manifest, Policy, Retry, ScheduleEntry, Subscription, TaskEntry, cron, every, minutes, seconds,
};
use dacapo_infra::{OwnResources, template};
use serde_json::{Map, Value};

/// A template as JSON.
pub struct Read(pub Value);

pub fn one_of_everything() -> Read {
    read(&manifest())
}

pub fn read(manifest: &Manifest) -> Read {
    Read(serde_json::from_str(&template(manifest, &OwnResources::default()).unwrap().to_text()).unwrap())
}

impl Read {
    pub fn resources(&self) -> &Map<String, Value> {
        self.0["Resources"].as_object().unwrap()
    }

    pub fn properties(&self, id: &str) -> &Value {
        &self.resources().get(id).unwrap_or_else(|| panic!("{id} is missing"))["Properties"]
    }

    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (String, &'a Value)> + 'a {
        let found = self.resources().iter().filter(move |(_, resource)| resource["Type"] == kind);
        found.map(|(id, resource)| (id.clone(), &resource["Properties"]))
    }

    /// The statements of roles, policies and queues, without the trust policies of roles.
    pub fn statements(&self) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for (id, resource) in self.resources() {
            let properties = &resource["Properties"];
            let inline = properties["Policies"].as_array().into_iter().flatten();
            let documents = inline.map(|policy| &policy["PolicyDocument"]).chain(properties.get("PolicyDocument"));
            for statement in documents.flat_map(|document| document["Statement"].as_array().unwrap()) {
                found.push((id.clone(), statement.clone()));
            }
        }
        assert!(found.len() > 10, "{found:?}");
        found
    }
}

pub fn manifest() -> Manifest {
    let welcome = TaskEntry {
        policy: Policy { max_timeout: minutes(1), batch: 5, ..Policy::default() },
        schedules: vec![],
        ..scheduled("send-welcome")
    };
    let functions = vec![
        FunctionEntry::conductor(),
        FunctionEntry::task("nightly-report", 256, scheduled("nightly-report")),
        FunctionEntry::task("send-welcome", 256, welcome),
        FunctionEntry::events("user-joined", 128, vec![subscription(false), subscription(true)]),
    ];
    Manifest::new("sample", functions).unwrap()
}

pub fn scheduled(task: &str) -> TaskEntry {
    let entry = |number: u32, schedule| ScheduleEntry {
        name: format!("{}-{number}", dacapo_domain::slug(task)),
        schedule,
        body: Json::default(),
    };
    let working_days = cron("0 6 ? * MON-FRI *").timezone("Europe/Berlin");
    TaskEntry {
        name: task.to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules: vec![entry(1, working_days), entry(2, every("7 days"))],
    }
}

pub fn subscription(dead_letter: bool) -> Subscription {
    let (timeout, retry) = (seconds(5), Retry::of_events());
    let (event, handler) = ("user.joined".to_owned(), format!("user_joined::handler_{dead_letter}"));
    Subscription { event, handler, timeout, retry, dead_letter }
}
