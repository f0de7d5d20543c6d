//! Joins: which sets gather what, and who may be waited for.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_domain::{Child, DecisionContext, Id, Join, Machine, Waiter};
use jiff::Timestamp;

fn join(size: u32) -> Join {
    Join { parent: Id::new(Timestamp::UNIX_EPOCH, 7), iteration: 2, size }
}

#[test]
fn sets_of_a_join_are_full_exactly_once_all_of_its_children_are_in() {
    for size in [1, 2, 124, 125, 126, 250, 251, 999, 1_000] {
        let join = join(size);
        let mut sets: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
        let mut root = BTreeSet::new();
        for place in 0..size {
            assert!(root.len() < usize::try_from(join.root().size).unwrap(), "{place} of {size}");
            let (number, set) = join.share_of(place);
            assert!((1..=125).contains(&set.size), "{place} of {size}");
            let members = sets.entry(set.key).or_default();
            members.insert(place);
            if members.len() == usize::try_from(set.size).unwrap() {
                root.insert(number);
            }
        }
        assert_eq!(root.len(), usize::try_from(join.root().size).unwrap(), "{size}");
    }
}

#[test]
fn join_of_a_thousand_children_has_nine_records_and_one_of_a_single_child_has_none() {
    let cx = DecisionContext { now: Timestamp::UNIX_EPOCH, random: 7 };
    for (size, records) in [(0, 0), (1, 0), (2, 1), (125, 1), (126, 2), (127, 3), (1_000, 9)] {
        let made: BTreeSet<_> = join(size).records(&cx).map(|decision| decision.record.header().key).collect();
        assert_eq!(made.len(), records, "{size}");
        let gathered = (0..size).map(|place| join(size).share_of(place).1).chain([join(size).root()]);
        assert!(gathered.filter(|set| set.size > 1).all(|set| made.contains(&set.key)), "{size}");
    }
}

#[test]
fn waiter_is_read_as_it_was_written_and_another_text_is_refused() {
    let waiter = Waiter { join: join(1_000), place: 999 };
    assert_eq!(waiter.to_string().parse(), Ok(waiter));
    for text in ["", "a/1/2/3", "00000000000000000000000000/1/2", &format!("{waiter}/1")] {
        let error = text.parse::<Waiter>().unwrap_err();
        assert_eq!(error.to_string(), format!("{text:?} names no run that waits"));
    }
}

#[test]
fn children_are_up_to_a_thousand_that_the_run_itself_has_started() {
    let parent = join(1).parent;
    let child = |started_by| Child { task: "check".to_owned(), id: Id::new(Timestamp::UNIX_EPOCH, 8), started_by };
    assert_eq!(Child::check(&vec![child(Some(parent)); 1_000], parent), Ok(()));
    let refused = |children: &[Child]| Child::check(children, parent).unwrap_err().to_string();
    assert_eq!(refused(&vec![child(Some(parent)); 1_001]), "can't wait for 1001 children (allowed: 1000)");
    for other in [None, Some(child(None).id)] {
        let told = "can't wait for run 00000000000000000000000008 of task \"check\": it was not started by this run's \
                    handler (start it by `cx.run` or `cx.batch`)";
        assert_eq!(refused(&[child(Some(parent)), child(other)]), told);
    }
}
