//! JSON that goes in and comes out as its text.

use crate::dacapo::call;
use crate::engine::Engine;

/// Numbers and keys that a parse would change.
const EXACT: &str = r#"{"wei":1000000000000000000001,"b":1.10,"a":1,"a":2}"#;

#[test]
fn every_command_gives_a_body_back_to_the_digit() {
    let engine = Engine::start();
    let started = engine.call("run import-airports --local --when '1 day' --body - --json").hears(EXACT).said().json();
    let put = "schedules put s import-airports --cron '0 0 1 1 ? *' --local --json --body -";
    assert!(engine.call(put).hears(EXACT).said().out.contains(EXACT));

    let state = format!("state {} --local --json", started["id"].as_str().unwrap());
    for line in [&state, "list --local --json", "schedules list --local --json", "schedules get s --local --json"] {
        let said = engine.said(line);
        assert!(said.code == 0 && said.out.contains(EXACT), "{line}: {said}");
    }
}

#[test]
fn body_that_some_reader_refuses_is_refused_by_every_command_that_takes_one() {
    let engine = Engine::start();
    let deep = "[".repeat(129) + &"]".repeat(129);
    for (body, word) in
        [(r#""\ud83d""#, "unexpected end of hex escape"), ("1e999", "number out of range"), (&deep, "129 levels deep")]
    {
        for line in [
            "run import-airports --local --body -",
            "publish user.joined --local --body -",
            "replay 01KDVJ29Q0Q0B9FME0N1VT25N3 --local --body -",
            "schedules put s import-airports --every '1 hour' --local --body -",
        ] {
            let said = engine.call(line).hears(body).said();
            assert!(
                said.code == 2 && said.err.contains("standard input can't be used") && said.err.contains(word),
                "{line}: {said}"
            );
        }
    }
    let deep = "[".repeat(1_000_000);
    let said = call("run import-airports --local --body -").hears(&deep).said();
    assert!(said.code == 2 && said.err.contains("EOF while parsing a list"), "{said}");
}
