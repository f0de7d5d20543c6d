//! Requests that the HTTP library refuses before any route sees them: it answers with a status alone, and here it is told
//! why.

use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection on which refusals without a body get one.
pub(super) struct Reasoned<C> {
    connection: C,
    /// The bytes of a refusal that are written already.
    written: usize,
}

impl<C> Reasoned<C> {
    pub(super) const fn new(connection: C) -> Self {
        Self { connection, written: 0 }
    }
}

/// The same answer with a line, where it is one of the library's own.
fn reasoned(answer: &[u8]) -> Option<String> {
    if !answer.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let (status, _) = std::str::from_utf8(answer).ok()?.strip_prefix("HTTP/1.1 ")?.split_once("\r\n")?;
    let why = match status.get(..3)? {
        "400" => "the request can't be read: it is no HTTP/1.1, or has an address or a header that HTTP doesn't allow",
        "414" => "the address is too long (allowed: 65,534 bytes; send what is long as the body)",
        "431" => "there are too many headers, or they are too long (allowed: 100, in 417,792 bytes with the address)",
        _ => return None,
    };
    let is_without_body = answer.windows(19).any(|line| line.eq_ignore_ascii_case(b"content-length: 0\r\n"));
    is_without_body.then(|| {
        let length = why.len() + 1;
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\n\
             x-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n{why}\n"
        )
    })
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Reasoned<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, given: &[u8]) -> Poll<Result<usize>> {
        let Some(answer) = reasoned(given) else { return Pin::new(&mut self.connection).poll_write(cx, given) };
        while let rest @ [_, ..] = &answer.as_bytes()[self.written..] {
            match ready!(Pin::new(&mut self.connection).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(Error::from(ErrorKind::WriteZero))),
                written => self.written += written,
            }
        }
        self.written = 0;
        Poll::Ready(Ok(given.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        given: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        match given {
            [answer] => self.poll_write(cx, answer),
            _ => Pin::new(&mut self.connection).poll_write_vectored(cx, given),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Reasoned<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_read(cx, read)
    }
}
