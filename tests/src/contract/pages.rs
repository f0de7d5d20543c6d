//! Pages of an index: at most so many records, and where to go on.

use dacapo_domain::{Index, Page, Query};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{all_of, ask, create, ids, let_expire, listed, soon_s, stored},
    note::Note,
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

/// The query for what follows its page.
fn following(query: &Query, last: &str) -> Query {
    if query.descending {
        Query { below: Some(last.to_owned()), ..query.clone() }
    } else {
        // The least text behind it.
        Query { from: Some(format!("{last}\0")), ..query.clone() }
    }
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
        query = following(&query, &last);
    }
}

/// No more records than asked for, and where to go on.
pub async fn page_has_no_more_records_than_asked_for(bench: &impl Bench) {
    let board = bench.unique("board");
    let all = pinned(bench, &board, 0..3).await;
    let page = ask(bench, &Query { limit: 2, ..all_of(Index::List, &board) }).await;
    assert_eq!(ids(&page), all[..2]);
    assert_eq!(page.last.as_deref(), Some("0001"));
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

/// Records that are added meanwhile push none off the next page.
pub async fn next_page_stays_the_same_while_records_are_added(bench: &impl Bench) {
    let board = bench.unique("board");
    let all = pinned(bench, &board, 0..4).await;
    let query = Query { descending: true, limit: 2, ..all_of(Index::List, &board) };
    let first = ask(bench, &query).await;

    pinned(bench, &board, 4..7).await;
    bench.reopen().await;

    let next = following(&query, &first.last.expect("there are more"));
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
    assert_eq!(page.last.as_deref(), Some("0119"));
    let page = ask(bench, &Query { limit: 130, ..all_of(Index::List, &board) }).await;
    assert_eq!((ids(&page), page.last), (all, None));
}
