//! Pages of an index: at most so many records, and where to go on.

use std::time::Duration;

use dacapo_domain::{Index, IndexEntry, Page, Query, sort_time};
use futures::future::join_all;
use jiff::Timestamp;

use super::{
    Bench,
    fixture::{all_of, ask, create, ids, let_expire, listed, soon_s, stored},
    note::Note,
    reconcile::quiet_time,
};

/// Stores so many notes on a board and gives their ids in order. They are on the page of `all_of` then.
async fn pinned(bench: &impl Bench, board: &str, places: std::ops::Range<usize>) -> Vec<String> {
    let notes: Vec<Note> =
        places.clone().map(|place| Note::new(bench).at(Index::List, board, &format!("{place:04}"))).collect();
    for some in notes.chunks(20) {
        let writes: Vec<_> = some.iter().map(Note::write).collect();
        join_all(writes.iter().map(|write| create(bench, write))).await;
    }
    listed(bench, &all_of(Index::List, board), places.end).await;
    notes.into_iter().map(|note| note.id).collect()
}

/// All pages of a query, to the last.
async fn pages(bench: &impl Bench, query: &Query) -> Vec<Page> {
    let (mut query, mut pages) = (query.clone(), vec![]);
    loop {
        let page = ask(bench, &query).await;
        assert!(page.records.len() <= query.limit);
        assert!(pages.len() < 100, "the pages of a few records come to an end");
        let last = page.last.clone();
        pages.push(page);
        let Some(last) = last else { return pages };
        query = query.after(last);
    }
}

/// No more records than asked for, and where to go on.
pub async fn page_has_no_more_records_than_asked_for(bench: &impl Bench) {
    let board = bench.unique("board");
    let all = pinned(bench, &board, 0..3).await;
    let page = ask(bench, &Query { limit: 2, ..all_of(Index::List, &board) }).await;
    assert_eq!(ids(&page), all[..2]);
    assert!(page.last.unwrap().starts_with("0001\0"));
}

/// Each record is on one page, and no page follows the last record, whether or not it fills its page.
pub async fn pages_follow_each_other_and_end_with_the_last_record(bench: &impl Bench) {
    let board = bench.unique("board");
    let mut all = pinned(bench, &board, 0..6).await;
    for descending in [false, true] {
        for limit in [1, 2, 3, 4, 6, 7] {
            let pages = pages(bench, &Query { limit, descending, ..all_of(Index::List, &board) }).await;
            assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), all, "pages of {limit}");
            assert_eq!(pages.len(), 6_usize.div_ceil(limit), "pages of {limit}");
        }
        all.reverse();
    }
}

/// The same for partitions that are merged, and within bounds.
pub async fn pages_of_merged_partitions_follow_each_other(bench: &impl Bench) {
    let (one, two) = (bench.unique("board"), bench.unique("board"));
    let mut all = pinned(bench, &one, 0..5).await;
    all.extend(pinned(bench, &two, 5..6).await);
    all.extend(pinned(bench, &one, 6..7).await);
    all.extend(pinned(bench, &two, 7..9).await);
    let bounds = Query { from: Some("0001".to_owned()), below: Some("0008".to_owned()), ..all_of(Index::List, "") };
    let query = Query { partitions: vec![one, two], ..bounds };
    assert_eq!(listed(bench, &query, 7).await, all[1..8]);
    for limit in [1, 2, 3, 7] {
        let pages = pages(bench, &Query { limit, ..query.clone() }).await;
        assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), all[1..8], "pages of {limit}");
        assert_eq!(pages.len(), 7_usize.div_ceil(limit), "pages of {limit}");
    }
}

