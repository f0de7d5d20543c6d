//! Words that are gone: one word means one thing, and where the field has a word, that word is used.

use crate::{
    source::{Source, definitions, mentions, none, sources},
    workspace::root,
};

/// A name that code has no more.
struct Gone {
    word: &'static str,
    say: &'static str,
    /// Folders or files in which it is gone; elsewhere it is an ordinary word. None: everywhere.
    only: &'static [&'static str],
    /// The keywords after which it is gone, where it is an ordinary word for other things. None: wherever it stands.
    after: &'static [&'static str],
}

const fn gone(word: &'static str, say: &'static str) -> Gone {
    Gone { word, say, only: &[], after: &[] }
}

const fn gone_in(only: &'static [&'static str], word: &'static str, say: &'static str) -> Gone {
    Gone { word, say, only, after: &[] }
}

/// A word that is no type's name any more; an enum's variant may still bear it.
const fn no_type(word: &'static str, say: &'static str) -> Gone {
    Gone { word, say, only: &[], after: TYPES }
}

const fn no_type_in(only: &'static [&'static str], word: &'static str, say: &'static str) -> Gone {
    Gone { word, say, only, after: TYPES }
}

/// A word that is no variable's name any more; methods and files may still bear it.
const fn no_variable(word: &'static str, say: &'static str) -> Gone {
    Gone { word, say, only: &[], after: VARIABLES }
}

const TYPES: &[&str] = &["struct", "enum", "type", "trait", "union"];
const VARIABLES: &[&str] = &["let", "mut", "const", "static"];

const AWS_STORE: &[&str] = &["shared/aws/src/records/"];
const CORE: &[&str] = &["shared/domain/", "shared/core/", "shared/sdk/"];
const DOMAIN: &[&str] = &["shared/domain/"];
const LOCAL: &[&str] = &["shared/local/"];
const RUN: &[&str] = &["shared/domain/src/run/"];
const SDK: &[&str] = &["shared/core/", "shared/sdk/"];
const SQLITE: &[&str] = &["shared/local/src/sqlite/"];
const SQLITE_MODULES: &[&str] = &["shared/local/src/sqlite/mod.rs", "shared/local/src/sqlite/tests/mod.rs"];
/// A record's own expiry, which isn't the `ttl` that an author gives a task.
const STORED: &[&str] = &[
    "shared/aws/src/records/",
    "shared/domain/src/delivery/",
    "shared/domain/src/run/view.rs",
    "shared/local/src/sqlite/",
];

/// Names are matched whole: `owes` is gone, `owes_much` isn't.
const GONE: &[Gone] = &[
    // Time and chance are arguments.
    gone("Moment", "DecisionContext"),
    gone_in(CORE, "roll", "unit_interval"),
    gone("patiently", "retry_until"),
    // Events are published and handled; a state machine has inputs and effects.
    no_type_in(RUN, "Event", "Input"),
    gone_in(CORE, "carry", "deliver_at"),
    gone_in(RUN, "long", "wait_loop"),
    // A run's end.
    gone("owes", "end_hooks_pending"),
    gone("Settle", "RunEndHooks"),
    gone("Settled", "EndHooksDone"),
    gone("settle_elsewhere", "delegate_end_hooks"),
    // Who calls.
    gone("Driver", "Invoker, EngineLoop or ScheduleFirer"),
    // Repair.
    gone_in(CORE, "look", "reconcile, query, control or wait"),
    gone_in(CORE, "looks", "reconcile_count"),
    gone("Looked", "Reconciled"),
    gone("looked", "reconciled"),
    gone("due_look", "a name with `reconcile`"),
    gone("Watched", "a name with `reconcile`"),
    gone("watch_at", "reconcile_at"),
    gone_in(&["shared/aws/", "shared/domain/", "infra/"], "watch", "reconcile_at, or the reconciliation index"),
    gone("hold_back", "defer"),
    gone_in(&["shared/sdk/src/client/"], "held", "deferred"),
    // Errors, from the handler to the record.
    no_type("Failure", "RecordedError, InvocationFailed, or CliError"),
    no_type("Crash", "InvocationFailed"),
    gone("Broken", "InvocationFailed"),
    gone("Unhandled", "AttemptError"),
    gone("Wish", "RetryHint"),
    gone("RetryWish", "RetryHint"),
    no_variable("undelivered", "app_dlq, function_dlq or send_to_dlq"),
    gone("UNDELIVERED", "APP_DLQ"),
    // Schedules.
    gone_in(DOMAIN, "Rule", "Schedule"),
    gone("Timetable", "Recurrence"),
    gone("Rhythm", "Recurrence"),
    gone("Neighbours", "AdjacentFires"),
    gone("Fires", "Recurrence or AdjacentFires"),
    no_type("Missed", "MissedFires"),
    // Stores.
    gone_in(AWS_STORE, "inside", "inline"),
    gone_in(AWS_STORE, "beside", "overflow"),
    gone("APART", "HAS_OVERFLOW"),
    gone_in(&["shared/aws/"], "difference", "update_expression"),
    gone_in(STORED, "ttl", "expires_at_s"),
    gone_in(SQLITE_MODULES, "group", "group_commit"),
    gone_in(SQLITE, "keys", "idempotency_keys"),
    gone_in(&["shared/aws/", "shared/local/"], "Home", "Backend"),
    // The engine and its processes.
    gone_in(LOCAL, "Report", "EngineLog"),
    gone("Received", "ReceivedMessage"),
    gone_in(LOCAL, "places", "permits"),
    gone("Seat", "Slot"),
    gone("Handed", "PendingInvocation"),
    gone("LEASH", "LIVENESS_PATH"),
    gone("Anew", "Restart"),
    gone("described_anew", "manifest_changed"),
    // The parts of an author's function.
    no_type_in(SDK, "Known", "ManifestCache"),
    gone_in(SDK, "Kept", "InitValueCache"),
    gone("What", "Operation"),
    // Faults are the test kit's.
    gone("Life", "FaultPlan"),
    gone("Lives", "FaultPlan"),
    gone("Fate", "FaultPlan"),
];

