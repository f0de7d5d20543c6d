//! Queries: the records of an index, in the order of their sort texts.

use dacapo_domain::{Index, Machine, Query};

use super::{
    Bench,
    fixture::{all_of, ask, json, large, let_expire, listed, replace, soon_s, stored},
    note::{Note, found},
};

/// Stores notes at these places of a board and gives their ids.
async fn pinned(bench: &impl Bench, index: Index, board: &str, sorts: &[&str]) -> Vec<String> {
    let mut ids = vec![];
    for sort in sorts {
        ids.push(stored(bench, Note::new(bench).at(index, board, sort)).await.id);
    }
    ids
}

fn reversed<T: Clone>(items: &[T]) -> Vec<T> {
    items.iter().rev().cloned().collect()
}

/// The records come as they are now, small payloads included.
pub async fn query_gives_whole_records(bench: &impl Bench) {
    let board = bench.unique("board");
    let write = Note::new(bench).next(bench, "line").at(Index::List, &board, "1").write_with(json("[1]"));
    bench.ports().records.create(&write, None).await.unwrap();
    listed(bench, &all_of(Index::List, &board), 1).await;
    bench.reopen().await;
    let page = ask(bench, &all_of(Index::List, &board)).await;
    assert_eq!((page.records, page.last), (vec![found(&write)], None));
}

/// By the bytes of their sort texts, whatever the order in which they were stored, in either direction.
pub async fn records_are_ordered_by_their_sort_texts(bench: &impl Bench) {
    let board = bench.unique("board");
    let sorts = ["b", "a/1", "ä", "B", "a", "0010", "9", "\u{1F600}", "a b", "\u{FFFD}"];
    let ids = pinned(bench, Index::List, &board, &sorts).await;
    let mut ordered: Vec<(&str, String)> = sorts.iter().copied().zip(ids).collect();
    ordered.sort_unstable();
    let ordered: Vec<String> = ordered.into_iter().map(|(_, id)| id).collect();

    let query = all_of(Index::List, &board);
    assert_eq!(listed(bench, &query, sorts.len()).await, ordered);
    let query = Query { descending: true, ..query };
    assert_eq!(listed(bench, &query, sorts.len()).await, reversed(&ordered));
}

/// From the first bound on, and below the second, in either direction.
pub async fn bounds_include_the_lower_and_exclude_the_upper(bench: &impl Bench) {
    let board = bench.unique("board");
    let ids = pinned(bench, Index::List, &board, &["a", "b", "c", "d", "e"]).await;
    let all = all_of(Index::List, &board);
    assert_eq!(listed(bench, &all, 5).await, ids);
    let bounds = [
        (Some("b"), Some("d"), 1..3),
        (Some("bb"), None, 2..5),
        (None, Some("c"), 0..2),
        (None, Some("cc"), 0..3),
        (Some("f"), None, 5..5),
        (None, Some("a"), 0..0),
        (Some("c"), Some("c"), 0..0),
        (Some("d"), Some("b"), 0..0),
    ];
    for (from, below, expected) in bounds {
        let query = Query { from: from.map(str::to_owned), below: below.map(str::to_owned), ..all.clone() };
        let expected = &ids[expected];
        assert_eq!(listed(bench, &query, expected.len()).await, expected, "{from:?} to {below:?}");
        let query = Query { descending: true, ..query };
        assert_eq!(listed(bench, &query, expected.len()).await, reversed(expected), "{below:?} to {from:?}");
    }
}

/// Partitions are merged into one order, none is taken for another, and one without entries is no error.
pub async fn partitions_are_merged_in_one_order(bench: &impl Bench) {
    let board = bench.unique("board");
    let [one, two, other] = ["one", "two", "one 2"].map(|name| format!("{board}/{name}"));
    let ones = pinned(bench, Index::List, &one, &["1", "4", "5"]).await;
    let twos = pinned(bench, Index::List, &two, &["2", "3", "6"]).await;
    pinned(bench, Index::List, &other, &["3"]).await;
    let merged = [&ones[0], &twos[0], &twos[1], &ones[1], &ones[2], &twos[2]].map(Clone::clone);

    let query = Query { partitions: vec![one, two, format!("{board}/none")], ..all_of(Index::List, "") };
    assert_eq!(listed(bench, &query, 6).await, merged);
    let query = Query { descending: true, limit: 4, ..query };
    assert_eq!(listed(bench, &query, 4).await, reversed(&merged[2..]));
}

/// Nothing is there, and nothing is behind it.
pub async fn query_of_an_empty_partition_is_empty(bench: &impl Bench) {
    let page = ask(bench, &all_of(Index::List, &bench.unique("board"))).await;
    assert_eq!((page.records, page.last), (vec![], None));
}