/// Records of one sort text lie on both sides of a page's end, and each is on one page.
pub async fn pages_of_one_sort_text_follow_each_other(bench: &impl Bench) {
    let board = bench.unique("board");
    let mut all = vec![];
    for _ in 0..7 {
        all.push(stored(bench, Note::new(bench).at(Index::List, &board, "1")).await.id);
    }
    all.sort_unstable();
    listed(bench, &all_of(Index::List, &board), 7).await;
    for descending in [false, true] {
        for limit in [1, 3, 7] {
            let pages = pages(bench, &Query { limit, descending, ..all_of(Index::List, &board) }).await;
            let mut found: Vec<String> = pages.iter().flat_map(ids).collect();
            found.sort_unstable();
            assert_eq!((found, pages.len()), (all.clone(), 7_usize.div_ceil(limit)), "pages of {limit}");
        }
    }
}

/// The same of those that the conductor reconciles at one time.
pub async fn pages_of_what_is_reconciled_at_one_time_follow_each_other(bench: &impl Bench) {
    let at = Timestamp::from_millisecond(quiet_time(bench).as_millisecond()).unwrap();
    let mut all = vec![];
    for nanos in [0, 3, 1, 2, 0] {
        let reconcile_at = Some(at - Duration::from_nanos(nanos));
        all.push(stored(bench, Note { reconcile_at, ..Note::new(bench) }).await.id);
    }
    all.sort_unstable();
    let (from, below) = (Some(sort_time(at)), Some(format!("{}~", sort_time(at))));
    let query = Query { from, below, ..all_of(Index::Reconcile, IndexEntry::RECONCILED) };
    listed(bench, &query, 5).await;
    for descending in [false, true] {
        for limit in [1, 2, 5] {
            let pages = pages(bench, &Query { limit, descending, ..query.clone() }).await;
            let mut found: Vec<String> = pages.iter().flat_map(ids).collect();
            found.sort_unstable();
            assert_eq!((found, pages.len()), (all.clone(), 5_usize.div_ceil(limit)), "pages of {limit}");
        }
    }
}

/// Records that are added meanwhile push none off the next page.
pub async fn next_page_stays_the_same_while_records_are_added(bench: &impl Bench) {
    let board = bench.unique("board");
    let all = pinned(bench, &board, 0..4).await;
    let query = Query { descending: true, limit: 2, ..all_of(Index::List, &board) };
    let first = ask(bench, &query).await;

    pinned(bench, &board, 4..7).await;
    bench.reopen().await;

    let next = query.after(first.last.expect("there are more"));
    assert_eq!(ids(&ask(bench, &next).await), [all[1].clone(), all[0].clone()]);
}

/// Records that have expired make pages short, and hide none that follows them.
pub async fn pages_with_expired_records_have_all_others(bench: &impl Bench) {
    let board = bench.unique("board");
    let mut kept = vec![];
    for place in 0..9 {
        let expires_at_s = (place % 3 != 2).then(|| soon_s(bench));
        let note = Note { expires_at_s, ..Note::new(bench) }.at(Index::List, &board, &format!("{place:04}"));
        let id = stored(bench, note).await.id;
        kept.extend(expires_at_s.is_none().then_some(id));
    }
    let_expire(bench).await;
    assert_eq!(listed(bench, &all_of(Index::List, &board), 3).await, kept);
    for limit in [1, 2, 3, 10] {
        let pages = pages(bench, &Query { limit, ..all_of(Index::List, &board) }).await;
        assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), kept, "pages of {limit}");
    }
}

/// More records than a service reads in one batch are on one page, where that is asked for.
pub async fn page_of_more_than_a_hundred_records_has_them_all(bench: &impl Bench) {
    let board = bench.unique("board");
    let all = pinned(bench, &board, 0..130).await;
    let page = ask(bench, &Query { limit: 120, ..all_of(Index::List, &board) }).await;
    assert_eq!(ids(&page), all[..120]);
    assert!(page.last.unwrap().starts_with("0119\0"));
    let page = ask(bench, &Query { limit: 130, ..all_of(Index::List, &board) }).await;
    assert_eq!((ids(&page), page.last), (all, None));
}
