//! The command line at a terminal: it asks, and has colours.

use crate::engine::Engine;

#[test]
fn bulk_at_a_terminal_asks_first_and_does_nothing_without_a_yes() {
    let engine = Engine::start();
    let run = engine.later("");
    let state = || engine.said(&format!("state {run} --local --json")).json()["state"].clone();
    let line = "bulk abort --task import-airports --local --wait";
    let asked = engine.call(line).at_terminal().hears("n\n").said();
    let question = format!("it will be done to 1 of sample, on the engine at {}: go on? [y/N] ", engine.address());
    assert!(asked.out.contains(&question), "{asked}");
    assert!(asked.code == 1 && asked.out.contains("nothing was done"), "{asked}");
    assert_eq!(state(), "scheduled");
    let done = engine.call(line).at_terminal().hears("y\n").said();
    assert!(done.code == 0 && done.out.contains("1 aborted"), "{done}");
    assert_eq!(state(), "aborted");
}

#[test]
fn colours_are_on_a_terminal_alone() {
    let engine = Engine::start();
    engine.later("");
    let terminal = engine.call("list --local").at_terminal().said();
    assert!(terminal.out.contains("\u{1b}[33mscheduled\u{1b}[0m"), "{terminal}");
    assert!(!engine.said("list --local").out.contains('\u{1b}'));
    let plain = engine.call("list --local").env("NO_COLOR", "1").at_terminal().said();
    assert!(!plain.out.contains("\u{1b}["), "{plain}");
}

#[test]
fn command_that_waits_for_more_than_a_second_says_so_on_a_terminal_alone() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // It takes calls and says nothing for two seconds; then it is gone.
    std::thread::spawn(move || {
        let calls: Vec<_> = std::iter::repeat_with(|| listener.accept()).take(1).collect();
        std::thread::sleep(std::time::Duration::from_secs(2));
        drop(calls);
    });
    let said = crate::dacapo::call("list").env("DACAPO_LOCAL", &address).at_terminal().said();
    assert!(said.out.contains("waiting for an answer"), "{said}");
    let piped = crate::dacapo::call("list").env("DACAPO_LOCAL", "http://127.0.0.1:9").said();
    assert!(!piped.err.contains("waiting"), "{piped}");
}
