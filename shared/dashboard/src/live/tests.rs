use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use axum::{Extension, routing::get};
use futures::{StreamExt, poll, stream::BoxStream};
use tokio::time::{advance, sleep};

use super::*;

/// A page that is looked at, and what it says.
#[derive(Clone, Default)]
struct Page {
    says: Arc<Mutex<String>>,
    looks: Arc<AtomicU32>,
    is_final: Arc<AtomicU32>,
}

impl Page {
    fn new(says: &str) -> Self {
        Self { says: Arc::new(Mutex::new(says.to_owned())), ..Self::default() }
    }

    fn live(&self) -> Live {
        let page = self.clone();
        let show = async move || {
            page.looks.fetch_add(1, SeqCst);
            let refresh = Some(2).filter(|_| page.is_final.load(SeqCst) == 0);
            let says = page.says.lock().unwrap().clone();
            (Extension(Refresh(refresh)), format!("<body>{}{says}{}</body>", MAIN.0, MAIN.1))
        };
        Live::of(Router::new().route("/", get(show)))
    }

    fn says(&self, text: &str) {
        text.clone_into(&mut self.says.lock().unwrap());
    }

    fn looks(&self) -> u32 {
        self.looks.load(SeqCst)
    }
}

/// The events that one who follows the page gets, as they are sent.
async fn follow(live: &Live) -> BoxStream<'static, String> {
    let pages = live.pages.clone().layer(axum::middleware::from_fn_with_state(live.clone(), answer));
    let request = Request::get("/").header("accept", "text/event-stream").body(Body::empty()).unwrap();
    let response = pages.oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.into_body().into_data_stream().map(|bytes| String::from_utf8(bytes.unwrap().into()).unwrap());
    // Without the lines that say that the connection is still there.
    text.filter(|event| std::future::ready(!event.starts_with(':'))).boxed()
}

#[tokio::test(start_paused = true)]
async fn page_that_two_follow_is_looked_at_once_and_sent_to_both_when_it_has_changed() {
    let page = Page::new("one\r\n");
    let live = page.live();
    let (mut first, mut second) = (follow(&live).await, follow(&live).await);
    for tab in [&mut first, &mut second] {
        assert_eq!(tab.next().await.unwrap(), "event: message\ndata: {\"main\":\"one\\r\\n\"}\n\n");
    }
    assert_eq!(page.looks(), 1);
    sleep(Duration::from_secs(7)).await;
    assert!(poll!(first.next()).is_pending(), "it says the same");
    page.says("two");
    for tab in [&mut first, &mut second] {
        assert!(tab.next().await.unwrap().contains("two"));
    }
    let mut third = follow(&live).await;
    let looks = page.looks();
    assert!(third.next().await.unwrap().contains("two"), "what was seen last, without another look");
    assert_eq!(page.looks(), looks);
}

#[tokio::test(start_paused = true)]
async fn page_that_stays_the_same_is_looked_at_more_and_more_seldom_whatever_time_and_keys_it_tells() {
    let form =
        |key: &str, time: &str| format!("made <time datetime=\"2026\">{time}</time> <i name=\"key\" value=\"{key}\">");
    let page = Page::new(&form("01af", "just now"));
    let mut tab = follow(&page.live()).await;
    tab.next().await.unwrap();
    page.says(&form("e8", "2 s ago"));
    sleep(Duration::from_secs(100)).await;
    assert!(poll!(tab.next()).is_pending());
    assert!((10..=16).contains(&page.looks()), "{} looks", page.looks());
    page.says("made <time datetime=\"2027\">2 s ago</time>");
    tab.next().await.unwrap();
    let looks = page.looks();
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(page.looks(), looks + 1, "after a change it is looked at soon");
}

#[tokio::test(start_paused = true)]
async fn page_that_nobody_follows_any_more_is_looked_at_no_more() {
    let page = Page::new("one");
    let live = page.live();
    let mut tab = follow(&live).await;
    tab.next().await.unwrap();
    drop(tab);
    sleep(Duration::from_secs(60)).await;
    assert_eq!((page.looks(), live.followed().len()), (1, 0));
    assert_eq!(live.streams.available_permits(), STREAMS);
    follow(&live).await.next().await.unwrap();
    assert_eq!(page.looks(), 2);
}

#[tokio::test(start_paused = true)]
async fn page_that_is_final_is_sent_once_more_as_the_last_and_ends_the_stream() {
    let page = Page::new("one");
    let live = page.live();
    let mut tab = follow(&live).await;
    tab.next().await.unwrap();
    page.is_final.store(1, SeqCst);
    assert!(tab.next().await.unwrap().starts_with("event: last\n"));
    assert_eq!(tab.next().await, None);
    advance(Duration::from_secs(60)).await;
    assert_eq!((page.looks(), live.followed().len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn stream_beyond_the_limit_is_refused_until_another_ends() {
    let live = Page::new("one").live();
    let mut tabs = vec![];
    for _ in 0..STREAMS {
        tabs.push(follow(&live).await);
    }
    let asks = async || {
        let pages = live.pages.clone().layer(axum::middleware::from_fn_with_state(live.clone(), answer));
        let request = Request::get("/").header("accept", "text/event-stream").body(Body::empty()).unwrap();
        pages.oneshot(request).await.unwrap().status()
    };
    assert_eq!(asks().await, StatusCode::SERVICE_UNAVAILABLE);
    tabs.pop();
    assert_eq!(asks().await, StatusCode::OK);
}
