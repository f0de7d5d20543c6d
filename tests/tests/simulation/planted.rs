//! Each watch bites: a bug for each guarantee, and for each rule of the way of a run, is found within 200 seeds.

use dacapo_test_kit::{Bug, Faults, Service, Throttling};
use dacapo_tests::histories::{Play, first_wrong, play_one};

use super::{families, load, runs};

/// The seeds within which a bug is found.
const SEEDS: u64 = 200;

/// The histories that are to find a bug.
#[derive(Clone, Copy, Debug)]
enum Program {
    Runs,
    Families,
    Load,
}

/// The program that finds a bug, and the faults that happen there by themselves.
fn found_by(bug: Bug) -> (Program, Faults) {
    use Program::{Families, Load, Runs};
    let calm = Faults::none();
    match bug {
        Bug::OldCopyRead | Bug::WaiterUntold => (Families, calm),
        Bug::TicketForgotten => (Load, calm),
        Bug::PermitGivenTwice => (Load, Faults { slow: 0.3, slowest: dacapo::seconds(10), ..calm }),
        Bug::LeaseEndsEarly => (Runs, Faults { slow: 0.1, ..Faults::default() }),
        Bug::StepOverwritten => (Runs, Faults { slow: 0.1, skew: dacapo::minutes(2), ..Faults::default() }),
        Bug::BatchAcknowledgedWhole => (Runs, Faults { throttle: 0.2, skew: dacapo::minutes(2), ..Faults::default() }),
        Bug::MessageLost
        | Bug::TimerLost
        | Bug::ExecutionNotStarted
        | Bug::AnswerIsStop
        | Bug::InputForgotten
        | Bug::PauseForgotten
        | Bug::KeyIgnored
        | Bug::ClockAhead
        | Bug::EventLost
        | Bug::DoneHandlerForgotten => (Runs, calm),
        Bug::PurposeIgnored => {
            (Runs, Faults { duplicate: 0.4, late: 0.5, latest: dacapo::hours(3), ..Faults::default() })
        }
        Bug::LostReplyIsLostRace => (Runs, Faults { lost_reply: 0.1, ..calm }),
        Bug::AcknowledgedUnsaved => {
            let (share, lasts, every) = (1.0, dacapo::minutes(1), dacapo::seconds(437));
            let throttling = Throttling { service: Service::DynamoDb, share, lasts, every };
            (Runs, Faults { throttling: Some(throttling), ..Faults::default() })
        }
        _ => (Runs, Faults::default()),
    }
}

/// The history of a program, and what is wrong with it.
async fn history(play: &Play, program: Program, faults: &Faults) -> Vec<String> {
    match program {
        Program::Runs => runs::history(play, faults.clone()).await,
        Program::Families => families::history(play, faults.clone()).await,
        Program::Load => load::history(play, faults.clone()).await,
    }
}

/// The history that finds it is right without it.
#[test]
fn each_planted_bug_is_found_within_200_seeds() {
    let mut missed = vec![];
    for (bug, breaks) in Bug::ALL {
        let (program, faults) = found_by(bug);
        let history = async |play: &Play| history(play, program, &faults).await;
        let planted = Play { bug: Some(bug), ..Play::default() };
        match first_wrong(&planted, SEEDS, history) {
            Some((seeds, what)) => {
                let first: String = what[0].chars().take(120).collect();
                eprintln!("{bug:?} ({breaks}): found by {program:?} after {seeds} seeds: {first}");
                let without = play_one(&Play { seed: seeds - 1, ..Play::default() }, &history);
                missed.extend(without.first().map(|wrong| format!("{bug:?} ({breaks}) is not what is wrong: {wrong}")));
            }
            None => missed.push(format!("{bug:?} ({breaks}), looked for by {program:?}")),
        }
    }
    assert!(missed.is_empty(), "bugs that no watch has found:\n{}", missed.join("\n"));
}
