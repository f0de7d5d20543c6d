//! Connections, so many at a time, each as long as it is used.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
};

use super::refused::Reasoned;

/// Connections at a time: the next one waits until one of them ends.
const CONNECTIONS: usize = 1_000;

/// The time for which a connection may be without a whole request's head: longer than clients keep one that is idle, 90
/// s, so that none is closed on a request that is on its way.
const HEAD_WITHIN: Duration = Duration::from_secs(120);

/// The pause after a connection that could not be taken, as where file handles are few.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves routes until it is dropped. A connection that sends no whole head of a request within two minutes is closed.
pub async fn serve(listener: TcpListener, routes: Router) {
    serve_at_once(listener, routes, CONNECTIONS).await;
}

async fn serve_at_once(listener: TcpListener, routes: Router, connections: usize) {
    let permits = Arc::new(Semaphore::new(connections));
    loop {
        let permit = permits.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((connection, _)) => {
                // Many small answers: none of them waits for the next.
                let _ = connection.set_nodelay(true);
                let routes = routes.clone();
                tokio::spawn(async move {
                    answer(connection, routes).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Answers the requests of one connection until its other side ends it, or it is idle for too long.
async fn answer(connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, routes: Router) {
    let mut http = http1::Builder::new();
    let http = http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    // A connection that breaks is its caller's to mend.
    let _ = http.serve_connection(TokioIo::new(Reasoned::new(connection)), TowerToHyperService::new(routes)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{middleware::from_fn_with_state, response::IntoResponse, routing::post};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        net::TcpStream,
        time::Instant,
    };

    use super::*;
    use crate::http::{Bodies, whole};

    /// A connection to routes that take up to ten bytes and give them back.
    fn connected() -> DuplexStream {
        let bodies = Bodies { longest: 10, refuse: |status, why| (status, why).into_response() };
        let routes = Router::new().route("/", post(async |body: String| body));
        let (ours, theirs) = duplex(100_000);
        tokio::spawn(answer(theirs, routes.layer(from_fn_with_state(bodies, whole))));
        ours
    }

    /// All that comes back once this was sent.
    async fn sent(text: &str) -> String {
        let mut connection = connected();
        // What is refused need not be taken whole.
        let _ = connection.write_all(text.as_bytes()).await;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn request(head: &str, body: &str) -> String {
        format!("POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n{head}\r\n\r\n{body}")
    }

    #[tokio::test(start_paused = true)]
    async fn connection_without_a_whole_head_is_closed_after_two_minutes() {
        let begun = "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ";
        let answered = request("content-length: 2", "ok");
        for text in ["", begun, &answered] {
            let began = Instant::now();
            let answer = sent(text).await;
            assert_eq!(answer.starts_with("HTTP/1.1 200 OK"), text == answered, "{answer}");
            assert_eq!(began.elapsed().as_secs(), 120, "{text:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn body_that_does_not_come_whole_is_refused_after_thirty_seconds() {
        for head in ["connection: close\r\ncontent-length: 9", "content-length: 9", "transfer-encoding: chunked"] {
            let began = Instant::now();
            let answer = sent(&request(head, if head.contains("length") { "half" } else { "4\r\nhalf\r\n" })).await;
            assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("did not come within 30 s"), "{answer}");
            assert_eq!(began.elapsed().as_secs(), 30, "{head}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn body_beyond_the_limit_is_refused_with_the_limit() {
        let announced = request("connection: close\r\ncontent-length: 11", "");
        let chunked = request("connection: close\r\ntransfer-encoding: chunked", "b\r\nhello hello\r\n0\r\n\r\n");
        for (text, given) in [(announced, "a body of 11 bytes"), (chunked, "a longer body")] {
            let answer = sent(&text).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
            assert!(answer.contains(&format!("{given} is not taken (allowed: 10 bytes")), "{answer}");
        }
        assert!(sent(&request("connection: close\r\ncontent-length: 10", "hellohello")).await.ends_with("hellohello"));
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_no_route_sees_is_refused_with_what_is_allowed() {
        let headers = |count: usize| (0..count).map(|n| format!("\r\nx-{n}: 1")).collect::<String>();
        let (many, most) = (headers(98), headers(97)); // Beside host, connection and content-length.
        let long = format!("\r\nx: {}", "a".repeat(500_000));
        let with = |more: &str| request(&format!("connection: close\r\ncontent-length: 2{more}"), "ok");
        for (text, status, why) in [
            (
                with(&many),
                "431 Request Header Fields Too Large",
                "too many headers, or they are too long (allowed: 100,",
            ),
            (with(&long), "431 Request Header Fields Too Large", "(allowed: 100, in 417,792 bytes with the address)"),
            (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65_534)), "414 URI Too Long", "(allowed: 65,534 bytes;"),
            ("GET /a b HTTP/1.1\r\n\r\n".to_owned(), "400 Bad Request", "the request can't be read:"),
            ("hello\r\n\r\n".to_owned(), "400 Bad Request", "it is no HTTP/1.1"),
            (with("\r\nx y: 1"), "400 Bad Request", "a header that HTTP doesn't allow"),
            (with("\r\ncontent-length: 3"), "400 Bad Request", "a header that HTTP doesn't allow"),
        ] {
            let answer = sent(&text).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{text:.300}: {answer}");
            let (head, line) = answer.split_once("\r\n\r\n").unwrap();
            assert!(line.contains(why) && line.ends_with('\n') && line.lines().count() == 1, "{answer}");
            assert!(head.contains(&format!("content-length: {}", line.len())), "{answer}");
        }
        assert!(sent(&with(&most)).await.ends_with("ok"), "so many are taken");
    }

    #[tokio::test]
    async fn connection_beyond_the_limit_waits_until_another_ends() {
        const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n";
        let counted = Arc::new(AtomicUsize::new(0));
        let count = counted.clone();
        let routes =
            Router::new().route("/", post(async move || format!("{:03}", count.fetch_add(1, Ordering::SeqCst))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_at_once(listener, routes, 1));
        let answered = async |connection: &mut TcpStream| {
            let mut answer = [0; 12];
            connection.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200");
            while !answer.ends_with(b"\r\n\r\n") {
                answer.rotate_left(1);
                answer[11] = connection.read_u8().await.unwrap();
            }
            connection.read_exact(&mut [0; 3]).await.unwrap();
        };

        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        answered(&mut first).await;
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        for so_far in 1..100 {
            assert_eq!(counted.load(Ordering::SeqCst), so_far, "the second waits");
            first.write_all(REQUEST).await.unwrap();
            answered(&mut first).await;
        }
        drop(first);
        answered(&mut second).await;
    }
}
