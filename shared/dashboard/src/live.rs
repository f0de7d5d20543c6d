//! Pages that stay fresh by themselves: the content of a page, as server-sent events.
//!
//! A page that is asked for with `Accept: text/event-stream` is answered by a stream of what stands in its `main`, sent
//! when it has changed. It is looked at once for all who follow the same address, and no longer than one of them does. A
//! store may tell of a run's next write, but not of its log, its steps and children, nor of lists, so it looks: as often as
//! the page's frame says, and more seldom the longer nothing changes.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tower::ServiceExt;

use crate::page::{MAIN, Refresh};

/// Streams at a time, each of which holds a connection.
const STREAMS: usize = 100;
/// The longest pause where nothing changes, of a page that is looked at more often at first.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The longest time that a page may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a page, at most; a longer one is shown as it was.
const PAGE_BYTES: usize = 32 * 1024 * 1024;

/// The beginning of a form's key, of hexadecimal digits: another one in each form.
const KEY: &str = "name=\"key\" value=\"";

/// The pages that are followed.
#[derive(Clone)]
pub struct Live {
    pages: Router,
    followed: Arc<Mutex<HashMap<String, watch::Sender<Seen>>>>,
    streams: Arc<Semaphore>,
}

/// A page as it was seen last.
#[derive(Clone, Default)]
struct Seen {
    /// The content; none before the first look.
    content: Option<Arc<str>>,
    /// Is true of one that stays as it is.
    is_last: bool,
}

/// The data of an event.
#[derive(Serialize)]
struct Content<'a> {
    main: &'a str,
}

/// Answers with a stream where one is asked for.
pub async fn answer(State(live): State<Live>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET || !asks_for_events(request.headers()) {
        return next.run(request).await;
    }
    match live.streams.clone().try_acquire_owned() {
        Ok(permit) => {
            Sse::new(events(live.follow(request.uri()), permit)).keep_alive(KeepAlive::default()).into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, format!("too many pages are followed (allowed: {STREAMS})\n"))
            .into_response(),
    }
}

fn asks_for_events(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept == "text/event-stream")
}

/// An event for each content from now on; the last one is named `last`, and ends the stream.
fn events(
    mut seen: watch::Receiver<Seen>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    seen.mark_changed();
    stream::unfold(Some((seen, permit)), async |following| {
        let (mut seen, permit) = following?;
        loop {
            seen.changed().await.ok()?;
            let Seen { content, is_last } = seen.borrow_and_update().clone();
            let Some(main) = content else { continue };
            // As JSON it is one line, whatever it says.
            let data = serde_json::to_string(&Content { main: &main }).ok()?;
            let event = Event::default().event(if is_last { "last" } else { "message" }).data(data);
            return Some((Ok(event), (!is_last).then_some((seen, permit))));
        }
    })
}

impl Live {
    /// These pages, none of which is followed yet.
    pub fn of(pages: Router) -> Self {
        Self { pages, followed: Arc::default(), streams: Arc::new(Semaphore::new(STREAMS)) }
    }

    /// The view of an address, by the look that it has, or a new one.
    fn follow(&self, address: &Uri) -> watch::Receiver<Seen> {
        let mut followed = self.followed();
        if let Some(seen) = followed.get(&address.to_string()) {
            return seen.subscribe();
        }
        let (tell, seen) = watch::channel(Seen::default());
        followed.insert(address.to_string(), tell.clone());
        tokio::spawn(Look { live: self.clone(), address: address.clone(), tell }.go_on());
        seen
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Seen>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The look at one address.
struct Look {
    live: Live,
    address: Uri,
    tell: watch::Sender<Seen>,
}

impl Look {
    /// Looks until the page is final, or followed no more.
    async fn go_on(self) {
        let mut pause = Duration::ZERO;
        while !self.is_over() {
            let (status, refresh, seen) = self.look().await;
            let is_last = refresh.is_none() && !status.is_server_error();
            let own = Duration::from_secs(refresh.unwrap_or(1).into());
            let has_changed = self.tell.send_if_modified(|last| {
                let is_new = is_last || seen.as_deref().is_some_and(|seen| differs(last.content.as_deref(), seen));
                if is_new {
                    *last = Seen { content: seen.clone().or(last.content.take()), is_last };
                }
                is_new
            });
            if is_last {
                return;
            }
            pause = if has_changed { own } else { (pause * 3 / 2).clamp(own, LONGEST_PAUSE.max(own)) };
            let _ = timeout(pause, self.tell.closed()).await;
        }
    }

    /// The page's status, when it is worth the next look, and its content where it has one.
    async fn look(&self) -> (StatusCode, Option<u32>, Option<Arc<str>>) {
        let none = (StatusCode::SERVICE_UNAVAILABLE, None, None);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.address.clone();
        let Ok(Ok(response)) = timeout(PATIENCE, self.live.pages.clone().oneshot(request)).await else { return none };
        let (status, refresh) = (response.status(), response.extensions().get::<Refresh>().and_then(|it| it.0));
        let Ok(page) = to_bytes(response.into_body(), PAGE_BYTES).await else { return none };
        let page = String::from_utf8_lossy(&page);
        let content = page.split_once(MAIN.0).and_then(|(_, rest)| rest.rsplit_once(MAIN.1));
        (status, refresh, content.filter(|_| !status.is_server_error()).map(|(content, _)| content.into()))
    }

    /// Is true where it is followed no more; who comes later starts another look.
    fn is_over(&self) -> bool {
        let mut followed = self.live.followed();
        let is_over = self.tell.is_closed();
        if is_over {
            followed.remove(&self.address.to_string());
        }
        is_over
    }
}

impl Drop for Look {
    /// Lets another look start for who follows the address next, whatever ended this one.
    fn drop(&mut self) {
        let mut followed = self.live.followed();
        if followed.get(&self.address.to_string()).is_some_and(|tell| tell.same_channel(&self.tell)) {
            followed.remove(&self.address.to_string());
        }
    }
}

/// Is true of two contents that differ by more than what is another in each look.
fn differs(last: Option<&str>, seen: &str) -> bool {
    last.is_none_or(|last| lasting(last) != lasting(seen))
}

/// A content without the texts of its times, which a browser keeps by itself, and the keys of its forms.
fn lasting(content: &str) -> String {
    let pieces = content.split("</time>");
    let is_told = |piece: &str| piece.rfind("<time ").and_then(|at| Some(at + piece[at..].find('>')?));
    let without_times: String = pieces.map(|piece| &piece[..is_told(piece).unwrap_or(piece.len())]).collect();
    let pieces = without_times.split(KEY).enumerate();
    let without_key = |(n, piece): (usize, &'_ str)| match n {
        0 => piece.to_owned(),
        _ => piece.trim_start_matches(|letter: char| letter.is_ascii_hexdigit()).to_owned(),
    };
    pieces.map(without_key).collect()
}

#[cfg(test)]
mod tests;