#[test]
fn names_that_are_gone_are_said_nowhere() {
    none(sources(&["shared", "infra", "functions", "tests"]).iter().flat_map(said).collect());
}

#[test]
fn the_places_that_rules_name_are_there() {
    let places = GONE.iter().flat_map(|gone| gone.only).filter(|place| !root().join(place).exists());
    none(places.map(|place| format!("{place} isn't there: the rule finds nothing")).collect());
}

/// Each gone word that a source says, once a line.
fn said(source: &Source) -> Vec<String> {
    let is_here = |gone: &&Gone| gone.only.is_empty() || gone.only.iter().any(|part| source.path.starts_with(part));
    let gone: Vec<&Gone> = GONE.iter().filter(is_here).collect();
    let mut found = vec![];
    for mention in mentions(source.tokens()) {
        let anywhere = gone.iter().filter(|gone| gone.after.is_empty());
        found.extend(
            anywhere.filter(|gone| mention.path.iter().any(|name| name == gone.word)).map(|it| (mention.line, *it)),
        );
    }
    for defined in definitions(source.tokens()) {
        let is_defined = |gone: &&&Gone| gone.word == defined.name && gone.after.contains(&defined.keyword.as_str());
        found.extend(gone.iter().filter(is_defined).map(|gone| (defined.line, *gone)));
    }
    let mut found: Vec<String> = found
        .into_iter()
        .map(|(line, gone)| format!("{}:{line}: `{}` is gone; say {}", source.path, gone.word, gone.say))
        .collect();
    found.dedup();
    found
}

#[test]
fn a_gone_word_is_told_with_what_to_say_instead() {
    let source = Source::new("shared/x/src/a.rs", "use b::{c, Moment};\n\nfn f() { g!(a.owes) }");
    assert_eq!(
        said(&source),
        [
            "shared/x/src/a.rs:1: `Moment` is gone; say DecisionContext",
            "shared/x/src/a.rs:3: `owes` is gone; say end_hooks_pending",
        ]
    );
}

#[test]
fn parts_of_names_comments_and_strings_may_say_a_gone_word() {
    let text = "//! Moment.\n/// He owes.\nfn owes_nothing(moment: MomentOfInertia) { f(\"Moment\") }";
    assert_eq!(said(&Source::new("shared/x/src/a.rs", text)), [""; 0]);
}

#[test]
fn a_word_that_is_gone_in_one_place_is_ordinary_elsewhere() {
    let text = "enum Event {}";
    assert_eq!(said(&Source::new("shared/domain/src/run/input.rs", text)).len(), 1);
    assert_eq!(said(&Source::new("shared/dashboard/src/runs.rs", text)), [""; 0]);
}

#[test]
fn a_word_that_is_gone_as_a_type_or_a_variable_is_ordinary_for_variants_and_methods() {
    let found = |text: &str| said(&Source::new("shared/x/src/a.rs", text)).len();
    for text in ["pub struct Missed(u32);", "mod a { pub(super) enum Failure {} }", "fn f() { let undelivered = 1; }"] {
        assert_eq!(found(text), 1, "{text}");
    }
    for text in
        ["enum Reason { Missed, Crash(u32) }", "fn f() { g(Hook::Failure) }", "fn undelivered() { a.undelivered() }"]
    {
        assert_eq!(found(text), 0, "{text}");
    }
}

#[test]
fn no_word_is_both_gone_and_advised() {
    let names = |gone: &'static Gone| gone.say.split([' ', ',']);
    for gone in GONE.iter().filter(|gone| gone.only.is_empty()) {
        assert!(!GONE.iter().flat_map(names).any(|name| name == gone.word), "{}", gone.word);
    }
}
