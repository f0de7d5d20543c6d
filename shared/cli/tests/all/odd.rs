//! Odd names, errors and values: whatever is stored can be shown.

use crate::engine::Engine;
use dacapo_domain::Retry;

/// Texts that a terminal, a page or a parser could stumble over.
const ODD: &str =
    "\u{1b}]0;title\u{7}\u{1b}[2J <script>alert(1)</script> \u{202e}gpj.exe \r\n\t\u{0} 💥 ａ\u{301} 'quoted' \"too\"";

/// The commands that show a run, or do something with it, in an order in which each can.
const OF_A_RUN: [&str; 9] = [
    "state ID",
    "list",
    "list --state scheduled --since 3600000",
    "logs ID",
    "wait ID --timeout 1",
    "pause ID",
    "resume ID",
    "reschedule ID '3 days'",
    "replay ID",
];

/// Calls a command for people and for programs: nothing of it may command a terminal, and JSON is JSON.
fn is_shown(engine: &Engine, line: &str, codes: &[i32]) {
    let said = engine.said(&format!("{line} --local"));
    assert!(codes.contains(&said.code), "{line}: {said}");
    let is_plain = |text: &str| !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t'));
    assert!(is_plain(&said.out) && is_plain(&said.err) && !said.out.contains('\u{202e}'), "{line}: {said:?}");
    let said = engine.said(&format!("{line} --local --json"));
    let (text, is_done) = if said.out.is_empty() { (&said.err, false) } else { (&said.out, true) };
    serde_json::from_str::<serde_json::Value>(text).unwrap_or_else(|error| panic!("{line}: {error}: {said}"));
    assert!(codes.contains(&said.code) && (is_done || said.code != 0), "{line}: {said}");
}

fn bodies() -> [String; 6] {
    [
        serde_json::to_string(ODD).unwrap(),
        format!("{{{}: {}}}", serde_json::to_string(ODD).unwrap(), serde_json::to_string(ODD).unwrap()),
        "[1e308, -0, 12345678901234567890123456789012345678901234567890, 0.1000000000000000055511151231257827]"
            .to_owned(),
        "[".repeat(100) + &"]".repeat(100),
        format!("\"{}\"", "x".repeat(250_000)),
        "{\"a\":1,\"a\":2,\"\":null}".to_owned(),
    ]
}

#[test]
fn run_with_any_body_tags_error_progress_and_log_is_shown_by_every_command() {
    let engine = Engine::start();
    for body in bodies() {
        let run = engine.odd(&body, ODD);
        engine.logs(&run, 1, ODD, Some(&body));
        for line in OF_A_RUN {
            let codes: &[i32] = if line.starts_with("wait") { &[1] } else { &[0] };
            // Each is said twice, and a second pause or resume may be refused.
            let codes = if line.contains("sume") { &[0, 1] } else { codes };
            is_shown(&engine, &line.replace("ID", &run), codes);
        }
        is_shown(&engine, &format!("abort {run} --message '{}'", ODD.replace(['\'', '\0'], "")), &[0, 1]);
        is_shown(&engine, &format!("state {run}"), &[0]);
    }
    is_shown(&engine, "stats", &[0, 1]);
}

#[test]
fn delivery_with_any_body_is_shown_by_every_command() {
    let engine = Engine::start();
    for body in bodies() {
        let dead = engine.fails(&body, Retry::never());
        for line in ["deliveries list", "deliveries show ID", "dead-letters list", "dead-letters show ID"] {
            is_shown(&engine, &line.replace("ID", &dead), &[0]);
        }
    }
    is_shown(&engine, "dead-letters redrive --all --dry-run", &[0]);
}

#[test]
fn argument_that_is_odd_is_refused_in_plain_words() {
    let engine = Engine::start();
    let odd = ODD.replace(['\'', '\0'], "");
    for line in [
        "run 'ODD'",
        "state 'ODD'",
        "list --task 'ODD'",
        "list --cursor 'ODD'",
        "schedules put 'ODD' 'ODD' --every 'ODD'",
        "schedules get 'ODD'",
        "queues pause 'ODD'",
        "deliveries show 'ODD'",
        "dead-letters delete 'ODD'",
        "complete 'ODD' 'ODD'",
        "when 'ODD'",
        "cron 'ODD' --timezone 'ODD'",
        "help 'ODD'",
        "add task 'ODD'",
    ] {
        is_shown(&engine, &line.replace("ODD", &odd), &[1, 2, 3]);
    }
    is_shown(&engine, &format!("publish '{odd}'"), &[0, 2]);
    is_shown(&engine, &format!("list --tag '{odd}'"), &[0]);
}