/// The same partition and sort text are another place in another index. The conductor's has no partition but its own.
pub async fn indexes_are_kept_apart(bench: &impl Bench) {
    let board = bench.unique("board");
    for index in [Index::List, Index::Failed] {
        let ids = pinned(bench, index, &board, &["1"]).await;
        assert_eq!(listed(bench, &all_of(index, &board), 1).await, ids, "{index:?}");
    }
}

/// A record may be in several indexes at once, and comes and goes with what is written of it.
pub async fn place_appears_moves_and_disappears_with_a_write(bench: &impl Bench) {
    let (one, two) = (bench.unique("board"), bench.unique("board"));
    let counts = async |expected: [usize; 3]| {
        let queries = [(Index::List, &one), (Index::List, &two), (Index::Failed, &one)];
        for ((index, board), expected) in queries.into_iter().zip(expected) {
            assert_eq!(listed(bench, &all_of(index, board), expected).await.len(), expected, "{index:?} {board}");
        }
    };
    let bare = Note::new(bench);
    let mut seen = stored(bench, bare.clone().at(Index::List, &one, "1")).await;
    counts([1, 0, 0]).await;

    let steps = [
        (bare.clone().at(Index::List, &one, "1").at(Index::Failed, &one, "1"), [1, 0, 1]),
        (bare.clone().at(Index::List, &two, "1"), [0, 1, 0]),
        (bare.clone().at(Index::List, &two, "2").at(Index::Failed, &one, "2"), [0, 1, 1]),
        (bare.clone(), [0, 0, 0]),
        (bare.at(Index::Failed, &one, "1"), [0, 0, 1]),
    ];
    for (note, expected) in steps {
        let next = note.next(bench, "moved");
        replace(bench, &seen.write(), &next.write()).await;
        counts(expected).await;
        seen = next;
    }
}

/// A record may have several places in one index. It is found at each, where they are now.
pub async fn record_with_several_places_in_an_index_is_found_at_each(bench: &impl Bench) {
    let boards = ["one", "two", "three", "four"].map(|name| bench.unique(name));
    let at = |note: Note, places: &[usize]| {
        let start = Note { places: vec![], ..note };
        places.iter().fold(start, |note, place| note.at(Index::Tag, &boards[*place], "1"))
    };
    let mut seen = stored(bench, at(Note::new(bench), &[0, 1, 2])).await;
    for places in [&[0, 1, 2][..], &[0, 1, 2], &[3, 1], &[1], &[], &[2, 0, 1, 3], &[0, 1]] {
        let next = at(seen.next(bench, "line"), places);
        replace(bench, &seen.write(), &next.write()).await;
        seen = next;
        for (place, board) in boards.iter().enumerate() {
            let expected = usize::from(places.contains(&place));
            let found = listed(bench, &all_of(Index::Tag, board), expected).await;
            assert_eq!(found, vec![seen.id.clone(); expected], "{places:?}: {place}");
        }
    }
    let all = Query { partitions: boards.to_vec(), ..all_of(Index::Tag, "") };
    let page = ask(bench, &all).await;
    assert_eq!(page.records, [seen.found()], "once, as it is now");
    assert!(bench.ports().records.delete(&seen.header(), &[]).await.unwrap());
    assert!(listed(bench, &all, 0).await.is_empty());
}

/// Once a record's time is up, it is found at none of its places.
pub async fn places_of_a_record_expire_with_it(bench: &impl Bench) {
    let (one, two) = (bench.unique("board"), bench.unique("board"));
    let note = Note::new(bench).at(Index::Tag, &one, "1").at(Index::Tag, &two, "1");
    let seen = stored(bench, note).await;
    let ended = Note { expires_at_s: Some(soon_s(bench)), ..seen.next(bench, "the end") };
    replace(bench, &seen.write(), &ended.write()).await;
    assert_eq!(listed(bench, &all_of(Index::Tag, &two), 1).await, [&*seen.id]);
    let_expire(bench).await;
    for board in [&one, &two] {
        assert!(listed(bench, &all_of(Index::Tag, board), 0).await.is_empty());
    }
}

/// Places are not unique: records of one sort text are all found.
pub async fn records_of_one_sort_text_are_all_found(bench: &impl Bench) {
    let board = bench.unique("board");
    let mut ids = pinned(bench, Index::List, &board, &["1"; 12]).await;
    let mut found = listed(bench, &all_of(Index::List, &board), 12).await;
    ids.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, ids);
}

/// Records that weigh more together than what a service reads at once are all found.
pub async fn records_with_heavy_payloads_are_all_found(bench: &impl Bench) {
    let board = bench.unique("board");
    for place in 0..20 {
        let note = Note::new(bench).at(Index::List, &board, &format!("{place:03}"));
        bench.ports().records.create(&note.write_with(large('x', 100_000)), None).await.unwrap();
    }
    assert_eq!(listed(bench, &all_of(Index::List, &board), 20).await.len(), 20);
}
